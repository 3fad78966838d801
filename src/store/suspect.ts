/**
 * What follows when the fsync of a decision fails (docs/protocol.md, rule 13).
 *
 * The kernel may then show a state that the disk does not have, and a second fsync may say yes without having
 * written anything. So the state folder is marked with the boot ID; until the machine has been restarted nothing
 * reads, tells or acts on its records.
 *
 * Calling sequence: `refuse` before any use of records, `guard` around all that makes a decision durable or follows it.
 */
import { dirname } from 'node:path';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { unlessGone, writeDurably } from './durable.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';
import { readSmall } from './record.js';

export interface Suspicion {
  /** Throws `suspect` while the mark of this boot stands; takes an earlier boot's mark away. */
  refuse(): Promise<void>;
  /** Does something that must be durable. Errors: those of `work`; `suspect` where an fsync failed, after the mark has been made. */
  guard<T>(work: () => Promise<T>): Promise<T>;
}

export function createSuspicion(
  fs: FileSystem,
  layout: Layout,
  bootId: () => Promise<string>,
  log: Log,
): Suspicion {
  // Holds even where the disk is too ill to take the mark.
  let failed: QkdSyncError | undefined;

  const refusal = (cause?: unknown): QkdSyncError =>
    new QkdSyncError(
      'suspect',
      `the records in ${layout.state} are suspect: a decision could not be made durable`,
      {
        hint: `find out what is wrong with the disk, then restart the machine (and delete ${layout.suspect} if it is empty); the next run settles what is open`,
        cause,
      },
    );

  const mark = async (): Promise<void> => {
    try {
      await writeDurably(fs, layout.suspect, Buffer.from(await bootId()));
      await fs.syncFolder(dirname(layout.suspect));
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return;
      log('error', 'suspect-mark-failed', `cannot write ${layout.suspect}: ${describe(error)}`);
    }
  };

  return {
    refuse: async () => {
      if (failed !== undefined) throw failed;
      const marked = await readSmall(fs, layout.suspect);
      if (marked === undefined) return;
      // A mark that was torn while it was written, on an ill or a full disk, is still a mark.
      if ((await bootId()).startsWith(marked)) throw refusal();
      await unlessGone(fs.unlink(layout.suspect));
      await fs.syncFolder(layout.state);
    },

    guard: async (work) => {
      if (failed !== undefined) throw failed;
      try {
        return await work();
      } catch (error) {
        if (!isFailedFsync(error)) throw error;
        failed = refusal(error);
        await mark();
        throw failed;
      }
    },
  };
}

/** An fsync that was tried and failed; a folder that could not be opened for it is none. */
function isFailedFsync(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'fsync';
}
