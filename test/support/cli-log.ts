/** What a process said with `--log-format json`, in a form that is short enough to compare whole. */

export interface Said {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Every line as an object. Throws where a line is none, or lacks what each must have. */
export function logOf(stderr: string): Said[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const said = JSON.parse(line) as Said & { time: string };
      if (!['step', 'info', 'warn', 'error'].includes(said.level)) throw new Error(`no level: ${line}`);
      if (new Date(said.time).toISOString() !== said.time) throw new Error(`no time: ${line}`);
      if (!/^[a-z0-9-]+$/.test(said.event) || said.message === '') throw new Error(`no event: ${line}`);
      return said;
    });
}

/** The events in order: `> HELLO` was sent, `< STATUS` received, all others by their names. */
export function talkOf(stderr: string): string[] {
  return logOf(stderr).map(({ event, message }) => {
    const [, how, type] = /^(sent|received) ([A-Z_]+)$/.exec(message) ?? [];
    if (type === undefined) return event;
    return how === 'sent' ? `> ${type}` : `< ${type}`;
  });
}

/** The messages of the handshake alone. */
export function handshakeOf(stderr: string): string[] {
  return talkOf(stderr).filter((one) => /^[<>]/.test(one));
}

/** The one line of that event. */
export function sayingOf(stderr: string, event: string): Said {
  const found = logOf(stderr).filter((said) => said.event === event);
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new Error(`${event} was said ${found.length} times:\n${stderr}`);
  return only;
}

/** Text for people, with what differs from run to run replaced: ports, IDs, and how long things took. */
export function settledText(stderr: string): string {
  return stderr
    .replace(/(127\.0\.0\.1:| port )\d+/g, '$1<port>')
    .replace(/\b[0-9a-f]{32}\b/g, '<id>')
    .replace(/\b(in )?[\d.]+ (?:ms|s)( between)?/g, (all, before?: string, after?: string) =>
      before === undefined && after === undefined ? all : `${before ?? ''}<time>${after ?? ''}`,
    );
}
