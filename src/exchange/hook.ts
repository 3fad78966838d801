/** The hook, what the operator wants run for each saved key file: how it is called and how it may end. */
import type { HookNote } from '../store/hook-note.js';

/** How a hook has ended. After `interrupted` and `failed` (it could not be run) it is run again at the next contact. */
export type HookEnd =
  | { readonly how: 'exited'; readonly exitCode: number }
  | { readonly how: 'killed'; readonly signal: string }
  | { readonly how: 'timed-out' }
  | { readonly how: 'interrupted' }
  | { readonly how: 'failed'; readonly reason: string };

/** Runs the hook once, in bounded time. Never rejects. `signal` aborts where it is to be given up. */
export type RunHook = (note: HookNote, signal: AbortSignal) => Promise<HookEnd>;

/** What became of one hook in this run. */
export interface HookRun {
  readonly exchange: string;
  readonly peer: string;
  /** The key file. */
  readonly file: string;
  readonly end: HookEnd;
}

/** Whether it has come to its end, well or not: then it is never run again. */
export function isOver({ how }: HookEnd): boolean {
  switch (how) {
    case 'exited':
    case 'killed':
    case 'timed-out':
      return true;
    case 'interrupted':
    case 'failed':
      return false;
  }
}

export function hasFailed(end: HookEnd): boolean {
  return end.how !== 'exited' || end.exitCode !== 0;
}

/** The most that a run keeps for its report: one that serves runs hooks for ever. */
export const HOOK_RUNS_KEPT = 4_096;

/** One more; where there are too many the oldest goes that ended well, or else the oldest. */
export function keepRun(runs: HookRun[], run: HookRun): void {
  runs.push(run);
  if (runs.length <= HOOK_RUNS_KEPT) return;
  const well = runs.findIndex(({ end }) => !hasFailed(end));
  runs.splice(Math.max(0, well), 1);
}
