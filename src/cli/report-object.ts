/** What `--json` prints, as objects (docs/operations.md). */
import type { QkdSyncError } from '../base/errors.js';
import type { Role } from '../base/site.js';
import type { HookRun } from '../exchange/hook.js';
import type { RunReport, UnreadPeer } from '../exchange/outcome.js';
import { exitCodeOf, exitCodeOfError } from './exit-code.js';
import { choicesOf, type Request } from './program.js';

/** Of a run. */
export function runObject(report: RunReport, durationMs: number): object {
  const { outcome, role, peer, exchange, published, hooks, open, peerAlarms, foreign, unread, kme, error } =
    report;
  const own = published.find(({ id }) => id === exchange?.id);
  const settled = published.filter((file) => file !== own);
  return {
    outcome,
    exchange: exchange?.id ?? null,
    role,
    peer: peer ?? null,
    kme: kme ?? null,
    keyIds: exchange?.keyIds ?? [],
    file: own?.path ?? null,
    index: exchange?.index ?? null,
    durationMs: Math.round(durationMs),
    settled: settled.map(({ id, role: as, peer: site, path, keyIds, index }) => {
      return { exchange: id, role: as, peer: site, keyIds, file: path, index: index ?? null };
    }),
    hooks: hooks.map(hookObject),
    open,
    peerAlarms,
    foreign,
    unread: unread.map(unreadObject),
    ...(error !== undefined && exitCodeOf(report) !== 0 && { error: errorObject(error) }),
  };
}

/**
 * Of a command that has failed before there was anything to report on.
 * @param outcome null where only the records know what became of the key file
 */
export function failedObject(request: Request, outcome: 'aborted' | null, error: object): object {
  switch (request.command) {
    case 'status':
      return { keys: null, state: null, peers: [], unread: [], error };
    case 'resolve': {
      const [choice = null, ...more] = choicesOf(request.flags);
      const asked = { exchange: request.flags['id'] ?? null, choice: more.length === 0 ? choice : null };
      return { ...asked, state: null, alarm: null, hooks: [], open: [], unread: [], error };
    }
    case 'initiate':
    case 'recover':
      return failedRun('initiator', outcome, error);
    case 'respond':
      return failedRun('responder', outcome, error);
    case 'formats':
    case 'doctor':
    case 'kme':
    case 'demo':
    case undefined:
      return failedRun(null, outcome, error);
  }
}

function failedRun(role: Role | null, outcome: 'aborted' | null, error: object): object {
  const own = { outcome, exchange: null, role, peer: null, kme: null, keyIds: [], file: null, index: null };
  const others = { settled: [], hooks: [], open: [], peerAlarms: 0, foreign: 0, unread: [] };
  return { ...own, durationMs: 0, ...others, error };
}

export function hookObject({ exchange, file, end }: HookRun): object {
  switch (end.how) {
    case 'exited':
      return { exchange, file, exitCode: end.exitCode };
    case 'killed':
      return { exchange, file, signal: end.signal };
    case 'timed-out':
      return { exchange, file, timedOut: true };
    case 'interrupted':
      return { exchange, file, interrupted: true };
    case 'failed':
      return { exchange, file, error: end.reason };
  }
}

export function unreadObject({ peer, error }: UnreadPeer): object {
  return { peer: peer ?? null, error: errorObject(error) };
}

export function errorObject({ code, message, hint }: QkdSyncError): object {
  return { code, exit: exitCodeOfError(code), message, ...(hint !== undefined && { hint }) };
}
