/** Locks in memory, fair: who waits first is served first. */
import type { Clock } from '../../src/base/clock.js';
import { QkdSyncError } from '../../src/base/errors.js';
import type { Lock } from '../../src/store/lock.js';

interface Waiter {
  readonly admit: () => void;
}

export class MemoryLocks {
  /** The paths that are locked now. */
  readonly held = new Set<string>();
  readonly #queues = new Map<string, Waiter[]>();

  lock(clock: Clock): Lock {
    return async (path, waitMs, signal) => {
      if (signal.aborted) throw new QkdSyncError('interrupted', 'interrupted while waiting for the lock');
      if (this.held.has(path)) await this.#wait(clock, path, waitMs, signal);
      this.held.add(path);
      return () => {
        this.#release(path);
        return Promise.resolve();
      };
    };
  }

  #release(path: string): void {
    this.held.delete(path);
    const next = this.#queues.get(path)?.shift();
    if (next === undefined) return;
    // Taken on behalf of the waiter at once, so that nobody slips in between.
    this.held.add(path);
    next.admit();
  }

  #wait(clock: Clock, path: string, waitMs: number, signal: AbortSignal): Promise<void> {
    const queue = this.#queues.get(path) ?? [];
    this.#queues.set(path, queue);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        cancel();
        signal.removeEventListener('abort', interrupt);
      };
      const waiter: Waiter = {
        admit: () => {
          stop();
          resolve();
        },
      };
      const leave = (error: QkdSyncError): void => {
        stop();
        queue.splice(queue.indexOf(waiter), 1);
        reject(error);
      };
      const interrupt = (): void => {
        leave(new QkdSyncError('interrupted', 'interrupted while waiting for the lock'));
      };
      const cancel = clock.after(waitMs, () => {
        leave(new QkdSyncError('busy', 'another run for this peer holds the lock'));
      });
      signal.addEventListener('abort', interrupt);
      queue.push(waiter);
    });
  }
}
