/**
 * What follows when the fsync of a decision fails (docs/protocol.md, rule 13).
 *
 * The kernel may then show a state that the disk does not have, and a second fsync may say yes without having
 * written anything. So the state folder is marked with the boot ID; until the machine has been restarted nothing
 * reads, tells or acts on its records.
 *
 * Calling sequence: `forgetEarlierBoot` once, `refuse` before any use of records, `guard` around all that makes a
 * decision durable or follows it.
 */
import { join } from 'node:path';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { randomId, type Random } from '../base/random.js';
import { UNKNOWN_BOOT } from './boot-id.js';
import { ensureFolder, isFailedFsync, UnsureFolderError, unlessGone, writeDurably } from './durable.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';
import { readSmall, SMALL_FILE_MAX_BYTES } from './reading.js';

/** An ill disk may take at the next try what it has refused. */
const MARK_TRIES = 3;

export interface Suspicion {
  /** Throws `suspect` while the mark of this boot stands. */
  refuse(): Promise<void>;
  /**
   * The same, right after an fsync that went well and before anything follows from it. Its error has a cause: what has
   * been decided, or done about a decision, may not last.
   */
  confirm(): Promise<void>;
  /** As `refuse`, and takes an earlier boot's mark away: the disk has what it has. */
  forgetEarlierBoot(): Promise<void>;
  /**
   * Does something that must be durable. Errors: those of `work`; `suspect` where an fsync failed, after the mark has been
   * made, and where another run has made the mark meanwhile: then an fsync that went well proves nothing.
   */
  guard<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Does something in which no decision is at stake, but a folder may have to be made in which later ones will lie: of a
   * later run, it could not be made durable any more. Errors: those of `work`; `suspect`, after the mark has been made.
   */
  guardFolders<T>(work: () => Promise<T>): Promise<T>;
}

export function createSuspicion(
  fs: FileSystem,
  layout: Layout,
  random: Random,
  bootId: () => Promise<string>,
  log: Log,
): Suspicion {
  // Holds even where the disk is too ill to take the mark.
  let failed: QkdSyncError | undefined;

  const refusal = (cause?: unknown): QkdSyncError =>
    new QkdSyncError(
      'suspect',
      `the records in ${layout.state} are suspect: something could not be made durable`,
      {
        hint: `find out what is wrong with the disk, then restart the machine (and delete ${layout.suspect} after that if it is empty, cut short or says ${UNKNOWN_BOOT}); the next run settles what is open`,
        cause,
      },
    );

  /** A mark that was torn while it was written, on an ill or a full disk, is still a mark. */
  const readMark = async (path = layout.suspect): Promise<'none' | 'this boot' | 'earlier boot'> => {
    const marked = await readSmall(fs, path);
    if (marked === undefined) return 'none';
    const now = await bootId();
    // Only two boots that are both known are surely two.
    if (marked === UNKNOWN_BOOT || now === UNKNOWN_BOOT) return 'this boot';
    return now.startsWith(marked) ? 'this boot' : 'earlier boot';
  };

  const mark = async (): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      try {
        if ((await readMark()) === 'earlier boot') await unlessGone(fs.unlink(layout.suspect));
        await writeDurably(fs, layout.suspect, Buffer.from(await bootId()));
        await fs.syncFolder(layout.state);
        return;
      } catch (error) {
        // What an earlier try has left of it is as good.
        if (systemCode(error) === 'EEXIST') return;
        if (tries < MARK_TRIES) continue;
        log('error', 'suspect-mark-failed', `cannot write ${layout.suspect}: ${describe(error)}`);
        return;
      }
    }
  };

  const refuse = async (): Promise<void> => {
    if (failed !== undefined) throw failed;
    const marked = await fs.read(layout.suspect, SMALL_FILE_MAX_BYTES);
    if (marked !== undefined && (await readMark()) === 'this boot') throw refusal();
  };

  const confirm = async (): Promise<void> => {
    try {
      await refuse();
    } catch (error) {
      if (!(error instanceof QkdSyncError) || error.code !== 'suspect') throw error;
      throw refusal(error);
    }
  };

  return {
    refuse,
    confirm,

    forgetEarlierBoot: async () => {
      if (failed !== undefined) throw failed;
      const mark = await readMark();
      if (mark === 'none') return;
      if (mark === 'this boot') throw refusal();
      // Aside first: another run may be making the mark of this boot right now, and that one must stay.
      const aside = join(layout.trash, randomId(random));
      // It may have been the very folder that could not be made to last.
      await ensureFolder(fs, layout.trash);
      if (!(await unlessGone(fs.rename(layout.suspect, aside)))) return refuse();
      if ((await readMark(aside)) === 'this boot') await fs.link(aside, layout.suspect);
      await unlessGone(fs.unlink(aside));
      await fs.syncFolder(layout.state);
      await refuse();
    },

    guard: async (work) => {
      if (failed !== undefined) throw failed;
      let result;
      try {
        result = await work();
      } catch (error) {
        if (!isFailedFsync(error)) throw error;
        failed = refusal(error);
        await mark();
        throw failed;
      }
      await confirm();
      return result;
    },

    guardFolders: async (work) => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof UnsureFolderError)) throw error;
        // Nothing has been decided: no cause.
        failed = refusal();
        log('error', 'unsure-folder', `cannot make a folder durable: ${error.message}`);
        await mark();
        throw failed;
      }
    },
  };
}
