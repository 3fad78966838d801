/**
 * The hook as a process of the real world: the shell, in a process group of its own.
 *
 * What it is to do comes by variables, the key IDs as a JSON array on its standard input, because thousands of them fit
 * into no variable; key bytes by neither. What it says goes to the log. It may leave processes behind in its
 * background: they are waited for only as long as it takes to read what the hook itself has said.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { sleep, type Clock } from '../base/clock.js';
import { clean, describe, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { HookNote } from '../store/hook-note.js';
import type { HookEnd, RunHook } from './hook.js';

export interface HookCommand {
  /** For /bin/sh -c. */
  readonly command: string;
  /** How long it may take. */
  readonly timeoutMs: number;
}

export interface HookProcessPorts {
  /** The variables of this process, which the hook inherits. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Between SIGTERM and SIGKILL to the group of a hook that is to end. */
const KILL_AFTER_MS = 2_000;
/** How often a group that is to end is looked at. */
const LOOK_MS = 50;
/** How long the streams of a hook that has ended are read on, where something in its background holds them. */
const STREAMS_MS = 250;
/** The most of what one hook says that goes to the log. */
const SAID_MAX_BYTES = 65_536;
const LINE_MAX = 500;

export function createRunHook({ command, timeoutMs }: HookCommand, ports: HookProcessPorts): RunHook {
  const { env, clock, log } = ports;
  return async (note, signal) => {
    if (signal.aborted) return { how: 'interrupted' };
    let child: ChildProcess;
    try {
      child = spawn('/bin/sh', ['-c', command], { detached: true, env: { ...env, ...variablesOf(note) } });
    } catch (error) {
      return { how: 'failed', reason: describe(error) };
    }
    const ended = endOf(child);
    const closed = new Promise<void>((resolve) => {
      child.once('close', () => {
        resolve();
      });
    });
    listen(child, note, log);
    // A hook that does not want to read it may close it.
    child.stdin?.on('error', () => undefined).end(JSON.stringify(note.keyIds));

    let give: (end: HookEnd) => void = () => undefined;
    const givenUp = new Promise<HookEnd>((resolve) => {
      give = resolve;
    });
    const interrupt = (): void => {
      give({ how: 'interrupted' });
    };
    signal.addEventListener('abort', interrupt);
    const cancel = clock.after(timeoutMs, () => {
      give({ how: 'timed-out' });
    });
    try {
      const end = await Promise.race([ended, givenUp]);
      if (end.how === 'interrupted' || end.how === 'timed-out') await endGroup(child, clock);
      return end;
    } finally {
      cancel();
      signal.removeEventListener('abort', interrupt);
      await Promise.race([closed, sleep(clock, STREAMS_MS)]);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      child.unref();
    }
  };
}

function variablesOf({ path, peer, id, index, role, format }: HookNote): Record<string, string> {
  return {
    QKD_SYNC_HOOK_FILE: path,
    QKD_SYNC_HOOK_PEER: peer,
    QKD_SYNC_HOOK_EXCHANGE: id,
    QKD_SYNC_HOOK_INDEX: index === undefined ? '' : String(index),
    QKD_SYNC_HOOK_ROLE: role,
    QKD_SYNC_HOOK_FORMAT: format,
  };
}

/** Of the shell itself, whatever it has left behind. */
function endOf(child: ChildProcess): Promise<HookEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve({ how: 'failed', reason: describe(error) });
    });
    child.once('exit', (exitCode, signal) => {
      resolve(exitCode === null ? { how: 'killed', signal: String(signal) } : { how: 'exited', exitCode });
    });
  });
}

/** SIGTERM to the whole group, and SIGKILL to what is left of it 2 s later. */
async function endGroup({ pid }: ChildProcess, clock: Clock): Promise<void> {
  if (pid === undefined || !signalGroup(pid, 'SIGTERM')) return;
  const until = clock.monotonic() + KILL_AFTER_MS;
  while (clock.monotonic() < until) {
    await sleep(clock, LOOK_MS);
    if (!signalGroup(pid, 0)) return;
  }
  signalGroup(pid, 'SIGKILL');
}

/** False where no process of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // One that has taken on other rights cannot be told to end, but it is there.
    return systemCode(error) === 'EPERM';
  }
}

/** Passes on what the hook says, line by line. */
function listen({ stdout, stderr }: ChildProcess, { id }: HookNote, log: Log): void {
  let left = SAID_MAX_BYTES;
  const say = (line: string): void => {
    const text = clean(line, LINE_MAX);
    if (text === '' || left <= 0) return;
    left -= text.length;
    log('info', 'hook-said', left > 0 ? `hook: ${text}` : 'hook: … (it says more than is shown)', {
      exchange: id,
    });
  };
  const hear = (stream: Readable | null): void => {
    let begun = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      const lines = `${begun}${text}`.split('\n');
      begun = (lines.pop() ?? '').slice(0, LINE_MAX + 1);
      for (const line of lines) say(line);
    });
    stream?.on('close', () => {
      say(begun);
    });
  };
  hear(stdout);
  hear(stderr);
}
