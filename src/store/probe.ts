/**
 * Whether key files can be published, found out before a key is drawn (docs/protocol.md, "Records"): a local file
 * system with room, and a rename from the peer's folder of state into the folder of keys that really works. Equal device
 * numbers are not enough: a bind mount has them and refuses the rename.
 *
 * Errors: `storage`, with what to change.
 */
import { dirname, join } from 'node:path';
import { QkdSyncError, systemCode } from '../base/errors.js';
import { randomId, type Random } from '../base/random.js';
import { ensureFolder, secureNames, unlessGone } from './durable.js';
import type { FileSystem } from './file-system.js';
import { within, type Layout } from './layout.js';
import { refuseNetworkFileSystem } from './network-file-system.js';

/** A fixed name, so that what a crash leaves is found again without listing a folder of a hundred thousand files. */
export const PROBE_NAME = '.qkd-sync-probe';

/** Room for records beside the keys themselves, in bytes. */
const SPARE_BYTES = 1 << 20;

const TRIES = 5;

/**
 * Tries it all for one peer, whose folder of state is there.
 * @param bytes how much the key file and what is kept with it until it is published will take
 */
export async function probePublishing(
  fs: FileSystem,
  layout: Layout,
  random: Random,
  peer: string,
  bytes: number,
): Promise<void> {
  await ensureFolder(fs, layout.trash);
  for (let tries = 0; tries < TRIES; tries += 1) {
    // Again each time: whoever takes key files away may take their folder.
    const target = await nearestFolder(fs, layout.peerKeys(peer));
    for (const folder of [layout.state, target]) await refuseUnfit(fs, folder, bytes);
    // What is moved there must be made durable too, which takes the right to read the folders.
    for (const folder of target === layout.peerKeys(peer) ? [layout.keys, target] : [target])
      await unlessGone(secureNames(fs, folder));
    // And the name of the folder itself, or of the folder of keys.
    await ensureFolder(fs, target === layout.peerKeys(peer) ? layout.keys : target);
    if (await tryRename(fs, layout, random, peer, target)) return;
  }
  throw new QkdSyncError('storage', `files do not stay in ${layout.trash}`, {
    hint: 'see what clears this folder away',
  });
}

/**
 * By way of the peer's folder of state, from which the key file will be moved, and which may be a mount of its own. False
 * where another run's clean-up took the probe away before it could be moved, or somebody the folder.
 */
async function tryRename(
  fs: FileSystem,
  layout: Layout,
  random: Random,
  peer: string,
  target: string,
): Promise<boolean> {
  const made = within(layout.trash, randomId(random));
  const placed = within(layout.peer(peer), PROBE_NAME);
  const tried = join(target, PROBE_NAME);
  await (await fs.create(made)).close();
  if (!(await move(fs, made, placed)) || !(await move(fs, placed, tried))) return false;
  await unlessGone(fs.unlink(tried));
  return true;
}

/** False where the probe, or the folder that it was to come to, is gone. */
async function move(fs: FileSystem, probe: string, to: string): Promise<boolean> {
  try {
    return await unlessGone(fs.rename(probe, to));
  } catch (error) {
    await unlessGone(fs.unlink(probe));
    if (systemCode(error) !== 'EXDEV') throw error;
    throw new QkdSyncError('storage', `${dirname(probe)} and ${dirname(to)} are on different file systems`, {
      hint: 'set state to a folder on the file system of keys, and mount nothing in it: the key file is moved into place by one rename',
      cause: error,
    });
  }
}

/** The folder itself or the nearest parent that exists. */
async function nearestFolder(fs: FileSystem, folder: string): Promise<string> {
  const facts = await fs.stat(folder);
  if (facts !== undefined || dirname(folder) === folder) return folder;
  return nearestFolder(fs, dirname(folder));
}

async function refuseUnfit(fs: FileSystem, folder: string, bytes: number): Promise<void> {
  const facts = await fs.statfs(folder);
  refuseNetworkFileSystem(folder, facts);
  const needed = 2 * bytes + SPARE_BYTES;
  if (facts.freeBytes >= needed) return;
  throw new QkdSyncError(
    'storage',
    `too little room in ${folder}: ${facts.freeBytes} bytes free, ${needed} needed`,
    {
      hint: 'make room on this file system',
    },
  );
}
