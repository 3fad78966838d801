/**
 * proper-lockfile, simulated, with the manners of src/store/lock.ts: stale after 2 s, renewed each second, and lost by
 * a process that sleeps for too long. Who waits looks less often, because each look is a step. Whoever has lost a lock without having noticed takes the next holder's away.
 */
import { sleep } from '../../src/base/clock.js';
import { QkdSyncError } from '../../src/base/errors.js';
import type { Lock } from '../../src/store/lock.js';
import type { HeldLock } from './host.js';
import type { Process } from './process.js';

const STALE_MS = 2_000;
const UPDATE_MS = 1_000;
const RETRY_MS = 700;

export function simulatedLock(process: Process): Lock {
  const { host, world, clock } = process;
  const { locks, disk } = host;

  const take = (path: string): HeldLock | undefined => {
    const held = locks.get(path);
    if (held !== undefined && held.renewedAt >= world.now - STALE_MS) return undefined;
    if (disk.find(path.slice(0, path.lastIndexOf('/'))) === undefined) {
      throw new QkdSyncError('storage', `cannot lock ${path}: ENOENT`);
    }
    const mine = { holder: process, renewedAt: world.now };
    locks.set(path, mine);
    return mine;
  };

  const renew = (path: string, mine: HeldLock): (() => void) => {
    let cancel = (): void => undefined;
    const beat = (): void => {
      cancel = world.after(UPDATE_MS, process, () => {
        if (locks.get(path) !== mine) {
          lost.add(mine);
          world.trace?.(`${process.name}: lost the lock`);
          return;
        }
        mine.renewedAt = world.now;
        beat();
      });
    };
    beat();
    return () => {
      cancel();
    };
  };
  const lost = new Set<HeldLock>();

  const step = <T>(work: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      world.add({
        actor: process,
        run: () => {
          try {
            resolve(work());
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        },
      });
    });

  return async (path, waitMs, signal) => {
    const until = clock.monotonic() + waitMs;
    for (;;) {
      if (signal.aborted) throw new QkdSyncError('interrupted', 'interrupted while waiting for the lock');
      const mine = await step(() => take(path));
      if (mine !== undefined) {
        world.trace?.(`${process.name}: locked`);
        const stop = renew(path, mine);
        return async () => {
          stop();
          await step(() => {
            if (!lost.has(mine)) locks.delete(path);
          });
        };
      }
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0) throw new QkdSyncError('busy', 'another run for this peer holds the lock');
      await sleep(clock, Math.min(RETRY_MS, leftMs), signal);
    }
  };
}
