/** What the records say, read without changing anything: for exit codes and `status`. */
import { QkdSyncError } from '../base/errors.js';
import type { FileSystem } from './file-system.js';
import { highestIndex } from './index-mark.js';
import { ROLES, type Layout } from './layout.js';
import {
  findRecord,
  listRecords,
  pathOf,
  readAlarm,
  readBeta,
  readExchange,
  readResolution,
  type AlarmReason,
  type Exchange,
  type RecordPlace,
} from './record.js';

export interface SurveyedRecord {
  readonly place: RecordPlace;
  /** Undefined where it cannot be read: see `alarm`. */
  readonly exchange: Exchange | undefined;
  /** Whether the key file has been moved into place from here. */
  readonly published: boolean;
  readonly alarm: AlarmReason | 'unreadable' | undefined;
  /** What an operator has decided, where the state is `resolved`. */
  readonly resolution: 'commit' | 'abort' | undefined;
}

/** All records of one peer. */
export async function surveyPeer(fs: FileSystem, layout: Layout, peer: string): Promise<SurveyedRecord[]> {
  const surveyed: SurveyedRecord[] = [];
  for (const role of ROLES) {
    for (const place of await listRecords(fs, layout, peer, role)) {
      const record = await surveyRecord(fs, layout, place);
      if (record !== undefined) surveyed.push(record);
    }
  }
  return surveyed;
}

/** One record; undefined where it has gone meanwhile. */
export async function surveyRecord(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<SurveyedRecord | undefined> {
  const exchange = await partOf(true, () => readExchange(fs, layout, place));
  const key = await fs.stat(pathOf(layout, place, 'key'));
  const isResolved = place.state === 'resolved';
  const resolution = await partOf(isResolved, () => readResolution(fs, layout, place));
  if (isGone(exchange) || (isResolved && isGone(resolution))) {
    // It has moved on since it was listed. Each state comes later than the one before, so this ends.
    const now = await findRecord(fs, layout, place.peer, place.role, place.id);
    return now === undefined ? undefined : await surveyRecord(fs, layout, now);
  }
  const beta = await partOf(hasBeta(place), () => readBeta(fs, layout, place));
  const decided = place.state === 'committed' || place.state === 'done' || resolution.value === 'commit';
  return {
    place,
    exchange: exchange.value,
    published: decided && key === undefined,
    alarm: exchange.damage ?? (await readAlarm(fs, layout, place)) ?? resolution.damage ?? beta.damage,
    resolution: resolution.value,
  };
}

/** Whether a record of this state has beta for good: an initiator writes it right before it decides, and may half have. */
const hasBeta = ({ role, state }: RecordPlace): boolean => role === 'responder' || state === 'committed';

interface Part<T> {
  readonly value: T | undefined;
  readonly damage: 'unreadable' | undefined;
}

const isGone = ({ value, damage }: Part<unknown>): boolean => value === undefined && damage === undefined;

/**
 * What stands in a file of its own: without `exchange.json` nobody knows what the exchange was about, without beta nobody can
 * be told of the decision, and without the resolution nobody knows it; all else of the record is as good as ever.
 */
async function partOf<T>(isThere: boolean, read: () => Promise<T>): Promise<Part<T>> {
  try {
    return { value: isThere ? await read() : undefined, damage: undefined };
  } catch (error) {
    if (!isAlarm(error)) throw error;
    return { value: undefined, damage: 'unreadable' };
  }
}

const isAlarm = (error: unknown): boolean => error instanceof QkdSyncError && error.code === 'alarm';

/** The number of the peer's next file: above the mark, all that has been decided, and all that only an operator can settle. */
export async function nextIndex(fs: FileSystem, layout: Layout, peer: string): Promise<number> {
  // The records are read first: one that goes meanwhile has raised the mark before.
  const held = (await surveyPeer(fs, layout, peer)).filter(
    ({ place, alarm, resolution }) =>
      place.state === 'committed' || place.state === 'done' || resolution === 'commit' || alarm !== undefined,
  );
  const highest = await highestIndex(fs, layout, peer);
  return 1 + held.reduce((most, { exchange }) => Math.max(most, exchange?.index ?? -1), highest);
}
