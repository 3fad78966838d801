/** The high-water mark of a peer's file numbers (docs/protocol.md, rule 12). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { highestIndex, raiseIndex } from '../../../src/store/index-mark.js';
import type { NewExchange } from '../../../src/store/staging.js';
import {
  BETA,
  exchangeOf,
  gate,
  ID,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  removeStoreFolders,
  stage,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

const raise = async (folder: StoreFolder, index: number): Promise<void> =>
  raiseIndex((await folder.open()).fs, folder.layout, PEER, index);
const highest = async (folder: StoreFolder): Promise<number> =>
  highestIndex((await folder.open()).fs, folder.layout, PEER);

describe('the mark', () => {
  it('is -1 before the first file, and then the highest number', async () => {
    const folder = await makeStoreFolder();
    expect(await highest(folder)).toBe(-1);
    for (const [index, expected] of [
      [0, 0],
      [9, 9],
      [10, 10],
      [3, 10],
      [10, 10],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
      [11, Number.MAX_SAFE_INTEGER],
    ] as const) {
      await raise(folder, index);
      expect(await highest(folder)).toBe(expected);
    }
  });

  it('does not grow without bound', async () => {
    const folder = await makeStoreFolder();
    for (let index = 0; index < 10; index += 1) await raise(folder, index);
    expect(await folder.tree(folder.layout.index(PEER))).toEqual(['8', '9']);
  });

  it('is not lowered by a process that stood still in the middle of raising it', async () => {
    const folder = await makeStoreFolder();
    const slow = await folder.open();
    const [reached, thawed] = [gate(), gate()];
    slow.fs.at = ({ name, path }) => {
      if (name !== 'create' || !path.endsWith('/index/1')) return undefined;
      reached.open();
      return { hold: thawed.opened };
    };
    const raising = raiseIndex(slow.fs, folder.layout, PEER, 1);
    await reached.opened;
    for (const index of [2, 3, 4]) await raise(folder, index);
    thawed.open();
    await raising;
    expect(await highest(folder)).toBe(4);
  });

  it('does not mind other files beside it', async () => {
    const folder = await makeStoreFolder();
    await raise(folder, 5);
    for (const name of ['notes', '-9', '1e9', '99999999999999999', '7.5']) {
      await writeFile(join(folder.layout.index(PEER), name), '');
    }
    expect(await highest(folder)).toBe(5);
  });
});

describe('the next number', () => {
  const OTHER = exchangeOf({ role: 'responder', id: 'f'.repeat(32), name: 'B_7', index: 7 });

  it('is above everything that was decided, in both roles, and not moved by what was not', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    const { store } = process;
    await stage(process);
    await stage(process, OTHER);
    expect(await store.nextIndex(PEER)).toBe(0);
    await store.decide(PEER, ID, BETA);
    expect(await store.nextIndex(PEER)).toBe(1);
    await store.commit(PEER, OTHER.id, BETA);
    expect(await store.nextIndex(PEER)).toBe(8);
    await store.forget(PEER, OTHER.id, PEER_STATE_ID);
    expect(await store.nextIndex(PEER)).toBe(8);
    await store.finish(ID);
    expect(await store.nextIndex(PEER)).toBe(8);
    expect(await store.nextIndex('C')).toBe(0);
  });

  it('is not raised where files are named by key ID', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    const unnumbered: NewExchange = JSON.parse(
      JSON.stringify({ ...exchangeOf({ name: 'key-1.hex' }), index: undefined }),
    ) as NewExchange;
    await stage(process, unnumbered);
    await process.store.decide(PEER, ID, BETA);
    expect(await process.store.nextIndex(PEER)).toBe(0);
    expect(await process.store.finish(ID)).toBe('forgotten');
    expect(await process.store.nextIndex(PEER)).toBe(0);
    expect(process.published).toMatchObject([{ index: undefined }]);
  });
});
