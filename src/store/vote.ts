/**
 * The responder's records: after its vote it does what the initiator decides, and nothing alone
 * (docs/protocol.md, rules 3, 7, 9 and 10).
 *
 * Every function may race with another process on the same folder; each acts on what it finds after a lost race.
 * Errors: Node's, `suspect`, `alarm`.
 */
import { passingOver } from '../base/errors.js';
import { discardAborted, emptyTrash } from './clean-up.js';
import type { StoreContext } from './context.js';
import { publishDecided, remove, type Placement } from './decision.js';
import { unlessGone } from './durable.js';
import type { ExchangeId } from './layout.js';
import { withdrawTaken } from './publish.js';
import {
  changeState,
  findRecord,
  listRecords,
  raiseAlarm,
  readAlarm,
  readBeta,
  readExchange,
  readResolution,
  recordFolder,
  RECORD_TRIES,
  restless,
  type Exchange,
  type RecordPlace,
} from './record.js';

/**
 * `unknown`: no such vote here; `mismatch`: it was given with another beta; `taken`: an alien file is in the way;
 * `overruled`: an operator here has decided otherwise.
 */
export type Commit = 'done' | 'unknown' | 'mismatch' | 'taken' | 'overruled';

/**
 * `gone`: nothing of it is left; `done`: it is saved; `taken`: decided commit; `foreign`: another state folder's;
 * `overruled`: an operator here has decided otherwise.
 */
export type Discard = 'gone' | 'done' | 'taken' | 'foreign' | 'overruled';

/** `gone`: nothing of it is left; `open`: it has not been saved yet; `foreign`: the same, and another state folder's. */
export type Forget = 'gone' | 'open' | 'foreign';

/** What STATUS tells the initiator whose state folder has this ID. */
export interface OpenVotes {
  /** Voted, no decision heard; the oldest first. */
  readonly inDoubt: readonly ExchangeId[];
  /** Saved, the initiator not heard of since; the oldest first. */
  readonly done: readonly ExchangeId[];
  /** Decided by an operator here, the initiator not heard of since; the oldest first. */
  readonly resolved: readonly ResolvedVote[];
  /** Open records that name another state folder of this peer. */
  readonly foreign: number;
  /** The highest number that these hold, or -1. */
  readonly foreignIndex: number;
  /** Records that only an operator can settle. */
  readonly alarms: number;
}

export interface ResolvedVote {
  readonly id: ExchangeId;
  readonly decision: 'commit' | 'abort';
}

/** Does what the initiator decided: commits, publishes, leaves the tombstone, all durably. */
export async function commit(
  context: StoreContext,
  peer: string,
  id: ExchangeId,
  beta: string,
): Promise<Commit> {
  const { fs, layout, suspicion } = context;
  for (let tries = 0; tries < RECORD_TRIES; tries += 1) {
    const place = await findRecord(fs, layout, peer, 'responder', id);
    if (place === undefined) return 'unknown';
    if (place.state === 'aborted') {
      await raiseAlarm(context, place, 'contradiction');
      return 'unknown';
    }
    const voted = await readBeta(fs, layout, place);
    if (voted === undefined) continue;
    if (voted !== beta) return 'mismatch';
    if (place.state === 'resolved') {
      const said = await holdAgainst(context, place, 'commit');
      if (said === 'overruled') return said;
      if (said === 'moved-on') continue;
    }
    if (place.state === 'staged' && !(await changeState(fs, layout, place, 'committed'))) continue;
    const state = place.state === 'staged' ? 'committed' : place.state;
    const placement = await suspicion.guard(() => finishCommitted(context, { ...place, state }));
    // What an operator has given up meanwhile must not be told to be saved.
    if (placement !== 'moved-on') return placement === 'in-place' ? 'done' : 'taken';
  }
  throw restless(id);
}

/**
 * Finishes a record that the initiator has committed, without the peer: published, then `.done`, durably. Also vouches for
 * one that is done already. To be called under `guard`.
 */
export async function finishCommitted(context: StoreContext, place: RecordPlace): Promise<Placement> {
  const { fs, layout } = context;
  if (place.state === 'committed' || place.state === 'resolved') {
    const placement = await publishDecided(context, place);
    if (placement !== 'in-place') return placement;
    // Also what an operator has committed: the initiator has said the same, and once it hears FIN it forgets that.
    await changeState(fs, layout, place, 'done');
  }
  // Who found the name taken may say so only after another process has found it free.
  if (place.state === 'done') await withdrawTaken(context, place);
  await fs.syncFolder(layout.role(place.peer, place.role));
  return 'in-place';
}

/** Discards a vote, if it is still open and the state folder that says so is the one that it was given to. */
export async function discard(
  context: StoreContext,
  peer: string,
  id: ExchangeId,
  stateId: string,
): Promise<Discard> {
  const { fs, layout, suspicion } = context;
  for (let tries = 0; tries < RECORD_TRIES; tries += 1) {
    const place = await findRecord(fs, layout, peer, 'responder', id);
    if (place === undefined || place.state === 'aborted') return 'gone';
    const exchange = await readExchange(fs, layout, place);
    if (exchange === undefined) continue;
    if (exchange.peerStateId !== stateId) return 'foreign';
    if (place.state === 'resolved') {
      const said = await holdAgainst(context, place, 'abort');
      if (said === 'overruled') return said;
      if (said === 'moved-on') continue;
      await discardAborted(context, place);
      await emptyTrash(context);
      return 'gone';
    }
    if (place.state === 'staged') {
      if (!(await changeState(fs, layout, place, 'aborted'))) continue;
      // No decision is lost where this fails: without it the vote is in doubt again, and hears the same answer.
      await discardAborted(context, { ...place, state: 'aborted' });
      await emptyTrash(context);
      return 'gone';
    }
    // Decided: nothing changes, and the initiator hears the real state.
    const placement = await suspicion.guard(() => finishCommitted(context, place));
    if (placement !== 'moved-on') return placement === 'in-place' ? 'done' : 'taken';
  }
  throw restless(id);
}

/** Drops the tombstone: the initiator has saved its file and forgotten the exchange, in whatever state folder. */
export async function forget(
  context: StoreContext,
  peer: string,
  id: ExchangeId,
  stateId: string,
): Promise<Forget> {
  const { fs, layout, suspicion } = context;
  const place = await findRecord(fs, layout, peer, 'responder', id);
  if (place === undefined) return 'gone';
  const exchange = await readExchange(fs, layout, place);
  if (exchange === undefined) return 'gone';
  // An end is no presumption: only who has had the record can say it, and the record may have been moved since.
  if (place.state !== 'done') return exchange.peerStateId === stateId ? 'open' : 'foreign';
  await suspicion.guard(() => remove(context, place));
  return 'gone';
}

/** What is open here with the initiator whose state folder has this ID. Durable before it is told. */
export async function openVotes(context: StoreContext, peer: string, stateId: string): Promise<OpenVotes> {
  const { fs, layout, suspicion } = context;
  const found: { place: RecordPlace; exchange: Exchange }[] = [];
  const resolved: ResolvedVote[] = [];
  let alarms = 0;
  for (const place of await listRecords(fs, layout, peer, 'responder')) {
    if (await isAlarmed(context, place)) {
      alarms += 1;
    } else if (place.state === 'staged' || place.state === 'done') {
      const exchange = await readExchange(fs, layout, place);
      if (exchange !== undefined) found.push({ place, exchange });
    } else if (place.state === 'resolved') {
      const exchange = await readExchange(fs, layout, place);
      const decision = await readResolution(fs, layout, place);
      // With another state folder of the peer it is settled: an operator has looked.
      if (exchange?.peerStateId === stateId && decision !== undefined)
        resolved.push({ id: place.id, decision });
    }
  }
  if (found.length + resolved.length > 0)
    await suspicion.guard(() => fs.syncFolder(layout.role(peer, 'responder')));
  found.sort((one, other) => one.exchange.time - other.exchange.time);
  const own = found.filter(({ exchange }) => exchange.peerStateId === stateId);
  const foreign = found.filter(({ exchange }) => exchange.peerStateId !== stateId);
  const idsIn = (state: RecordPlace['state']): ExchangeId[] =>
    own.filter(({ place }) => place.state === state).map(({ place }) => place.id);
  return {
    inDoubt: idsIn('staged'),
    done: idsIn('done'),
    resolved,
    foreign: foreign.length,
    foreignIndex: foreign.reduce((most, { exchange }) => Math.max(most, exchange.index ?? -1), -1),
    alarms,
  };
}

/** Whether an operator has decided otherwise than the initiator, which both sites are told of from now on. */
async function holdAgainst(
  context: StoreContext,
  place: RecordPlace,
  decision: 'commit' | 'abort',
): Promise<'agreed' | 'overruled' | 'moved-on'> {
  const { fs, layout, suspicion } = context;
  await suspicion.guard(() => unlessGone(fs.syncFolder(recordFolder(layout, place))));
  const resolution = await readResolution(fs, layout, place);
  if (resolution === decision) return 'agreed';
  if (resolution === undefined) return 'moved-on';
  return (await raiseAlarm(context, place, 'contradiction')) ? 'overruled' : 'moved-on';
}

/** Whether only an operator can settle the record: it carries a mark, or cannot be read. */
async function isAlarmed({ fs, layout }: StoreContext, place: RecordPlace): Promise<boolean> {
  if ((await readAlarm(fs, layout, place)) !== undefined) return true;
  const legible = await passingOver('alarm', async () => {
    await readExchange(fs, layout, place);
    if (place.state === 'resolved') await readResolution(fs, layout, place);
    return true;
  });
  return legible !== true;
}
