/**
 * Notes of hooks that are still to be run (docs/protocol.md, "The hook"): one for each key file that is published while a
 * hook is configured, durable before the file is, and gone once its hook has come to its end.
 *
 * So a hook is run at least once, whatever crashes: a file that is in place has its note or its hook has ended. A note is
 * written in its record's folder and renamed into place, so that nobody reads half of one.
 * Errors: Node's.
 */
import { FORMATS, type Format } from '../base/format.js';
import type { KeyId } from '../base/key.js';
import { randomId } from '../base/random.js';
import type { Role } from '../base/site.js';
import type { StoreContext } from './context.js';
import { ensureFolder, unlessGone, writeDurably } from './durable.js';
import { parseHookNoteName, within, type ExchangeId, type Layout } from './layout.js';
import { readSmall } from './reading.js';
import {
  EXCHANGE_MAX_BYTES,
  findRecord,
  formatOf,
  recordFolder,
  type Exchange,
  type RecordPlace,
} from './record.js';
import { surveyRecord } from './survey.js';

/** What a hook is told. No key bytes. */
export interface HookNote {
  readonly id: ExchangeId;
  readonly role: Role;
  readonly peer: string;
  /** The key file, absolute. It may have been taken away already. */
  readonly path: string;
  readonly index: number | undefined;
  readonly format: Format;
  readonly keyIds: readonly KeyId[];
  /** When the exchange was made, in milliseconds since 1970. */
  readonly time: number;
}

/** Which exchange a note is about. */
type NotePlace = Pick<RecordPlace, 'peer' | 'role' | 'id'>;

/** Makes the note of an exchange that is decided and about to be published, durably. */
export async function noteHook(
  { fs, layout, random }: StoreContext,
  place: RecordPlace,
  { id, role, peer, name, index, time, ...rest }: Exchange,
  keyIds: readonly KeyId[],
): Promise<void> {
  const note = {
    id,
    role,
    peer,
    name,
    ...(index !== undefined && { index }),
    format: formatOf(rest),
    keyIds,
    time,
  };
  const aside = within(recordFolder(layout, place), randomId(random));
  await ensureFolder(fs, layout.hooks(peer));
  const written =
    (await unlessGone(writeDurably(fs, aside, Buffer.from(`${JSON.stringify(note)}\n`)))) &&
    (await unlessGone(fs.rename(aside, layout.hookNote(place.peer, place.role, place.id))));
  // Otherwise the record has moved on: whoever published it has seen to its note.
  if (written) await fs.syncFolder(layout.hooks(peer));
}

/** Takes a note away, durably: its hook has come to its end, or there is nothing that it could be run for. */
export async function dropNote({ fs, layout }: StoreContext, { peer, role, id }: NotePlace): Promise<void> {
  await unlessGone(fs.unlink(layout.hookNote(peer, role, id)));
  await unlessGone(fs.syncFolder(layout.hooks(peer)));
}

/** The hooks of a peer that are to be run now, in the order of their files; drops what will never be published. */
export async function dueHooks(context: StoreContext, peer: string): Promise<HookNote[]> {
  const { fs, layout, log, suspicion } = context;
  const due: HookNote[] = [];
  for (const name of await fs.list(layout.hooks(peer))) {
    const parsed = parseHookNoteName(name);
    if (parsed === undefined) continue;
    const place = { peer, ...parsed };
    const fate = await fateOf(context, place);
    if (fate === 'never') await dropNote(context, place);
    if (fate !== 'published') continue;
    const content = await readSmall(fs, layout.hookNote(peer, place.role, place.id), EXCHANGE_MAX_BYTES);
    if (content === undefined) continue;
    const note = parseNote(content, place, layout);
    if (note !== undefined) due.push(note);
    else log('warn', 'note-damaged', `cannot read ${within(layout.hooks(peer), name)}: its hook is not run`);
  }
  if (due.length > 0) {
    // Who moved the file may have been killed before it could make that durable.
    await suspicion.guard(async () => {
      for (const folder of [layout.keys, layout.peerKeys(peer)]) await unlessGone(fs.syncFolder(folder));
    });
  }
  return due.sort(byNumber);
}

/** What has become of the key file. A record without its file goes only together with its note. */
async function fateOf(
  { fs, layout }: StoreContext,
  { peer, role, id }: NotePlace,
): Promise<'published' | 'open' | 'never'> {
  const place = await findRecord(fs, layout, peer, role, id);
  const record = place && (await surveyRecord(fs, layout, place));
  if (record === undefined || record.published) return 'published';
  return record.place.state === 'aborted' || record.resolution === 'abort' ? 'never' : 'open';
}

/** Files that have no number come after those that have one, in the order of their time. */
function byNumber(one: HookNote, other: HookNote): number {
  const [n, m] = [one.index ?? Infinity, other.index ?? Infinity];
  return n === m ? one.time - other.time : n - m;
}

function parseNote(content: string, { peer, role, id }: NotePlace, layout: Layout): HookNote | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, index, format, keyIds, time } = value as Readonly<Record<string, unknown>>;
  const known = FORMATS.find((candidate) => candidate === format);
  if (typeof name !== 'string' || known === undefined || typeof time !== 'number') return undefined;
  if (!Array.isArray(keyIds) || !keyIds.every((keyId): keyId is KeyId => typeof keyId === 'string'))
    return undefined;
  const number = typeof index === 'number' ? index : undefined;
  return {
    id,
    role,
    peer,
    path: within(layout.peerKeys(peer), name),
    index: number,
    format: known,
    keyIds,
    time,
  };
}
