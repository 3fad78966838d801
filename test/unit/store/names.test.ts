/** Reservations of final names (docs/protocol.md, rule 11). */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CONTENT,
  exchangeOf,
  ID,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  stage,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

const OTHER = exchangeOf({ id: 'f'.repeat(32) });

describe('a reservation', () => {
  it('holds the ID of its exchange, and keeps every other exchange of either role away', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    await store.stage(exchangeOf());
    expect(await readFile(join(folder.layout.names(PEER), 'B_0'), 'utf8')).toBe(ID);
    expect(await store.isNameFree(PEER, 'B_0')).toBe(false);
    for (const role of ['initiator', 'responder'] as const) {
      await expect(store.stage({ ...OTHER, role })).rejects.toMatchObject({ code: 'name-taken' });
    }
    expect(await readFile(join(folder.layout.names(PEER), 'B_0'), 'utf8')).toBe(ID);
    expect((await folder.tree()).filter((path) => path.includes('ffff'))).toEqual([]);
  });

  it('is one peer’s own', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    await store.stage(exchangeOf());
    expect(await store.isNameFree('C', 'B_0')).toBe(true);
    await store.stage({ ...OTHER, peer: 'C' });
  });

  it('is refused, and leaves nothing, where a file has the name already', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
    await writeFile(join(folder.layout.peerKeys(PEER), 'B_0'), '');
    expect(await store.isNameFree(PEER, 'B_0')).toBe(false);
    await expect(store.stage(exchangeOf())).rejects.toMatchObject({ code: 'name-taken' });
    expect(await folder.tree(folder.layout.names(PEER))).toEqual([]);
  });

  it('goes when the exchange is dropped; dropping twice does nothing', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    const staging = await store.stage(exchangeOf());
    await staging.drop();
    expect(await store.isNameFree(PEER, 'B_0')).toBe(true);
    await store.stage(OTHER);
    await staging.drop();
    expect(await store.isNameFree(PEER, 'B_0')).toBe(false);
  });

  it('is not taken from another exchange by one that is dropped late', async () => {
    const folder = await makeStoreFolder();
    const [slow, other] = [await folder.open(), await folder.open()];
    const staging = await slow.store.stage(exchangeOf());
    await other.store.cleanUp(PEER);
    await stage(other, OTHER);
    await expect(staging.complete(CONTENT)).rejects.toMatchObject({ code: 'storage' });
    expect(await other.store.isNameFree(PEER, 'B_0')).toBe(false);
  });

  it('stays until the high-water mark covers it', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    await process.store.decide(PEER, ID, '1');
    await process.store.redo(PEER);
    expect(await folder.tree(folder.layout.names(PEER))).toEqual(['B_0']);
    await process.store.finish(ID);
    expect(await folder.tree(folder.layout.names(PEER))).toEqual([]);
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });

  it.each(['link', 'sync', 'unlink'])('is no obstacle for later after a failed %s', async (operation) => {
    const folder = await makeStoreFolder();
    const { store, fs } = await folder.open();
    fs.at = ({ name, path }) =>
      name === operation && path.endsWith('/reservation') ? { errno: 'EIO' } : undefined;
    await expect(store.stage(exchangeOf())).rejects.toMatchObject({ code: 'storage' });
    fs.at = () => undefined;
    await store.cleanUp(PEER);
    expect(await store.isNameFree(PEER, 'B_0')).toBe(true);
  });
});
