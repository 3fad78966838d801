/**
 * What an operator may decide about an exchange whose peer is lost for good, and what follows (docs/protocol.md,
 * "Resolving").
 *
 * Errors: `usage` where there is no such exchange or it may not be decided so, `interrupted` where the operator does
 * not confirm, `busy` where a run has the lock or has settled the exchange meanwhile; those of the store.
 */
import type { Clock } from '../base/clock.js';
import { passingOver, QkdSyncError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Role } from '../base/site.js';
import { sayLost } from '../kme/lost-keys.js';
import type { Lock } from '../store/lock.js';
import type { Exchange } from '../store/record.js';
import type { Choice, FoundRecord, Resolution } from '../store/resolution.js';
import type { Store } from '../store/store.js';
import type { SurveyedRecord } from '../store/survey.js';
import { standingOf, type Standing } from './outcome.js';

/** What is known here of one exchange. */
export interface KnownExchange {
  readonly id: string;
  readonly peer: string;
  readonly role: Role;
  readonly state: string;
  /** Undefined where it needs nobody. */
  readonly standing: Standing | undefined;
  readonly published: boolean;
  /** Why an operator must look, if so. */
  readonly alarm: string | undefined;
  /** What an operator has decided before. */
  readonly resolution: 'commit' | 'abort' | undefined;
  /** Undefined where the record cannot be read. */
  readonly file:
    { readonly name: string; readonly keyIds: readonly string[]; readonly time: number } | undefined;
}

export interface ResolveRequest {
  readonly id: string;
  readonly choice: Choice;
  /** Who decides, for the record of it. */
  readonly by: string;
  readonly lockWaitMs: number;
  /** Shows the operator what is known and what would follow, and answers whether it is to be done. */
  readonly confirm: (known: KnownExchange, consequence: string) => Promise<boolean>;
}

export interface ResolvePorts {
  readonly store: Store;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What has come of a decision. */
export interface Decided {
  /** What is known of the exchange afterwards; undefined where no record is left. */
  readonly after: KnownExchange | undefined;
  /** The choice stands, and this has kept it from being carried out to its end: the next run goes on. */
  readonly unfinished: QkdSyncError | undefined;
}

export async function resolve(
  { id, choice, by, lockWaitMs, confirm }: ResolveRequest,
  { store, lock, clock, log, signal }: ResolvePorts,
): Promise<Decided> {
  await store.open();
  const record = await find(store, id);
  const consequence = consequenceOf(record, choice);
  if (!(await confirm(knownOf(record), consequence))) {
    throw new QkdSyncError('interrupted', 'nothing has been changed');
  }
  const unlock = await lock(store.layout.lock(record.place.peer), lockWaitMs, signal);
  try {
    const now = await store.find(id);
    if (now?.place.state !== record.place.state || now.alarm !== record.alarm) throw movedOn(id);
    const decided = await carryOut(store, now, { choice, by, time: clock.now() });
    sayDestroyed(log, now, choice);
    return decided;
  } finally {
    await unlock();
  }
}

async function carryOut(store: Store, record: FoundRecord, resolution: Resolution): Promise<Decided> {
  const { id } = record.place;
  const { choice } = resolution;
  let isDone = false;
  try {
    isDone = await store.resolve(record, resolution);
    if (!isDone) throw movedOn(id);
    const after = choice === 'forget' ? undefined : await store.find(id);
    return { after: after && knownOf(after), unfinished: undefined };
  } catch (error) {
    if (!(error instanceof QkdSyncError)) throw error;
    const after = isDone ? madeOf(record, choice) : await chosen(store, record, choice, error);
    if (after === undefined) throw error;
    return { after, unfinished: error };
  }
}

/** Names the keys that go into no file now: those of an abort have been named when it was made. */
function sayDestroyed(log: Log, record: FoundRecord, choice: Choice): void {
  const { place, published, resolution, keyIds = [] } = record;
  const { role, state } = place;
  const isAborted = state === 'aborted' || (state === 'resolved' && resolution !== 'commit');
  if (choice === 'commit' || published || isAborted) return;
  const call = role === 'initiator' ? 'enc_keys' : 'dec_keys';
  sayLost(log, { call, keys: keyIds.length, keyIds, why: 'an operator has given up the exchange' });
}

/** What is known of an exchange whose choice stands, where its record cannot be read again. */
function madeOf(record: FoundRecord, choice: Choice): KnownExchange {
  const { role, state } = record.place;
  const resolved = { state: 'resolved', resolution: choice === 'commit' ? 'commit' : 'abort' } as const;
  const made = role === 'responder' ? resolved : { state: 'aborted' };
  return {
    ...knownOf(record),
    ...(state === 'staged' && made),
    standing: choice === 'commit' ? 'pending' : undefined,
  };
}

/** The exchange where the choice stands although carrying it out has failed; undefined where it does not. */
async function chosen(
  store: Store,
  record: FoundRecord,
  choice: Choice,
  error: QkdSyncError,
): Promise<KnownExchange | undefined> {
  const { id, role } = record.place;
  if (error.code === 'suspect') {
    // The records are not to be read any more. What is done before the choice stands leaves no cause, but for removing
    // a record, and for what an initiator finds to be committed.
    const isMade = error.cause !== undefined && (choice === 'commit' || role === 'responder');
    return isMade && choice !== 'forget' ? madeOf(record, choice) : undefined;
  }
  if (error.code !== 'storage') return undefined;
  const now = await passingOver('storage', () => store.find(id));
  return now !== undefined && carries(now, choice) ? knownOf(now) : undefined;
}

/** Whether the record says what the operator has chosen. */
function carries({ place: { state }, resolution }: SurveyedRecord, choice: Choice): boolean {
  switch (choice) {
    case 'commit':
      return state === 'committed' || state === 'done' || resolution === 'commit';
    case 'abort':
      return state === 'aborted' || resolution === 'abort';
    case 'forget':
      return false;
  }
}

function knownOf(record: FoundRecord): KnownExchange {
  const { place, exchange, keyIds = [], published, alarm, resolution } = record;
  const file = exchange && { name: exchange.name, keyIds, time: exchange.time };
  return { ...place, standing: standingOf(record), published, alarm, resolution, file };
}

const movedOn = (id: string): QkdSyncError =>
  new QkdSyncError('busy', `exchange ${id} has moved on meanwhile: this choice has not been carried out`, {
    hint: "look at 'qkd-sync status' again",
  });

async function find(store: Store, id: string): Promise<FoundRecord> {
  const record = await store.find(id);
  if (record !== undefined) return record;
  throw new QkdSyncError('usage', `there is no exchange ${id} here`, {
    hint: "'qkd-sync status' lists what is open",
  });
}

/** What the choice would do, for the operator to confirm. Error: `usage` where the record does not allow it. */
export function consequenceOf(record: SurveyedRecord, choice: Choice): string {
  if (choice === 'forget') return consequenceOfForget(record);
  const { place, alarm, exchange, published, resolution } = record;
  const { role, state, peer } = place;
  const file = exchange?.name ?? '?';
  if (alarm !== undefined && alarm !== 'name-taken') {
    throw refused(`it is in alarm (${alarm})`, 'look at both sites, then use --forget on each');
  }
  if (role === 'initiator' && state === 'staged') {
    if (choice === 'abort') return `the exchange is aborted, and no file ${file} is saved`;
    throw refused(`it is not known here that ${peer} has voted for it`, 'use --abort');
  }
  if (state === 'committed' && (role === 'initiator' || alarm === 'name-taken')) {
    if (choice === 'commit') return `${file} is put in place, and the record stays until ${peer} confirms`;
    throw refused(`it is committed, and ${peer} may have saved it`, 'use --commit, or let it settle');
  }
  if (resolution === 'commit' && !published && choice === 'commit') {
    return `${file} is put in place, and the record stays until ${peer} has agreed`;
  }
  if (role === 'responder' && state === 'staged') {
    return choice === 'commit'
      ? `${file} is put in place here; if ${peer} has aborted the exchange, it has no such file`
      : `the key is destroyed here; if ${peer} has committed the exchange, it has a file that this site has not`;
  }
  throw refused(`it is ${state} already`, "see 'qkd-sync status'");
}

function consequenceOfForget({ place, alarm, published, exchange, resolution }: SurveyedRecord): string {
  const { id, role, state, peer } = place;
  // What is done here may never be heard of again: a peer whose folder of state is a new one does not know of it.
  if (alarm === undefined && state !== 'resolved' && state !== 'done') {
    throw refused(
      `it is ${state} and not in alarm`,
      'let it settle at the next contact; --forget is for what cannot',
    );
  }
  const its = `its key file${exchange === undefined ? '' : ` (${nameAtPeer(exchange)})`}`;
  const destroyed = 'the record is removed, and the key in it, if there is one, is destroyed';
  if (state === 'resolved' && resolution === undefined) {
    return `${destroyed}; nobody can read whether ${exchange?.name ?? 'the key file'} was put in place here, and ${peer} may have saved ${its}: see that neither site has what the other has not`;
  }
  if (!published) {
    return `${destroyed}; ${peer} may have saved ${its}: see that it is deleted there too`;
  }
  const stays = `the record is removed; the key file ${exchange?.name ?? '?'} stays as it is`;
  // Nobody knows of the commit any more then, and whoever asks is told to abort.
  return role === 'initiator'
    ? `${stays}; if ${peer} is still in doubt, it will be told to abort, and will not have ${its}: where 'qkd-sync status' there says so, first run 'qkd-sync resolve ${id}' there with --commit, then with --forget`
    : `${stays}; if ${peer} has not finished the exchange, it will say alarm (unknown-to-peer), and may not have saved ${its}`;
}

/** How the peer's file is told from others: it bears the name of this site, or another format. */
function nameAtPeer({ index, name }: Exchange): string {
  return index === undefined ? `${name}, whatever its extension` : `number ${index}`;
}

function refused(why: string, hint: string): QkdSyncError {
  return new QkdSyncError('usage', `the exchange cannot be resolved so: ${why}`, { hint });
}
