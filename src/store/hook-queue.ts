/**
 * The hooks of a peer that have not come to their end (docs/protocol.md, "The hook"): which of them are to be run now, and in
 * which order; and what an operator may know of them.
 *
 * Calling sequence, under the lock of the peer's hooks: `dueHooks`; for each of them `readHook` and, once it has come to
 * its end, `dropNote`; and again until none is due. `waitingHooks` at any time: it changes nothing.
 * However many wait, only so many are held in memory, and none of their key IDs. Errors: Node's.
 */
import type { StoreContext } from './context.js';
import type { FileSystem } from './file-system.js';
import {
  dropNote,
  listNotes,
  readNote,
  readWaitingHook,
  type HookNote,
  type NotePlace,
  type WaitingHook,
} from './hook-note.js';
import type { ExchangeId, Layout } from './layout.js';
import { syncKeyFiles } from './publish.js';
import { findRecord } from './record.js';
import { surveyRecord } from './survey.js';

/** The most hooks that are named at a time. */
export const HOOKS_AT_ONCE = 1_024;

/**
 * How a hook stands. `due`: it is run at the next contact, or is being run; `early`: its key file is not in place yet;
 * `unreadable`: its note was damaged after it had been written, so it is not run. Of a long note only the start is looked
 * at before its turn comes.
 */
export type HookStanding = 'due' | 'early' | 'unreadable';

export interface QueuedHook extends NotePlace {
  readonly standing: HookStanding;
  /** Undefined where it is `unreadable`. */
  readonly hook: WaitingHook | undefined;
}

export interface HookQueue {
  /** Some of them, `HOOKS_AT_ONCE` at most, in the order of their files; those that cannot be read come last. */
  readonly hooks: readonly QueuedHook[];
  /** How many there are besides. */
  readonly more: number;
}

/**
 * The hooks that are to be run now, in the order of their files, `HOOKS_AT_ONCE` at most; drops the notes of what will
 * never be published.
 * @param passedOver not looked at; those whose note cannot be read are added, so that it is said once
 */
export async function dueHooks(
  context: StoreContext,
  peer: string,
  passedOver = new Set<ExchangeId>(),
): Promise<WaitingHook[]> {
  const { fs, layout, suspicion } = context;
  const due: WaitingHook[] = [];
  for (const place of await listNotes(fs, layout, peer)) {
    if (passedOver.has(place.id)) continue;
    const fate = await fateOf(fs, layout, place);
    if (fate === 'never') await dropNote(context, place);
    if (fate !== 'published') continue;
    const hook = await readWaitingHook(fs, layout, place);
    if (hook === 'damaged') {
      sayDamaged(context, place);
      passedOver.add(place.id);
    } else if (hook !== 'gone') {
      due.push(hook);
    }
    if (due.length >= 2 * HOOKS_AT_ONCE) keepFirst(due);
  }
  if (due.length > 0) {
    // Who moved the file may have been killed before it could make that durable.
    await suspicion.guard(() => syncKeyFiles(fs, layout, peer));
  }
  return keepFirst(due);
}

/** All that a hook is told; undefined where it is not to be run: it has come to its end meanwhile, or cannot be read. */
export async function readHook(context: StoreContext, place: NotePlace): Promise<HookNote | undefined> {
  const note = await readNote(context.fs, context.layout, place);
  if (note === 'damaged') sayDamaged(context, place);
  return typeof note === 'string' ? undefined : note;
}

/** What waits for a peer, read without changing anything. */
export async function waitingHooks(fs: FileSystem, layout: Layout, peer: string): Promise<HookQueue> {
  const places = await listNotes(fs, layout, peer);
  const hooks: QueuedHook[] = [];
  for (const place of places.slice(0, HOOKS_AT_ONCE)) {
    const fate = await fateOf(fs, layout, place);
    const hook = fate === 'never' ? 'gone' : await readWaitingHook(fs, layout, place);
    if (hook === 'gone') continue;
    if (hook === 'damaged') hooks.push({ ...place, standing: 'unreadable', hook: undefined });
    else hooks.push({ ...place, standing: fate === 'published' ? 'due' : 'early', hook });
  }
  hooks.sort(({ hook: one }, { hook: other }) => {
    return one && other ? byNumber(one, other) : Number(one === undefined) - Number(other === undefined);
  });
  return { hooks, more: Math.max(0, places.length - HOOKS_AT_ONCE) };
}

/** What has become of the key file. A record without its file goes only together with its note. */
async function fateOf(
  fs: FileSystem,
  layout: Layout,
  { peer, role, id }: NotePlace,
): Promise<'published' | 'open' | 'never'> {
  const place = await findRecord(fs, layout, peer, role, id);
  const record = place && (await surveyRecord(fs, layout, place));
  if (record === undefined || record.published) return 'published';
  return record.place.state === 'aborted' || record.resolution === 'abort' ? 'never' : 'open';
}

function sayDamaged({ layout, log }: StoreContext, { peer, role, id }: NotePlace): void {
  log('warn', 'note-damaged', `cannot read ${layout.hookNote(peer, role, id)}: its hook is not run`, {
    exchange: id,
    hint: 'do what the hook should have done, and delete this file',
  });
}

/** Sorts them and leaves those that come first. */
function keepFirst(hooks: WaitingHook[]): WaitingHook[] {
  hooks.sort(byNumber);
  hooks.splice(HOOKS_AT_ONCE);
  return hooks;
}

/** Files that have no number come after those that have one, in the order of their time. */
function byNumber(one: WaitingHook, other: WaitingHook): number {
  const [n, m] = [one.index ?? Infinity, other.index ?? Infinity];
  return n === m ? one.time - other.time : n - m;
}
