/** Records of the version before, which had the key IDs in exchange.json and no format, settle as all others do. */
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Role } from '../../../src/base/site.js';
import type { RecordState } from '../../../src/store/layout.js';
import {
  BETA,
  CONTENT,
  exchangeOf,
  ID,
  keyFiles,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

/** More than fit into the few KB of an exchange.json of today. */
const KEY_IDS = Array.from({ length: 1_000 }, (_, n) => `bc490419-7d60-487f-adc1-${n + 1e11}`);
const SAVED = { 'B/B_0': CONTENT.toString() };
const HOOKED = { hooked: true } as const;

/** Makes the record look as the version before wrote it. */
async function makeEarlier({ layout }: StoreFolder, role: Role, state: RecordState): Promise<void> {
  const record = layout.record(PEER, role, ID, state);
  const [exchange, keyIds] = [join(record, 'exchange.json'), join(record, 'key-ids.json')];
  const { format, ...content } = JSON.parse(await readFile(exchange, 'utf8')) as Record<string, unknown>;
  expect(format).toBe('hex');
  await writeFile(exchange, `${JSON.stringify({ ...content, keyIds: KEY_IDS })}\n`);
  await unlink(keyIds);
}

async function staged(role: Role): Promise<{ folder: StoreFolder; process: Process }> {
  const folder = await makeStoreFolder();
  await stage(await folder.open(), exchangeOf({ role, format: 'hex', keyIds: KEY_IDS }));
  await makeEarlier(folder, role, 'staged');
  return { folder, process: await folder.open(HOOKED) };
}

async function expectSaved({ layout }: StoreFolder, { store, published }: Process): Promise<void> {
  expect(await keyFiles(layout)).toEqual(SAVED);
  expect(published).toMatchObject([{ id: ID, index: 0, keyIds: KEY_IDS }]);
  expect(await store.survey(PEER)).toEqual([]);
  expect(await store.nextIndex(PEER)).toBe(1);
  const [hook, ...more] = await store.dueHooks(PEER);
  expect(more).toEqual([]);
  expect(await store.readHook({ id: ID, role: hook?.role ?? 'initiator', peer: PEER })).toMatchObject({
    id: ID,
    format: 'hex',
    keyIds: KEY_IDS,
  });
}

describe('at the initiator', () => {
  it('what was staged is aborted, and its keys are known', async () => {
    const { folder, process } = await staged('initiator');
    const { store } = process;
    expect(await store.find(ID)).toMatchObject({ alarm: undefined, keyIds: KEY_IDS });
    await store.redo(PEER);
    expect(await store.survey(PEER)).toMatchObject([{ place: { state: 'aborted' }, alarm: undefined }]);
    await store.cleanUp(PEER);
    expect(await store.survey(PEER)).toEqual([]);
    expect(await store.isNameFree(PEER, 'B_0')).toBe(true);
    expect(await keyFiles(folder.layout)).toEqual({});
  });

  it('what was committed is saved, and forgotten once the peer has it', async () => {
    const { folder, process } = await staged('initiator');
    expect(await process.store.decide(PEER, ID, BETA)).toEqual({ decided: 'committed', beta: BETA });
    const next = await folder.open(HOOKED);
    await next.store.redo(PEER);
    expect(await next.store.finish(ID)).toBe('forgotten');
    await expectSaved(folder, next);
  });
});

describe('at the responder', () => {
  it('a vote is in doubt, and saved where the initiator has committed', async () => {
    const { folder, process } = await staged('responder');
    const { store } = process;
    expect(await store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ inDoubt: [ID], alarms: 0 });
    expect(await store.commit(PEER, ID, BETA)).toBe('done');
    expect(await store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], alarms: 0 });
    expect(await store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
    await expectSaved(folder, process);
  });

  it('a vote is discarded where the initiator has aborted', async () => {
    const { folder, process } = await staged('responder');
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await process.store.survey(PEER)).toEqual([]);
    expect(await keyFiles(folder.layout)).toEqual({});
  });

  it('a tombstone is dropped, and its number stays used', async () => {
    const folder = await makeStoreFolder();
    const before = await folder.open();
    await stage(before, exchangeOf({ role: 'responder', format: 'hex', keyIds: KEY_IDS }));
    await before.store.commit(PEER, ID, BETA);
    await makeEarlier(folder, 'responder', 'done');
    const { store } = await folder.open();
    expect(await store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], alarms: 0 });
    expect(await store.nextIndex(PEER)).toBe(1);
    expect(await store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await store.nextIndex(PEER)).toBe(1);
  });
});
