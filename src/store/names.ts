/**
 * Reservations of final names: two exchanges never aim at one file (docs/protocol.md, rule 11).
 *
 * A reservation is a folder named like the key file that holds one empty file, named by the exchange's ID. It is
 * written aside and renamed into place, which fails where another one stands there; it is given back by unlinking
 * the file of that ID. So a run that was suspended and wakes up late can give back no reservation but its own. An
 * empty folder reserves nothing: a rename replaces it.
 * It is given back only after a durable abort, or once the high-water mark covers the name.
 */
import { QkdSyncError, systemCode } from '../base/errors.js';
import { ensureFolder, unlessGone, writeDurably } from './durable.js';
import type { FileSystem } from './file-system.js';
import { within, type ExchangeId, type Layout } from './layout.js';

/** What a rename onto a folder that is not empty, or onto a file, is refused with. */
const OCCUPIED = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);

/** A name that another exchange or another file has. */
export function nameTaken(peer: string, name: string): QkdSyncError {
  return new QkdSyncError('name-taken', `the name ${name} for the next key file of peer ${peer} is taken`);
}

/** Whether neither an exchange nor a file has the name. */
export async function isNameFree(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  name: string,
): Promise<boolean> {
  const reserved = (await fs.list(within(layout.names(peer), name))).length > 0;
  return !reserved && (await fs.stat(within(layout.peerKeys(peer), name))) === undefined;
}

/**
 * Reserves the name durably. Error: `name-taken`.
 * @param aside a path in the exchange's own folder to write at, where nothing lies yet
 */
export async function reserveName(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  name: string,
  id: ExchangeId,
  aside: string,
): Promise<void> {
  const folder = layout.names(peer);
  await ensureFolder(fs, folder);
  await fs.mkdir(aside);
  await writeDurably(fs, within(aside, id), new Uint8Array());
  await fs.syncFolder(aside);
  try {
    await fs.rename(aside, within(folder, name));
  } catch (error) {
    throw OCCUPIED.has(systemCode(error) ?? '') ? nameTaken(peer, name) : error;
  }
  await fs.syncFolder(folder);
  if ((await fs.stat(within(layout.peerKeys(peer), name))) === undefined) return;
  await releaseName(fs, layout, peer, name, id);
  throw nameTaken(peer, name);
}

/**
 * Gives the name back, if this exchange still holds it.
 * @param id undefined for a reservation that holds none any more
 */
export async function releaseName(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  name: string,
  id: ExchangeId | undefined,
): Promise<void> {
  const reservation = within(layout.names(peer), name);
  if (id !== undefined) await unlessGone(fs.unlink(within(reservation, id)));
  try {
    await unlessGone(fs.rmdir(reservation));
  } catch (error) {
    // Another exchange has the name.
    if (!OCCUPIED.has(systemCode(error) ?? '')) throw error;
  }
}

/** The reservations of a peer: the name, and the IDs in its folder, of which there is one or, after a crash, none. */
export async function listReservations(
  fs: FileSystem,
  layout: Layout,
  peer: string,
): Promise<{ name: string; ids: string[] }[]> {
  const found: { name: string; ids: string[] }[] = [];
  for (const name of await fs.list(layout.names(peer))) {
    try {
      found.push({ name, ids: await fs.list(within(layout.names(peer), name)) });
    } catch (error) {
      // A file is none of ours.
      if (systemCode(error) !== 'ENOTDIR') throw error;
    }
  }
  return found;
}
