/**
 * Reservations of final names: two exchanges never aim at one file (docs/protocol.md, rule 11).
 *
 * A reservation is a file named like the key file, made exclusively, that holds the exchange's ID. It goes only
 * after a durable abort, or once the high-water mark covers the name.
 */
import { join } from 'node:path';
import { QkdSyncError, systemCode } from '../base/errors.js';
import { ensureFolder, unlessGone, writeWhole } from './durable.js';
import type { FileSystem } from './file-system.js';
import type { ExchangeId, Layout } from './layout.js';
import { listFolder, readSmall } from './record.js';

/** A name that another exchange or another file has. */
function taken(peer: string, name: string): QkdSyncError {
  return new QkdSyncError('name-taken', `the name ${name} for the next key file of peer ${peer} is taken`);
}

/** Whether neither an exchange nor a file has the name. */
export async function isNameFree(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  name: string,
): Promise<boolean> {
  const reservation = await fs.stat(join(layout.names(peer), name));
  const file = await fs.stat(join(layout.peerKeys(peer), name));
  return reservation === undefined && file === undefined;
}

/** Reserves the name durably; `aside` is a path in the exchange's own folder to write at. Error: `name-taken`. */
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
  try {
    await writeWhole(fs, aside, join(folder, name), Buffer.from(id));
  } catch (error) {
    throw systemCode(error) === 'EEXIST' ? taken(peer, name) : error;
  }
  await fs.syncFolder(folder);
  if ((await fs.stat(join(layout.peerKeys(peer), name))) === undefined) return;
  await releaseName(fs, layout, peer, name, id);
  throw taken(peer, name);
}

/** Gives the name back, if this exchange still holds it. */
export async function releaseName(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  name: string,
  id: ExchangeId,
): Promise<void> {
  const path = join(layout.names(peer), name);
  if ((await readSmall(fs, path)) === id) await unlessGone(fs.unlink(path));
}

/** The reservations of a peer: name and the ID that it holds . */
export async function listReservations(
  fs: FileSystem,
  layout: Layout,
  peer: string,
): Promise<{ name: string; id: string }[]> {
  const found: { name: string; id: string }[] = [];
  for (const name of await listFolder(fs, layout.names(peer))) {
    const id = await readSmall(fs, join(layout.names(peer), name));
    if (id !== undefined) found.push({ name, id });
  }
  return found;
}
