/**
 * Notes of hooks that are still to be run (docs/protocol.md, "The hook"): one for each key file that is published while a
 * hook is configured, durable before the file is, and gone once its hook has come to its end.
 *
 * So a hook is run at least once, whatever crashes: a file that is in place has its note or its hook has ended. A note is
 * written in its record's folder and renamed into place, so that nobody reads half of one. Its key IDs, of which there
 * may be 33 MB, stand at its end: all else is read without them, and they are read for the one hook that is being run.
 * Errors: Node's.
 */
import { systemCode } from '../base/errors.js';
import { FORMATS, type Format } from '../base/format.js';
import type { KeyId } from '../base/key.js';
import { randomId } from '../base/random.js';
import type { Role } from '../base/site.js';
import type { StoreContext } from './context.js';
import { ensureFolder, moveUnlessGone, unlessGone, writeDurably } from './durable.js';
import type { FileSystem } from './file-system.js';
import { parseHookNoteName, within, type ExchangeId, type Layout } from './layout.js';
import { readSmall, SMALL_FILE_MAX_BYTES, textOf } from './reading.js';
import { EXCHANGE_MAX_BYTES, formatOf, recordFolder, type Exchange, type RecordPlace } from './record.js';

/** Which exchange a note is about. */
export interface NotePlace {
  readonly id: ExchangeId;
  readonly role: Role;
  readonly peer: string;
}

/** A hook that has not come to its end, and all that it is told but the key IDs. */
export interface WaitingHook extends NotePlace {
  /** The key file, absolute. It may have been taken away already. */
  readonly path: string;
  readonly index: number | undefined;
  readonly format: Format;
  /** When the exchange was made, in milliseconds since 1970. */
  readonly time: number;
}

/** What a hook is told. No key bytes. */
export interface HookNote extends WaitingHook {
  readonly keyIds: readonly KeyId[];
}

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
    time,
    // Last: see `withoutKeyIds`.
    keyIds,
  };
  const aside = within(recordFolder(layout, place), randomId(random));
  await ensureFolder(fs, layout.hooks(peer));
  const written =
    (await unlessGone(writeDurably(fs, aside, Buffer.from(`${JSON.stringify(note)}\n`)))) &&
    (await moveUnlessGone(fs, aside, layout.hookNote(place.peer, place.role, place.id)));
  // Otherwise the record has moved on: whoever published it has seen to its note.
  if (written) await fs.syncFolder(layout.hooks(peer));
}

/** Takes a note away, durably: its hook has come to its end, or there is nothing that it could be run for. */
export async function dropNote({ fs, layout }: StoreContext, { peer, role, id }: NotePlace): Promise<void> {
  await unlessGone(fs.unlink(layout.hookNote(peer, role, id)));
  await unlessGone(fs.syncFolder(layout.hooks(peer)));
}

/** The notes of a peer, in no order. What else lies beside them is passed over. */
export async function listNotes(fs: FileSystem, layout: Layout, peer: string): Promise<NotePlace[]> {
  return (await fs.list(layout.hooks(peer))).flatMap((name) => {
    const parsed = parseHookNoteName(name);
    return parsed === undefined ? [] : [{ peer, ...parsed }];
  });
}

/** A note without its key IDs, in little memory; `gone` where its hook has come to its end meanwhile. */
export async function readWaitingHook(
  fs: FileSystem,
  layout: Layout,
  place: NotePlace,
): Promise<WaitingHook | 'gone' | 'damaged'> {
  const start = await fs.readStart(layout.hookNote(place.peer, place.role, place.id), SMALL_FILE_MAX_BYTES);
  if (start === undefined) return 'gone';
  const text = textOf(start);
  // A short one is whole, and is looked at to its end.
  const isShort = start.byteLength < SMALL_FILE_MAX_BYTES;
  const hook = isShort ? noteIn(text, place, layout) : hookIn(parsed(withoutKeyIds(text)), place, layout);
  if (hook !== undefined) return waitingOf(hook);
  if (isShort) return 'damaged';
  // The version before had the time behind the key IDs.
  const note = await readNote(fs, layout, place);
  return typeof note === 'string' ? note : waitingOf(note);
}

function waitingOf({ id, role, peer, path, index, format, time }: WaitingHook): WaitingHook {
  return { id, role, peer, path, index, format, time };
}

/** A whole note. */
export async function readNote(
  fs: FileSystem,
  layout: Layout,
  place: NotePlace,
): Promise<HookNote | 'gone' | 'damaged'> {
  let content: string | undefined;
  try {
    content = await readSmall(fs, layout.hookNote(place.peer, place.role, place.id), EXCHANGE_MAX_BYTES);
  } catch (error) {
    // Larger than any can be.
    if (systemCode(error) === 'EFBIG') return 'damaged';
    throw error;
  }
  if (content === undefined) return 'gone';
  return noteIn(content, place, layout) ?? 'damaged';
}

function noteIn(content: string, place: NotePlace, layout: Layout): HookNote | undefined {
  const value = parsed(content);
  const hook = hookIn(value, place, layout);
  const keyIds = value?.['keyIds'];
  if (hook === undefined || !Array.isArray(keyIds)) return undefined;
  return keyIds.every((keyId): keyId is KeyId => typeof keyId === 'string') ? { ...hook, keyIds } : undefined;
}

/** The object of a note up to its key IDs. A quote within a text of JSON has a backslash, so this stands in none. */
function withoutKeyIds(start: string): string {
  const end = start.indexOf(',"keyIds":[');
  return end < 0 ? start : `${start.slice(0, end)}}`;
}

function parsed(content: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function hookIn(
  value: Readonly<Record<string, unknown>> | undefined,
  { peer, role, id }: NotePlace,
  layout: Layout,
): WaitingHook | undefined {
  const { name, index, format, time } = value ?? {};
  const known = FORMATS.find((candidate) => candidate === format);
  if (typeof name !== 'string' || known === undefined || typeof time !== 'number') return undefined;
  const path = within(layout.peerKeys(peer), name);
  const number = typeof index === 'number' ? index : undefined;
  return { id, role, peer, path, index: number, format: known, time };
}
