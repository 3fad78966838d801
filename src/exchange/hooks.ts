/**
 * Runs what the operator wants run for each saved key file (docs/protocol.md, "The hook"): that of one peer one after the
 * other in the order of the files, never under the lock that exchanges wait for, and not a second time once it has
 * come to its end.
 *
 * Calling sequence: `begin` for a peer whenever files of it may have been published, `ended` at last.
 * Never rejects but for a bug: what went wrong is in the answer.
 */
import { describe, QkdSyncError } from '../base/errors.js';
import type { HookNote, WaitingHook } from '../store/hook-note.js';
import { hasFailed, isOver, keepRun, type HookEnd, type HookRun, type RunHook } from './hook.js';
import type { RunPorts } from './run.js';

export class Hooks {
  readonly #ports: RunPorts;
  readonly #lockWaitMs: number;
  readonly #runs: HookRun[] = [];
  /** By peer. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(ports: RunPorts, lockWaitMs: number) {
    this.#ports = ports;
    this.#lockWaitMs = lockWaitMs;
  }

  /** Sees to it that all that is due for the peer by now is run, after what is being run for it already. */
  begin(peer: string): void {
    const { runHook } = this.#ports;
    if (runHook === undefined) return;
    const before = this.#underWay.get(peer) ?? Promise.resolve();
    this.#underWay.set(
      peer,
      before.then(() => this.#runDue(peer, runHook)),
    );
  }

  /** Waits for all that was begun. */
  async ended(): Promise<readonly HookRun[]> {
    await Promise.all(this.#underWay.values());
    return this.#runs;
  }

  async #runDue(peer: string, runHook: RunHook): Promise<void> {
    const { store, lock, signal } = this.#ports;
    /** The one whose turn it is. */
    let next: WaitingHook | undefined;
    /** Those that turned out not to be run: their notes may still be there. */
    const passedOver = new Set<string>();
    try {
      [next] = await store.dueHooks(peer, passedOver);
      if (next === undefined) return;
      const unlock = await lock(store.layout.hookLock(peer), this.#lockWaitMs, signal);
      try {
        // Again, because another run may have had the lock until now.
        let due = await store.dueHooks(peer, passedOver);
        while (due.length > 0) {
          for (next of due) {
            const note = await store.readHook(next);
            if (note === undefined) passedOver.add(next.id);
            else if (!(await this.#run(note, runHook))) return;
          }
          next = undefined;
          due = await store.dueHooks(peer, passedOver);
        }
      } finally {
        await unlock();
      }
    } catch (error) {
      if (!(error instanceof QkdSyncError)) throw error;
      this.#giveUp(peer, next, error);
    }
  }

  /** Whether the hook has come to its end, well or not: then it is never run again. */
  async #run(note: HookNote, runHook: RunHook): Promise<boolean> {
    const { store, log, signal } = this.#ports;
    log('step', 'hook', `running the hook for ${note.path}`, { exchange: note.id });
    const end = await runHook(note, signal);
    this.#conclude(note, end);
    if (isOver(end)) await store.forgetHook(note);
    return isOver(end);
  }

  #giveUp(peer: string, next: WaitingHook | undefined, error: QkdSyncError): void {
    const { log } = this.#ports;
    if (error.code === 'busy') log('info', 'hooks-busy', `another run is running the hooks of peer ${peer}`);
    else if (next === undefined) {
      log('warn', 'hooks-unread', `cannot look for hooks of peer ${peer} to run: ${error.message}`, {
        hint: error.hint ?? "those that wait are run at the next contact; 'qkd-sync status' shows them",
      });
    } else if (error.code === 'interrupted') this.#conclude(next, { how: 'interrupted' });
    else this.#conclude(next, { how: 'failed', reason: error.message });
  }

  #conclude({ id, peer, path }: WaitingHook, end: HookEnd): void {
    const { log } = this.#ports;
    keepRun(this.#runs, { exchange: id, peer, file: path, end });
    if (!hasFailed(end)) {
      log('step', 'hook-ended', `the hook for ${path} has ended well`, { exchange: id });
      return;
    }
    log('error', 'hook-failed', `the hook for ${path} ${describeEnd(end)}`, {
      exchange: id,
      file: path,
      hint: isOver(end)
        ? 'the key file is saved; the hook is not run again, so do what it should have done'
        : 'the key file is saved; the hook is run again at the next contact',
    });
  }
}

function describeEnd(end: HookEnd): string {
  switch (end.how) {
    case 'exited':
      return `ended with ${end.exitCode}`;
    case 'killed':
      return `was ended by ${end.signal}`;
    case 'timed-out':
      return 'took too long and was ended';
    case 'interrupted':
      return 'was interrupted';
    case 'failed':
      return `could not be run: ${describe(end.reason)}`;
  }
}
