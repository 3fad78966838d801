/**
 * The state folder's own identity: 128 random bits, made once and durable, and the inode of the file that holds them
 * (docs/protocol.md, rule 3).
 *
 * What this site tells its peers is true only of the records that it has opened. A folder that vanishes in the middle
 * of a run (unmounted, moved) looks like one without records, which would mean "aborted"; one that was restored from
 * a backup has records that are out of date. So the identity is checked again after every look at the records, and a
 * copy, whose file has another inode, is refused until an operator has deleted its ID.
 *
 * Calling sequence: `open` once, then `confirm` after each use of the records and before anybody is told of it.
 * Errors: `storage`, Node's.
 */
import { join } from 'node:path';
import { QkdSyncError, systemCode } from '../base/errors.js';
import { randomId, type Random } from '../base/random.js';
import { ensureFolder, secureNames, unlessGone } from './durable.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';
import { refuseNetworkFileSystem } from './network-file-system.js';
import { SMALL_FILE_MAX_BYTES, textOf } from './reading.js';

export interface Identity {
  /** The state ID, made now if this is the folder's first use. */
  open(): Promise<string>;
  /** Throws where the folder is no longer the one that was opened; of one that was never opened nothing is known. */
  confirm(): Promise<void>;
}

const CONTENT = /^([0-9a-f]{32}) (\d{1,20})\n$/;
const ATTEMPTS = 5;

export function createIdentity(fs: FileSystem, layout: Layout, random: Random): Identity {
  let opened: string | undefined;

  const read = async (): Promise<string | undefined> => {
    const content = await fs.read(layout.stateId, SMALL_FILE_MAX_BYTES);
    if (content === undefined) return undefined;
    const [, id, inode] = CONTENT.exec(textOf(content.bytes)) ?? [];
    if (id === undefined) throw damaged(layout);
    if (content.inode !== inode) {
      // Where files do not keep their inodes, as on sshfs, it need not be a copy.
      refuseNetworkFileSystem(layout.state, await fs.statfs(layout.state));
      throw copied(layout);
    }
    return id;
  };

  const open = async (): Promise<string> => {
    await ensureFolder(fs, layout.trash);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const known = await read();
      if (known !== undefined) {
        // Even where it was there already: the run that made it may have been killed before it could fsync the folder.
        await secureNames(fs, layout.state);
        return known;
      }
      try {
        await make(fs, layout, random);
      } catch (error) {
        // Another first run was faster, or another run's clean-up took the file written aside.
        const code = systemCode(error);
        if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
      }
    }
    throw new QkdSyncError('storage', `cannot make ${layout.stateId}`);
  };

  return {
    open: async () => {
      opened = await open();
      return opened;
    },
    confirm: async () => {
      if (opened !== undefined && (await read()) !== opened) throw vanished(layout);
    },
  };
}

/** Makes the file as a whole: it is written aside, with the inode that it keeps, and linked into place. */
async function make(fs: FileSystem, layout: Layout, random: Random): Promise<void> {
  const aside = join(layout.trash, randomId(random));
  const file = await fs.create(aside);
  try {
    const inode = (await fs.stat(aside))?.inode ?? '';
    await file.write(Buffer.from(`${randomId(random)} ${inode}\n`));
    await file.sync();
    await fs.link(aside, layout.stateId);
  } finally {
    await file.close();
    await unlessGone(fs.unlink(aside));
  }
}

const damaged = (layout: Layout): QkdSyncError =>
  new QkdSyncError('storage', `the state ID in ${layout.stateId} is damaged`, { hint: RENEWAL });

const copied = (layout: Layout): QkdSyncError =>
  new QkdSyncError('storage', `the folder ${layout.state} is a copy or was restored from a backup`, {
    hint: `its records may be out of date. ${RENEWAL}`,
  });

const vanished = (layout: Layout): QkdSyncError =>
  new QkdSyncError('storage', `the folder ${layout.state} has been moved, unmounted or replaced`, {
    hint: 'bring it back: the next run settles what is open',
  });

const RENEWAL =
  "see 'qkd-sync status' and docs/operations.md, then delete the file state-id in it; the peer takes the folder for a new one, and what is open between the two must be resolved by an operator";
