/** What `--json` prints, as objects (docs/operations.md). */
import type { QkdSyncError } from '../base/errors.js';
import type { HookRun } from '../exchange/hook.js';
import type { RunReport } from '../exchange/outcome.js';
import type { UnreadPeer } from '../exchange/status.js';
import { exitCodeOf, exitCodeOfError } from './exit-code.js';

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
    unread,
    ...(error !== undefined && exitCodeOf(report) !== 0 && { error: errorObject(error) }),
  };
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
