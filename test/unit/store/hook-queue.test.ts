/** The hooks that wait for a peer: in order, in bounded memory, and seen without anything being changed. */
import { afterEach, describe, expect, it, jest, test } from '@jest/globals';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Role } from '../../../src/base/site.js';
import { HOOKS_AT_ONCE } from '../../../src/store/hook-queue.js';
import { isChange } from '../../support/scripted-file-system.js';
import {
  BETA,
  exchangeOf,
  ID,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

jest.setTimeout(120_000);
afterEach(removeStoreFolders);

const HOOKED = { hooked: true, reallySync: false } as const;
/** As many as fit into no variable, and into no start of a file. */
const KEY_IDS = Array.from({ length: 65_536 }, (_, n) => `bc490419-7d60-487f-adc1-${n + 1e11}`);

const idOf = (n: number): string => n.toString(16).padStart(32, '0');

/** A note whose record has gone: its hook is due. */
async function putNote({ layout }: StoreFolder, n: number, changes: object = {}): Promise<void> {
  const path = layout.hookNote(PEER, 'initiator', idOf(n));
  const note = { name: `B_${n}`, index: n, format: 'hex', time: n, keyIds: ['k'], ...changes };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

/** The notes that were read, and how. */
const reads = ({ fs }: Process): string[] =>
  fs.done
    .filter(({ name, path }) => name.startsWith('read') && path.includes('/hooks/'))
    .map(({ name }) => name);

async function save({ store }: Process, role: Role): Promise<void> {
  await stage({ store }, exchangeOf({ role, keyIds: KEY_IDS }));
  if (role === 'responder') {
    await store.commit(PEER, ID, BETA);
  } else {
    await store.decide(PEER, ID, BETA);
    await store.finish(ID);
  }
}

test('key IDs are not read before a hook is run, nor to show that it waits', async () => {
  const folder = await makeStoreFolder();
  await save(await folder.open(HOOKED), 'initiator');
  const process = await folder.open(HOOKED);
  const [due] = await process.store.dueHooks(PEER);
  expect(due).not.toHaveProperty('keyIds');
  expect((await process.store.waitingHooks(PEER)).hooks).toMatchObject([{ id: ID, standing: 'due' }]);
  expect(reads(process)).toEqual(['readStart', 'readStart']);
  if (due === undefined) throw new Error('nothing is due');
  expect(await process.store.readHook(due)).toEqual({ ...due, keyIds: KEY_IDS });
});

test('a short note is looked at to its end, so that nobody says that it waits where it is damaged', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open(HOOKED);
  await putNote(folder, 1);
  const path = folder.layout.hookNote(PEER, 'initiator', idOf(1));
  const note = await readFile(path, 'utf8');
  for (const damaged of [note.slice(0, -4), note.replace('["k"]', '[17]')]) {
    await writeFile(path, damaged);
    expect((await process.store.waitingHooks(PEER)).hooks).toMatchObject([{ standing: 'unreadable' }]);
    expect(await process.store.dueHooks(PEER)).toEqual([]);
  }
});

test('a name cannot pass for the beginning of the key IDs', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open(HOOKED);
  const name = ',"keyIds":["x';
  await putNote(folder, 1, { name });
  expect(await process.store.dueHooks(PEER)).toMatchObject([{ path: join(folder.layout.keys, PEER, name) }]);
  expect(reads(process)).toEqual(['readStart']);
});

test('a note of the version before, with its time behind the key IDs, is due as ever', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open(HOOKED);
  await save(process, 'responder');
  const path = folder.layout.hookNote(PEER, 'responder', ID);
  const { time, ...note } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, `${JSON.stringify({ ...note, time })}\n`);
  const [due] = await process.store.dueHooks(PEER);
  expect(due).toMatchObject({ id: ID, time: 1 });
  expect(due).not.toHaveProperty('keyIds');
});

test('of very many the first are due, in the order of their files, and then the next', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open(HOOKED);
  const count = 2 * HOOKS_AT_ONCE + 3;
  // In the folder's own order they lie anyhow; the last is made first.
  for (let n = count - 1; n >= 0; n -= 1) await putNote(folder, n);
  const indices = async (): Promise<unknown[]> =>
    (await process.store.dueHooks(PEER)).map(({ index }) => index);
  const first = Array.from({ length: HOOKS_AT_ONCE }, (_, n) => n);
  expect(await indices()).toEqual(first);
  for (const n of first) await rm(folder.layout.hookNote(PEER, 'initiator', idOf(n)));
  expect(await indices()).toEqual(first.map((n) => n + HOOKS_AT_ONCE));

  const { hooks, more } = await process.store.waitingHooks(PEER);
  expect([hooks.length, more]).toEqual([HOOKS_AT_ONCE, 3]);
  const shown = hooks.map(({ hook }) => hook?.index ?? -1);
  expect(shown).toEqual([...shown].sort((one, other) => one - other));
});

describe('a damaged note', () => {
  it('is seen so at its turn where it is long and its key IDs cannot be read, and keeps no other from being run', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open(HOOKED);
    await putNote(folder, 1, { keyIds: KEY_IDS.slice(0, 200) });
    await putNote(folder, 2);
    const path = folder.layout.hookNote(PEER, 'initiator', idOf(1));
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, -4));
    const [damaged] = await process.store.dueHooks(PEER);
    if (damaged === undefined) throw new Error('nothing is due');
    expect(await process.store.readHook(damaged)).toBeUndefined();
    expect(process.said).toMatchObject([{ event: 'note-damaged', fields: { exchange: idOf(1) } }]);
    const due = await process.store.dueHooks(PEER, new Set([damaged.id]));
    expect(due.map(({ id }) => id)).toEqual([idOf(2)]);
  });

  it('may be larger than any note can be', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open(HOOKED);
    await putNote(folder, 1);
    await writeFile(folder.layout.hookNote(PEER, 'initiator', idOf(2)), Buffer.alloc(40_000_000));
    expect((await process.store.dueHooks(PEER)).map(({ id }) => id)).toEqual([idOf(1)]);
    expect(process.said.map(({ event }) => event)).toEqual(['note-damaged']);
  });
});

describe('what waits is seen', () => {
  test('as what it is: due, too early, not readable', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open(HOOKED);
    await putNote(folder, 3);
    await putNote(folder, 2);
    await writeFile(folder.layout.hookNote(PEER, 'initiator', idOf(1)), '{', { mode: 0o600 });
    await stage(process, exchangeOf({ index: 9, name: 'B_9' }));
    await process.store.decide(PEER, ID, BETA);
    await mkdir(join(folder.layout.keys, PEER), { recursive: true, mode: 0o700 });
    await writeFile(join(folder.layout.keys, PEER, 'B_9'), 'alien', { mode: 0o600 });
    await process.store.finish(ID);
    const { hooks, more } = await process.store.waitingHooks(PEER);
    expect(more).toBe(0);
    expect(hooks.map(({ id, standing }) => [id, standing])).toEqual([
      [idOf(2), 'due'],
      [idOf(3), 'due'],
      [ID, 'early'],
      [idOf(1), 'unreadable'],
    ]);
  });

  test('without anything being changed, also where a note is to be dropped', async () => {
    const folder = await makeStoreFolder();
    const before = await folder.open(HOOKED);
    await putNote(folder, 1);
    await stage(before, exchangeOf());
    await before.store.judge(ID);
    await stage(before, exchangeOf({ role: 'responder', id: idOf(7), index: 7, name: 'B_7' }));
    const own = folder.layout.hookNote(PEER, 'initiator', idOf(1));
    await writeFile(folder.layout.hookNote(PEER, 'initiator', ID), await readFile(own), { mode: 0o600 });
    // Not yet cleared away.
    expect(await before.store.survey(PEER)).toMatchObject([{ place: { state: 'aborted' } }, {}]);
    const tree = await folder.tree();

    const process = folder.start();
    const { hooks } = await process.store.waitingHooks(PEER);
    expect(hooks.map(({ id }) => id)).toEqual([idOf(1)]);
    expect(await process.store.waitingHooks('nobody')).toEqual({ hooks: [], more: 0 });
    expect(process.fs.done.filter(isChange)).toEqual([]);
    expect(await folder.tree()).toEqual(tree);
  });
});
