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
  try {
    const exchange = await readExchange(fs, layout, place);
    if (exchange === undefined) {
      // It has moved on since it was listed. Each state comes later than the one before, so this ends.
      const now = await findRecord(fs, layout, place.peer, place.role, place.id);
      return now === undefined ? undefined : await surveyRecord(fs, layout, now);
    }
    const key = await fs.stat(pathOf(layout, place, 'key'));
    const resolution = place.state === 'resolved' ? await readResolution(fs, layout, place) : undefined;
    const decided = place.state === 'committed' || place.state === 'done' || resolution === 'commit';
    return {
      place,
      exchange,
      published: decided && key === undefined,
      alarm: (await readAlarm(fs, layout, place)) ?? (await damageOfBeta(fs, layout, place)),
      resolution,
    };
  } catch (error) {
    if (!isAlarm(error)) throw error;
    return { place, exchange: undefined, published: false, alarm: 'unreadable', resolution: undefined };
  }
}

/**
 * Without beta nobody can be told of the decision; all else of the record is as good as ever. An initiator writes it
 * right before it decides, so that until then it may be half written.
 */
async function damageOfBeta(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<'unreadable' | undefined> {
  if (place.role === 'initiator' && place.state !== 'committed') return undefined;
  try {
    await readBeta(fs, layout, place);
    return undefined;
  } catch (error) {
    if (!isAlarm(error)) throw error;
    return 'unreadable';
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
