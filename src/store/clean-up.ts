/**
 * What earlier runs left behind and nobody needs (docs/protocol.md, rule 15). Runs at each contact, under the lock.
 *
 * A folder first goes to `.trash` by a rename, then its files go: deleting it in place would let its suspended
 * writer wake up, finish the rest and vote with half a record.
 */
import { dirname } from 'node:path';
import { passingOver, systemCode } from '../base/errors.js';
import { randomId, type Random } from '../base/random.js';
import type { Role } from '../base/site.js';
import { ensureFolder, moveUnlessGone, secureNames, unlessGone } from './durable.js';
import type { FileSystem } from './file-system.js';
import { parseRecordName, parseTemporaryName, ROLES, within, type Layout } from './layout.js';
import { listReservations, releaseName } from './names.js';
import { PROBE_NAME } from './probe.js';
import { readAlarm, readExchange, recordFolder, type RecordPlace } from './record.js';

export interface CleanUpPorts {
  readonly fs: FileSystem;
  readonly layout: Layout;
  readonly random: Random;
}

/** Moves a folder out of the way; false where it is not there (any more). */
export async function toTrash({ fs, layout, random }: CleanUpPorts, folder: string): Promise<boolean> {
  await ensureFolder(fs, layout.trash);
  return moveUnlessGone(fs, folder, within(layout.trash, randomId(random)));
}

/**
 * Deletes all that lies in the trash; others may be doing the same. First its coming here is made durable, which whoever
 * moved it may have been killed before: a power loss could otherwise bring back a record that has lost its files,
 * which looks damaged.
 */
export async function emptyTrash({ fs, layout }: CleanUpPorts): Promise<void> {
  const names = await fs.list(layout.trash);
  if (names.length > 0) await secureNames(fs, layout.trash);
  for (const name of names) await remove(fs, within(layout.trash, name));
}

async function remove(fs: FileSystem, path: string): Promise<void> {
  if (await removeFile(fs, path)) return;
  for (const name of await fs.list(path)) await remove(fs, within(path, name));
  try {
    await unlessGone(fs.rmdir(path));
  } catch (error) {
    // Its suspended writer made one more file meanwhile: the next contact deletes that too.
    if (systemCode(error) !== 'ENOTEMPTY') throw error;
  }
}

/** False for a folder; true where nothing is left of what was there. */
async function removeFile(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await unlessGone(fs.unlink(path));
    return true;
  } catch (error) {
    // A folder, by the kernel's word and by POSIX's; where it is something else, listing it says so.
    const code = systemCode(error);
    if (code === 'EISDIR' || code === 'EPERM') return false;
    throw error;
  }
}

/**
 * Gives an aborted exchange's name back, once the abort is durable. False where the record must stay as it is: an
 * operator must look at it, or it is gone already.
 */
export async function releaseAborted({ fs, layout }: CleanUpPorts, place: RecordPlace): Promise<boolean> {
  if ((await readAlarm(fs, layout, place)) !== undefined) return false;
  const exchange = await passingOver('alarm', () => readExchange(fs, layout, place));
  if (exchange === undefined) return false;
  // Another run's decision may be waiting in there for its own fsync, which would say yes after a failed one.
  await secureNames(fs, layout.role(place.peer, place.role));
  await releaseName(fs, layout, place.peer, exchange.name, place.id);
  return true;
}

/** Gives an aborted exchange's name back and removes its record. */
export async function discardAborted(ports: CleanUpPorts, place: RecordPlace): Promise<void> {
  if (await releaseAborted(ports, place)) await toTrash(ports, recordFolder(ports.layout, place));
}

/**
 * Clears away what one peer's earlier runs left, before a contact. The initiator's own aborts stay until after it:
 * a peer that says that such an exchange is done contradicts the record, and without the record nobody would know.
 */
export async function tidy(ports: CleanUpPorts, peer: string): Promise<void> {
  await clear(ports, peer, ['responder']);
  await removeProbes(ports, peer);
  await emptyTrash(ports);
}

/** The same, and all aborts, after a contact; a probe that failed in it is the next one's to remove. */
export async function cleanUp(ports: CleanUpPorts, peer: string): Promise<void> {
  await clear(ports, peer, ROLES);
  await emptyTrash(ports);
}

/** What was being written, the aborts of these roles, and names that nobody holds any more. */
async function clear(ports: CleanUpPorts, peer: string, rolesOfAborts: readonly Role[]): Promise<void> {
  const { fs, layout } = ports;
  for (const role of ROLES) {
    const folder = layout.role(peer, role);
    for (const name of await fs.list(folder)) {
      const record = parseRecordName(name);
      if (parseTemporaryName(name) !== undefined) await toTrash(ports, within(folder, name));
      else if (record?.state === 'aborted' && rolesOfAborts.includes(role))
        await discardAborted(ports, { peer, role, ...record });
    }
  }
  await releaseOrphans(ports, peer);
}

/**
 * Reservations whose exchange has no folder left. An exchange has its folder before its reservation, so the
 * reservations are listed first: one that is new has a folder that the later listing meets.
 */
async function releaseOrphans({ fs, layout }: CleanUpPorts, peer: string): Promise<void> {
  const reservations = await listReservations(fs, layout, peer);
  if (reservations.length === 0) return;
  const names = (await Promise.all(ROLES.map((role) => fs.list(layout.role(peer, role))))).flat();
  const alive = new Set(names.map((name) => parseRecordName(name)?.id ?? parseTemporaryName(name)));
  for (const { name, ids } of reservations) {
    // Without an ID it is what a crash between the two steps of giving it back has left.
    for (const id of ids.length === 0 ? [undefined] : ids) {
      if (id === undefined || !alive.has(id)) await releaseName(fs, layout, peer, name, id);
    }
  }
}

/** A probe that a crash left where it had been tried, or on its way there. */
async function removeProbes({ fs, layout }: CleanUpPorts, peer: string): Promise<void> {
  for (const folder of [layout.peer(peer), dirname(layout.keys), layout.keys, layout.peerKeys(peer)]) {
    try {
      await unlessGone(fs.unlink(within(folder, PROBE_NAME)));
    } catch (error) {
      // Nothing can have been left where nothing can be written.
      const code = systemCode(error);
      if (code !== 'EROFS' && code !== 'EACCES') throw error;
    }
  }
}
