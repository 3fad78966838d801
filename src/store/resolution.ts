/**
 * What an operator decides about an exchange whose peer is lost for good (docs/protocol.md, "Resolving").
 *
 * A responder's vote goes to a state of its own, `.resolved`, by the same one rename that a decision of the initiator
 * would have to win; the file `resolution` in it says what was chosen. So the operator's word is never taken for the
 * initiator's, and if the initiator comes back after all, each of the two hears what the other has done.
 *
 * Who decided what and when is written down in the peer's folder before anything is done: the order, not what came of it. One
 * that came too late is written down once more, with an `end` that says so.
 * Errors: Node's, `suspect`, `alarm`.
 */
import type { KeyId } from '../base/key.js';
import { randomId } from '../base/random.js';
import { emptyTrash, toTrash } from './clean-up.js';
import type { StoreContext } from './context.js';
import { judge, publishDecided } from './decision.js';
import { ensureFolder, secureNames, unlessGone, writeDurably } from './durable.js';
import type { FileSystem } from './file-system.js';
import { dropNote } from './hook-note.js';
import { coverIndex } from './index-mark.js';
import { readKeyIds } from './key-ids.js';
import { RECORD_FILE, ROLES, within, type ExchangeId, type Layout } from './layout.js';
import { listReservations, releaseName } from './names.js';
import { listPeers } from './peers.js';
import { changeState, findRecord, pathOf, readResolution, recordFolder, type RecordPlace } from './record.js';
import { surveyRecord, type SurveyedRecord } from './survey.js';
import { finishCommitted } from './vote.js';

/** What an operator may decide; which of it fits a record is not this file's business. */
export type Choice = 'commit' | 'abort' | 'forget';

export interface Resolution {
  readonly choice: Choice;
  /** Who decided. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** A record and the key IDs in it. */
export interface FoundRecord extends SurveyedRecord {
  /** Undefined where they cannot be read. */
  readonly keyIds: readonly KeyId[] | undefined;
}

/** The record of an exchange, whoever the peer and in whatever role. */
export async function findExchange(
  fs: FileSystem,
  layout: Layout,
  id: ExchangeId,
): Promise<FoundRecord | undefined> {
  for (const peer of await listPeers(fs, layout)) {
    for (const role of ROLES) {
      const place = await findRecord(fs, layout, peer, role, id);
      const found = place && (await surveyRecord(fs, layout, place));
      if (found !== undefined) return { ...found, keyIds: await readKeyIds(fs, layout, found.place) };
    }
  }
  return undefined;
}

/** Does what the operator decided. False where the record has moved on since it was looked at: nothing has been done. */
export async function resolve(
  context: StoreContext,
  record: SurveyedRecord,
  resolution: Resolution,
): Promise<boolean> {
  await writeDown(context, record, resolution);
  const isDone = await carryOut(context, record, resolution);
  if (!isDone) await writeDown(context, record, resolution, 'moved-on');
  return isDone;
}

async function carryOut(
  context: StoreContext,
  record: SurveyedRecord,
  resolution: Resolution,
): Promise<boolean> {
  const { suspicion } = context;
  const { place } = record;
  if (resolution.choice === 'forget') return suspicion.guard(() => retire(context, record));
  if (place.state === 'committed') {
    await suspicion.guard(() =>
      place.role === 'initiator' ? publishDecided(context, place) : finishCommitted(context, place),
    );
    return true;
  }
  if (place.role === 'initiator') {
    if ((await judge(context, place.id)).decided !== 'aborted') return false;
    // The record is for the next contact to clear away, which may never come.
    await destroyKey(context, { ...place, state: 'aborted' });
    return true;
  }
  // What was chosen before was not carried out to its end then.
  if (place.state !== 'resolved' && !(await choose(context, place, resolution.choice))) return false;
  await suspicion.guard(() => finishResolved(context, { ...place, state: 'resolved' }));
  return true;
}

/**
 * The operator's choice for a vote: durable first, then the rename that a decision of the initiator might win. False
 * where something else was decided.
 */
async function choose(
  { fs, layout, random }: StoreContext,
  place: RecordPlace,
  choice: 'commit' | 'abort',
): Promise<boolean> {
  if (place.state !== 'staged') return false;
  const folder = recordFolder(layout, place);
  const aside = within(folder, randomId(random));
  // What an earlier try has left there may say something else.
  const written =
    (await unlessGone(writeDurably(fs, aside, Buffer.from(choice)))) &&
    (await unlessGone(fs.rename(aside, within(folder, RECORD_FILE.resolution)))) &&
    (await unlessGone(fs.syncFolder(folder)));
  if (written) await changeState(fs, layout, place, 'resolved');
  // Another operator may have put another choice in the place of this one right before the rename, or have been faster;
  // after it nobody can.
  return (await readResolution(fs, layout, { ...place, state: 'resolved' })) === choice;
}

/**
 * Publishes what was resolved to commit; destroys the key, and frees the name, of what was not. The role's folder is
 * fsynced before either; so is the record's, because whoever made the choice may have been unable to make it last. Under
 * `guard`.
 */
export async function finishResolved(context: StoreContext, place: RecordPlace): Promise<void> {
  const { fs, layout } = context;
  await unlessGone(fs.syncFolder(recordFolder(layout, place)));
  const choice = await readResolution(fs, layout, place);
  if (choice === 'commit') {
    await publishDecided(context, place);
  } else if (choice === 'abort') {
    await destroyKey(context, place);
    await releaseNames(context, place);
  }
}

/** Of what is aborted, for good before: a record that came back undecided with the power must still have its key. */
async function destroyKey({ fs, layout, suspicion }: StoreContext, place: RecordPlace): Promise<void> {
  await secureNames(fs, layout.role(place.peer, place.role));
  await suspicion.confirm();
  await unlessGone(fs.unlink(pathOf(layout, place, 'key')));
  await unlessGone(fs.syncFolder(recordFolder(layout, place)));
}

/** Removes a record that only an operator could settle. Its number, where it can be read, is never used again. */
async function retire(context: StoreContext, { place, exchange }: SurveyedRecord): Promise<boolean> {
  const { fs, layout } = context;
  await coverIndex(context, place.peer, exchange?.index);
  await releaseNames(context, place);
  // Nothing was published, and nothing will be: without its record the note would say otherwise.
  if ((await fs.stat(pathOf(layout, place, 'key'))) !== undefined) await dropNote(context, place);
  const retired = await toTrash(context, recordFolder(layout, place));
  await fs.syncFolder(layout.role(place.peer, place.role));
  await emptyTrash(context);
  return retired;
}

/** By the exchange's ID: a record that cannot be read does not tell its name. */
async function releaseNames({ fs, layout }: StoreContext, { peer, id }: RecordPlace): Promise<void> {
  for (const { name, ids } of await listReservations(fs, layout, peer)) {
    if (ids.includes(id)) await releaseName(fs, layout, peer, name, id);
  }
}

/** Whether an operator has had the record of an exchange with this peer removed, or tried to. */
export async function wasForgotten(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  id: ExchangeId,
): Promise<boolean> {
  const entries = await fs.list(layout.resolutions(peer));
  return entries.some((name) => name.startsWith(`${id}-forget-`));
}

async function writeDown(
  { fs, layout, random }: StoreContext,
  { place, exchange, alarm }: SurveyedRecord,
  { choice, by, time }: Resolution,
  end?: 'moved-on',
): Promise<void> {
  const { id, peer, role, state } = place;
  const entry = {
    time: new Date(time).toISOString(),
    by,
    choice,
    id,
    peer,
    role,
    state,
    alarm: alarm ?? null,
    name: exchange?.name ?? null,
    keyIds: (await readKeyIds(fs, layout, place)) ?? null,
    ...(end && { end }),
  };
  const folder = layout.resolutions(peer);
  await ensureFolder(fs, folder);
  const path = within(folder, `${id}-${choice}-${randomId(random)}.json`);
  await writeDurably(fs, path, Buffer.from(`${JSON.stringify(entry, undefined, 2)}\n`));
  await fs.syncFolder(folder);
}
