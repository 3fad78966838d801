/**
 * The initiator's records: it alone decides (docs/protocol.md, rules 4, 5, 8 and 9).
 *
 * Every function may race with another process on the same folder; each acts on what it finds after a lost race.
 * Errors: Node's, `suspect`, `alarm`, `busy` (another process settled the exchange while it was looked at).
 */
import { QkdSyncError, systemCode } from '../base/errors.js';
import type { KeyId } from '../base/key.js';
import { emptyTrash, releaseAborted, toTrash } from './clean-up.js';
import type { StoreContext } from './context.js';
import type { ExchangeId } from './layout.js';
import { isFailedFsync, unlessGone } from './durable.js';
import { coverIndex } from './index-mark.js';
import { noteHook } from './hook-note.js';
import { readKeyIds } from './key-ids.js';
import { releaseName } from './names.js';
import { listPeers } from './peers.js';
import { keyFilePath, publish } from './publish.js';
import {
  changeState,
  findRecord,
  pathOf,
  raiseAlarm,
  readBeta,
  readExchange,
  RECORD_TRIES,
  recordFolder,
  restless,
  writeBeta,
  type AlarmReason,
  type RecordPlace,
} from './record.js';

/** What this site has decided. An exchange without a record is aborted (presumed abort). */
export type Verdict =
  { readonly decided: 'committed'; readonly beta: string } | { readonly decided: 'aborted' };

/** `forgotten`: published, durable and removed; `alarm`: it stays, an operator must look. */
export type Finish = 'forgotten' | 'alarm';

/**
 * `in-place`: the key file is published, durably; `taken`: an alien file is in the way; `moved-on`: the record is not there
 * any more, because another process has finished it, or an operator has given it up.
 */
export type Placement = 'in-place' | 'taken' | 'moved-on';

const ABORTED: Verdict = { decided: 'aborted' };

/**
 * Decides to commit: beta durable, then the rename that is the point of no return, then its fsync. Answers what is
 * decided, which is an abort where another process was faster.
 */
export async function decide(
  context: StoreContext,
  peer: string,
  id: ExchangeId,
  beta: string,
): Promise<Verdict> {
  const { fs, layout, suspicion } = context;
  const staged: RecordPlace = { peer, role: 'initiator', id, state: 'staged' };
  const won =
    (await writeBeta(fs, layout, staged, beta)) && (await changeState(fs, layout, staged, 'committed'));
  if (!won) return judge(context, id);
  await suspicion.guard(() => fs.syncFolder(layout.role(peer, 'initiator')));
  return { decided: 'committed', beta };
}

/** Reads the decision, making it first where there is none yet: an abort. A commit is made durable before it is told. */
export async function judge(context: StoreContext, id: ExchangeId): Promise<Verdict> {
  const { fs, layout, suspicion } = context;
  // Again, because whoever was faster may have been unable to make its decision last.
  await suspicion.refuse();
  let committed = false;
  for (let tries = 0; tries < RECORD_TRIES; tries += 1) {
    const place = await findAnywhere(context, id);
    if (place === undefined && committed) {
      throw new QkdSyncError('busy', `another run has just settled exchange ${id}`);
    }
    if (place === undefined) return ABORTED;
    if (place.state === 'committed') {
      committed = true;
      await suspicion.guard(() => fs.syncFolder(layout.role(place.peer, 'initiator')));
      const beta = await readBeta(fs, layout, place);
      if (beta !== undefined) return { decided: 'committed', beta };
    } else if (place.state === 'aborted' || (await changeState(fs, layout, place, 'aborted'))) {
      await releaseAborted(context, { ...place, state: 'aborted' });
      return ABORTED;
    }
  }
  throw restless(id);
}

/** Publishes a committed exchange that the peer has confirmed, and removes its record, all durably. */
export async function finish(context: StoreContext, id: ExchangeId): Promise<Finish> {
  const { fs, layout, suspicion } = context;
  const place = await findAnywhere(context, id);
  if (place === undefined) {
    // Another process has removed it; END may only follow once that is durable, in whatever peer's folder it was.
    for (const known of await listPeers(fs, layout)) {
      await suspicion.guard(() => unlessGone(fs.syncFolder(layout.role(known, 'initiator'))));
    }
    return 'forgotten';
  }
  if (place.state !== 'committed') {
    await raiseAlarm(context, place, 'contradiction');
    return 'alarm';
  }
  return suspicion.guard(async () => {
    if ((await publishDecided(context, place)) === 'taken') return 'alarm';
    await remove(context, place);
    return 'forgotten';
  });
}

/**
 * Publishes a committed record of either role. The role's folder is fsynced first: the decision may have been read from a
 * process that could not make it durable.
 */
export async function publishDecided(context: StoreContext, place: RecordPlace): Promise<Placement> {
  const { fs, layout, suspicion, hooked, onPublished } = context;
  await fs.syncFolder(layout.role(place.peer, place.role));
  await suspicion.confirm();
  const exchange = await readExchange(fs, layout, place);
  if (exchange === undefined) return 'moved-on';
  // Once the file is in place the record may go at any time, and its key IDs with it.
  const isToCome = (await fs.stat(pathOf(layout, place, 'key'))) !== undefined;
  const keyIds = isToCome ? await keyIdsOf(context, place) : [];
  if (hooked && isToCome) await noteHook(context, place, exchange, keyIds);
  const publication = await publish(context, place, exchange);
  // What follows removes the only other trace of the key.
  await suspicion.confirm();
  if (context.staged?.id === place.id) context.staged = undefined;
  if (publication === 'moved') {
    const { id, role, peer, index } = exchange;
    onPublished({ id, role, peer, keyIds, index, path: keyFilePath(layout, exchange) });
  }
  if (publication !== 'earlier') return publication === 'moved' ? 'in-place' : 'taken';
  // A key that has gone together with its record may have been published, or destroyed.
  return (await fs.stat(recordFolder(layout, place))) === undefined ? 'moved-on' : 'in-place';
}

/** None where they cannot be read: nothing is decided by them. */
async function keyIdsOf({ fs, layout, staged }: StoreContext, place: RecordPlace): Promise<readonly KeyId[]> {
  return staged?.id === place.id ? staged.keyIds : ((await readKeyIds(fs, layout, place)) ?? []);
}

/** Removes the record of a published exchange: first its number is covered, then its name is free, then it goes. */
export async function remove(context: StoreContext, place: RecordPlace): Promise<void> {
  const { fs, layout } = context;
  const exchange = await readExchange(fs, layout, place);
  if (exchange !== undefined) {
    await coverIndex(context, place.peer, exchange.index);
    await releaseName(fs, layout, place.peer, exchange.name, place.id);
    await toTrash(context, recordFolder(layout, place));
  }
  await fs.syncFolder(layout.role(place.peer, place.role));
  try {
    await emptyTrash(context);
  } catch (error) {
    // The record is gone for good, and the peer may be told; what lies there is the next contact's to delete.
    if (isFailedFsync(error) || systemCode(error) === undefined) throw error;
  }
}

/** Marks the initiator's record of this ID, wherever it is; false where another run has settled it meanwhile. */
export async function alarm(context: StoreContext, id: ExchangeId, reason: AlarmReason): Promise<boolean> {
  const place = await findAnywhere(context, id);
  return place !== undefined && raiseAlarm(context, place, reason);
}

/** The initiator's record of an ID in whatever peer's folder: a peer may have been given another name since. */
async function findAnywhere({ fs, layout }: StoreContext, id: ExchangeId): Promise<RecordPlace | undefined> {
  for (const peer of await listPeers(fs, layout)) {
    const place = await findRecord(fs, layout, peer, 'initiator', id);
    if (place !== undefined) return place;
  }
  return undefined;
}
