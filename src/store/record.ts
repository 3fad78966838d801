/**
 * The record of one exchange on one site: a folder whose name holds its ID and its state (docs/protocol.md, "Records").
 *
 * A state changes by one rename of the folder, so of two processes that decide at the same instant exactly one
 * wins; the loser is told so and reads again. Errors are Node's, but for `alarm`: a record that cannot be read.
 */
import { QkdSyncError, systemCode } from '../base/errors.js';
import { FORMATS, type Format } from '../base/format.js';
import { randomId } from '../base/random.js';
import type { Role } from '../base/site.js';
import type { StoreContext } from './context.js';
import { unlessGone, writeDurably } from './durable.js';
import type { FileSystem } from './file-system.js';
import {
  parseRecordName,
  RECORD_FILE,
  STATES_OF,
  within,
  type ExchangeId,
  type Layout,
  type RecordState,
} from './layout.js';
import { readSmall, SMALL_FILE_MAX_BYTES } from './reading.js';

/** What `exchange.json` holds: all of an exchange but its keys and, in a file of their own (see key-ids.ts), their IDs. */
export interface Exchange {
  readonly id: ExchangeId;
  readonly role: Role;
  /** The peer's site ID. */
  readonly peer: string;
  /** Which state folder of the peer this exchange was made with. */
  readonly peerStateId: string;
  /** Bits of each key. */
  readonly size: number;
  /** What `key` looks like; absent in records of the first versions, which knew hex only: see `formatOf`. */
  readonly format?: Format;
  /** The name that the key file gets in the peer's folder of keys. */
  readonly name: string;
  /** n of `naming: index`; absent where files are named by key ID. */
  readonly index?: number;
  /** A's nonce of SYN, a decimal number. */
  readonly alpha: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Where a record is: the folder that holds it was of this name when it was looked at. */
export interface RecordPlace {
  readonly peer: string;
  readonly role: Role;
  readonly id: ExchangeId;
  readonly state: RecordState;
}

/** Why an operator must look: the sites contradict each other, or the file's name is taken by a file that is not ours. */
export type AlarmReason = 'unknown-to-peer' | 'contradiction' | 'name-taken';

const ALARM_REASONS: readonly AlarmReason[] = ['unknown-to-peer', 'contradiction', 'name-taken'];

/**
 * The most that is ever written of an exchange into one file, as the version before did into `exchange.json`: 65,536 key
 * IDs of 256 bytes, each byte at worst one escape of two, and the rest.
 */
export const EXCHANGE_MAX_BYTES = 65_536 * (2 * 256 + 3) + 16_384;

/** How often a record is read again after a lost race; more changes of one record than there are states cannot happen. */
export const RECORD_TRIES = 8;

const bytes = (value: string): Uint8Array => Buffer.from(value, 'utf8');

export function encodeExchange(exchange: Exchange): Uint8Array {
  return bytes(`${JSON.stringify(exchange)}\n`);
}

export function formatOf({ format = 'hex' }: Pick<Exchange, 'format'>): Format {
  return format;
}

/** Reads `exchange.json`; undefined where the record has moved on meanwhile. */
export async function readExchange(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<Exchange | undefined> {
  const content = await readBounded(fs, pathOf(layout, place, 'exchange'), EXCHANGE_MAX_BYTES);
  // A record that is still there without its exchange.json has not moved on: it must not pass for one that is finished.
  if (content === undefined && (await fs.stat(recordFolder(layout, place))) === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(content ?? '');
  } catch {
    parsed = undefined;
  }
  if (isExchange(parsed, place)) return parsed;
  throw damaged(place, pathOf(layout, place, 'exchange'));
}

function damaged({ id, peer }: RecordPlace, path: string): QkdSyncError {
  return new QkdSyncError('alarm', `record ${id} of peer ${peer} cannot be read`, {
    hint: `look at ${path}: it was damaged after it had been written`,
  });
}

/** One that is larger than any can be is as good as an empty one. */
async function readBounded(fs: FileSystem, path: string, maxBytes: number): Promise<string | undefined> {
  try {
    return await readSmall(fs, path, maxBytes);
  } catch (error) {
    if (systemCode(error) === 'EFBIG') return '';
    throw error;
  }
}

/** A record that is there at every look and yet never whole. */
export function restless(id: ExchangeId): QkdSyncError {
  return new QkdSyncError('alarm', `record ${id} is not whole`, {
    hint: 'look at its folder: a file of it has gone since it was written',
  });
}

function isExchange(value: unknown, place: RecordPlace): value is Exchange {
  if (typeof value !== 'object' || value === null) return false;
  const has = (key: keyof Exchange, type: string): boolean =>
    key in value && typeof (value as Record<string, unknown>)[key] === type;
  const exchange = value as Partial<Exchange>;
  return (
    exchange.id === place.id &&
    exchange.role === place.role &&
    exchange.peer === place.peer &&
    has('peerStateId', 'string') &&
    has('size', 'number') &&
    (exchange.format === undefined || FORMATS.includes(exchange.format)) &&
    has('name', 'string') &&
    (exchange.index === undefined || Number.isSafeInteger(exchange.index)) &&
    has('alpha', 'string') &&
    has('time', 'number')
  );
}

const BETA = /^\d{1,39}$/;

/** B's nonce, a decimal number; undefined where the record has none yet, or has moved on. */
export async function readBeta(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<string | undefined> {
  const path = pathOf(layout, place, 'beta');
  const beta = await readBounded(fs, path, SMALL_FILE_MAX_BYTES);
  if (beta === undefined || BETA.test(beta)) return beta;
  throw damaged(place, path);
}

/** Makes beta durable in the record; false where the record has moved on, or another process is deciding on it. */
export async function writeBeta(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
  beta: string,
): Promise<boolean> {
  const folder = recordFolder(layout, place);
  try {
    const written = await unlessGone(writeDurably(fs, within(folder, RECORD_FILE.beta), bytes(beta)));
    return written && (await unlessGone(fs.syncFolder(folder)));
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Marks the record: it stays, and every exit says so, until an operator has looked. False where it has moved on. The mark
 * is made aside and linked into place, whole: by half of one nobody could tell that it may be taken away again. The first
 * mark stays, unless it says no more than that the name is taken: that will pass, and the key be published.
 */
export async function raiseAlarm(
  { fs, layout, random }: Pick<StoreContext, 'fs' | 'layout' | 'random'>,
  place: RecordPlace,
  reason: AlarmReason,
): Promise<boolean> {
  const folder = recordFolder(layout, place);
  const aside = within(folder, randomId(random));
  try {
    if (!(await unlessGone(writeDurably(fs, aside, bytes(reason))))) return false;
    return (await putMark(fs, layout, place, reason, aside)) && (await unlessGone(fs.syncFolder(folder)));
  } finally {
    // What is left there goes with the record, and must not hide what failed before.
    await fs.unlink(aside).catch(() => undefined);
  }
}

/** Puts the mark in place, unless one stands that says as much; false where the record has moved on. */
async function putMark(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
  reason: AlarmReason,
  aside: string,
): Promise<boolean> {
  const mark = pathOf(layout, place, 'alarm');
  try {
    return await unlessGone(fs.link(aside, mark));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  if (reason === 'name-taken') return true;
  const standing = await readAlarm(fs, layout, place);
  // None any more: the name is free again.
  const isGrave = standing !== undefined && standing !== 'name-taken';
  return isGrave || unlessGone(fs.rename(aside, mark));
}

export async function readAlarm(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<AlarmReason | undefined> {
  const found = await readBounded(fs, pathOf(layout, place, 'alarm'), SMALL_FILE_MAX_BYTES);
  // One that was damaged is still a mark.
  return found === undefined
    ? undefined
    : (ALARM_REASONS.find((reason) => reason === found) ?? 'contradiction');
}

/** What an operator has decided about a vote; undefined where the record has moved on. Error: `alarm`. */
export async function readResolution(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<'commit' | 'abort' | undefined> {
  const path = pathOf(layout, place, 'resolution');
  const found = await readBounded(fs, path, SMALL_FILE_MAX_BYTES);
  if (found === 'commit' || found === 'abort') return found;
  if (found === undefined && (await fs.stat(recordFolder(layout, place))) === undefined) return undefined;
  throw damaged(place, path);
}

/** Changes the record's state; false where another process was faster. Not yet durable. */
export function changeState(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
  to: RecordState,
): Promise<boolean> {
  return unlessGone(fs.rename(recordFolder(layout, place), recordFolder(layout, { ...place, state: to })));
}

export function recordFolder(layout: Layout, place: RecordPlace): string {
  return layout.record(place.peer, place.role, place.id, place.state);
}

/** All records of one peer in one role. */
export async function listRecords(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  role: Role,
): Promise<RecordPlace[]> {
  const names = await fs.list(layout.role(peer, role));
  return names.flatMap((name) => {
    const parsed = parseRecordName(name);
    return parsed === undefined ? [] : [{ peer, role, ...parsed }];
  });
}

/**
 * One record by its ID. States are tried in the order in which records pass through them, so a record that moves
 * on meanwhile is still met.
 */
export async function findRecord(
  fs: FileSystem,
  layout: Layout,
  peer: string,
  role: Role,
  id: ExchangeId,
): Promise<RecordPlace | undefined> {
  for (const state of STATES_OF[role]) {
    const place: RecordPlace = { peer, role, id, state };
    if ((await fs.stat(recordFolder(layout, place))) !== undefined) return place;
  }
  return undefined;
}

export function pathOf(layout: Layout, place: RecordPlace, file: keyof typeof RECORD_FILE): string {
  return within(recordFolder(layout, place), RECORD_FILE[file]);
}
