/**
 * Keeps overlapping runs for one peer polite (docs/protocol.md, rule 14), and no more: a suspended process can lose
 * its lock and wake up, so nothing relies on it.
 *
 * Error: `busy` where another run holds the lock for all of the wait; `interrupted`.
 */
import { mkdir, realpath, rmdir, rmdirSync, stat, utimes, type Stats } from 'node:fs';
import { lock } from 'proper-lockfile';
import { sleep, type Clock } from '../base/clock.js';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';

/** Holds one lock until it is called. Never rejects: a lock that stays goes stale. */
export type Unlock = () => Promise<void>;

/** Takes the lock of a path; its folder must exist. */
export type Lock = (path: string, waitMs: number, signal: AbortSignal) => Promise<Unlock>;

const STALE_MS = 2_000;
const UPDATE_MS = 1_000;
const RETRY_MS = 100;

/** All that proper-lockfile uses, at exit too; left to itself it would make its folder for everyone. */
const PRIVATE_FS = {
  mkdir: (path: string, done: (error: NodeJS.ErrnoException | null) => void) => {
    mkdir(path, { mode: 0o700 }, done);
  },
  realpath,
  rmdir,
  rmdirSync,
  stat: (path: string, done: (error: NodeJS.ErrnoException | null, stats: Stats) => void) => {
    stat(path, (error, stats) => {
      // Whoever left it had a clock that was ahead: it would not go stale before that time has come.
      if (error === null && stats.mtimeMs > Date.now() + STALE_MS) stats.mtime = new Date(0);
      done(error, stats);
    });
  },
  utimes,
};

export function createLock(clock: Clock, log: Log): Lock {
  const take = async (path: string): Promise<Unlock | undefined> => {
    try {
      return await lock(path, {
        lockfilePath: path,
        realpath: false,
        fs: PRIVATE_FS,
        stale: STALE_MS,
        update: UPDATE_MS,
        onCompromised: (error) => {
          log('warn', 'lock-lost', `lost the lock ${path}: ${error.message}`);
        },
      });
    } catch (error) {
      if (systemCode(error) === 'ELOCKED') return undefined;
      throw new QkdSyncError('storage', `cannot lock ${path}: ${(error as Error).message}`, { cause: error });
    }
  };

  return async (path, waitMs, signal) => {
    const until = clock.monotonic() + waitMs;
    for (;;) {
      if (signal.aborted) throw new QkdSyncError('interrupted', 'interrupted while waiting for the lock');
      const unlock = await take(path);
      if (unlock !== undefined) {
        return async () => {
          try {
            await unlock();
          } catch (error) {
            // Lost before: said by onCompromised already.
            if (systemCode(error) === 'ERELEASED' || systemCode(error) === 'ENOTACQUIRED') return;
            log('warn', 'lock-left', `cannot take the lock ${path} away: ${describe(error)}`);
          }
        };
      }
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0) {
        throw new QkdSyncError('busy', 'another run for this peer holds the lock', {
          hint: `it is working; try again later, or see who uses ${path}`,
        });
      }
      await sleep(clock, Math.min(RETRY_MS, leftMs), signal);
    }
  };
}
