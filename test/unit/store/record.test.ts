/** The record of one exchange: what of it can be read, and what every state looks like from outside. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { RECORD_STATES } from '../../../src/store/layout.js';
import { encodeExchange } from '../../../src/store/record.js';
import {
  BETA,
  exchangeOf,
  ID,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

async function staged(): Promise<{ folder: StoreFolder; process: Process; file: string }> {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  await stage(process);
  return {
    folder,
    process,
    file: join(folder.layout.record(PEER, 'initiator', ID, 'staged'), 'exchange.json'),
  };
}

describe('exchange.json', () => {
  it('is read back as it was given', async () => {
    const { process } = await staged();
    const [record] = await process.store.survey(PEER);
    const { keyIds, ...exchange } = exchangeOf();
    expect(record?.exchange).toEqual(exchange);
    expect((await process.store.find(ID))?.keyIds).toEqual(keyIds);
  });

  it('holds no key bytes', async () => {
    expect(Buffer.from(encodeExchange(exchangeOf())).toString()).not.toContain('0123456789abcdef');
    await Promise.resolve();
  });

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['no JSON', '{"id":'],
    ['null', null],
    ['a list', []],
    ['a number', 7],
    ['another ID', { ...exchangeOf(), id: 'f'.repeat(32) }],
    ['another role', { ...exchangeOf(), role: 'responder' }],
    ['another peer', { ...exchangeOf(), peer: 'C' }],
    ['no state ID', { ...exchangeOf(), peerStateId: undefined }],
    ['no size', { ...exchangeOf(), size: '256' }],
    ['no name', { ...exchangeOf(), name: 7 }],
    ['an index that is none', { ...exchangeOf(), index: 0.5 }],
    ['no alpha', { ...exchangeOf(), alpha: 1 }],
    ['no time', { ...exchangeOf(), time: null }],
  ])('is an alarm where it holds %s', async (_name, content) => {
    const { process, file } = await staged();
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    expect(await process.store.survey(PEER)).toEqual([
      {
        place: { peer: PEER, role: 'initiator', id: ID, state: 'staged' },
        exchange: undefined,
        published: false,
        alarm: 'unreadable',
      },
    ]);
  });

  it('is an alarm, too, where it is larger than any can be', async () => {
    const { process, file } = await staged();
    await truncate(file, 40_000_000);
    expect(await process.store.survey(PEER)).toMatchObject([{ exchange: undefined, alarm: 'unreadable' }]);
  });
});

describe('key-ids.json', () => {
  const LARGEST = Array.from({ length: 65_536 }, () => '"'.repeat(256));

  it('may be as large as the largest exchange', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process, exchangeOf({ keyIds: LARGEST }));
    expect((await process.store.find(ID))?.keyIds).toEqual(LARGEST);
  });

  it('is read for a key file that another process has staged, once, and by no look at the records', async () => {
    const folder = await makeStoreFolder();
    await stage(await folder.open(), exchangeOf({ role: 'responder' }));
    const { store, fs, published } = await folder.open();
    const readings = (): string[] =>
      fs.done
        .filter(({ name, path }) => name === 'read' && path.endsWith('key-ids.json'))
        .map(({ path }) => folder.shorten(path));
    await store.survey(PEER);
    await store.nextIndex(PEER);
    await store.openVotes(PEER, PEER_STATE_ID);
    await store.tidy(PEER);
    expect(readings()).toEqual([]);
    await store.commit(PEER, ID, BETA);
    expect(published).toMatchObject([{ keyIds: ['key-1'] }]);
    await store.redo(PEER);
    await store.commit(PEER, ID, BETA);
    await store.openVotes(PEER, PEER_STATE_ID);
    await store.forget(PEER, ID, PEER_STATE_ID);
    expect(readings()).toEqual(['exchanges/B/responder/<id>.committed/key-ids.json']);
  });

  it('is not read by the process that has staged it', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process, exchangeOf({ role: 'responder' }));
    await process.store.commit(PEER, ID, BETA);
    expect(process.published).toMatchObject([{ keyIds: ['key-1'] }]);
    expect(
      process.fs.done.filter(({ path }) => path.endsWith('key-ids.json')).map(({ name }) => name),
    ).toEqual(['create', 'write', 'sync', 'close']);
  });

  it.each(['', '{', '{}', '["key-1", 2]'])('holds no key back where it is damaged to %j', async (content) => {
    const folder = await makeStoreFolder();
    await stage(await folder.open(), exchangeOf({ role: 'responder' }));
    const { store, published } = await folder.open();
    await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'staged'), 'key-ids.json'), content);
    expect(await store.find(ID)).toMatchObject({ alarm: undefined, keyIds: undefined });
    expect(await store.commit(PEER, ID, BETA)).toBe('done');
    expect(published).toMatchObject([{ id: ID, keyIds: [] }]);
  });

  it.each(['EIO', 'EACCES'])('holds no key back where reading it fails with %s', async (errno) => {
    const folder = await makeStoreFolder();
    await stage(await folder.open(), exchangeOf({ role: 'responder' }));
    const { store, fs, published } = await folder.open();
    fs.at = ({ name, path }) => (name === 'read' && path.endsWith('key-ids.json') ? { errno } : undefined);
    expect(await store.find(ID)).toMatchObject({ alarm: undefined, keyIds: undefined });
    expect(await store.commit(PEER, ID, BETA)).toBe('done');
    expect(published).toMatchObject([{ id: ID, keyIds: [] }]);
  });
});

describe('the survey', () => {
  it('shows every state of both roles, and nothing that is being written', async () => {
    const folder = await makeStoreFolder();
    const { store, fs } = await folder.open();
    // An operator's word makes a state of its own: resolution.test.ts.
    const states = RECORD_STATES.filter((state) => state !== 'resolved');
    for (const [at, state] of states.entries()) {
      for (const role of ['initiator', 'responder'] as const) {
        const id = `${at}${role === 'initiator' ? 'a' : 'b'}`.repeat(16);
        await stage(
          { store },
          exchangeOf({ role, id, name: `B_${id}`, index: 10 * at + (role === 'initiator' ? 0 : 1) }),
        );
        if (state !== 'staged') {
          await fs.rename(
            folder.layout.record(PEER, role, id, 'staged'),
            folder.layout.record(PEER, role, id, state),
          );
        }
      }
    }
    await store.stage(exchangeOf({ name: 'B_99', index: 99 }));
    const seen = (await store.survey(PEER)).map(({ place, published, alarm }) => ({
      role: place.role,
      state: place.state,
      published,
      alarm,
    }));
    expect(seen).toHaveLength(8);
    for (const role of ['initiator', 'responder']) {
      for (const state of states) {
        expect(seen).toContainEqual({ role, state, published: false, alarm: undefined });
      }
    }
  });

  it('is empty for a peer that nobody knows', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    expect(await store.survey('nobody')).toEqual([]);
  });
});
