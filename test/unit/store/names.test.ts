/** Reservations of final names (docs/protocol.md, rule 11). */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CONTENT,
  exchangeOf,
  gate,
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
    expect(await readdir(join(folder.layout.names(PEER), 'B_0'))).toEqual([ID]);
    expect(await store.isNameFree(PEER, 'B_0')).toBe(false);
    for (const role of ['initiator', 'responder'] as const) {
      await expect(store.stage({ ...OTHER, role })).rejects.toMatchObject({ code: 'name-taken' });
    }
    expect(await readdir(join(folder.layout.names(PEER), 'B_0'))).toEqual([ID]);
    expect((await folder.tree()).filter((path) => path.includes('ffff'))).toEqual([]);
  });

  it('is not looked for in a file that somebody has left there', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    await store.stage(exchangeOf());
    await writeFile(join(folder.layout.names(PEER), '.DS_Store'), '');
    await store.cleanUp(PEER);
    expect(await store.isNameFree(PEER, 'B_1')).toBe(true);
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
    expect(await readdir(folder.layout.names(PEER))).toEqual(['B_0']);
    await process.store.finish(ID);
    expect(await folder.tree(folder.layout.names(PEER))).toEqual([]);
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });

  it('is given back by nobody but its own exchange, however late that wakes up', async () => {
    const folder = await makeStoreFolder();
    const slow = await folder.open();
    const staging = await slow.store.stage(exchangeOf());
    const other = await folder.open();
    // Suspended in the middle of giving its name back, while the name goes to another exchange.
    const [reached, thawed] = [gate(), gate()];
    slow.fs.at = ({ name, path }) => {
      if (name !== 'unlink' || !path.endsWith(ID)) return undefined;
      reached.open();
      return { hold: thawed.opened };
    };
    const dropping = staging.drop();
    await reached.opened;
    await other.store.cleanUp(PEER);
    await stage(other, OTHER);
    thawed.open();
    await dropping;
    expect(await other.store.isNameFree(PEER, 'B_0')).toBe(false);
    expect(await readdir(join(folder.layout.names(PEER), 'B_0'))).toEqual([OTHER.id]);
  });

  it('is refused to a run that wakes up after its number has been saved and consumed', async () => {
    const folder = await makeStoreFolder();
    const [slow, other] = [await folder.open(), await folder.open()];
    const [reached, thawed] = [gate(), gate()];
    slow.fs.at = ({ name, path }) => {
      if (name !== 'mkdir' || !path.endsWith('/reservation')) return undefined;
      reached.open();
      return { hold: thawed.opened };
    };
    const staging = slow.store.stage(exchangeOf());
    await reached.opened;
    await stage(other, OTHER);
    await other.store.decide(PEER, OTHER.id, '1');
    await other.store.finish(OTHER.id);
    await rm(join(folder.layout.peerKeys(PEER), 'B_0'));
    thawed.open();
    await expect(staging).rejects.toMatchObject({ code: 'name-taken' });
    expect(await other.store.isNameFree(PEER, 'B_0')).toBe(true);
    expect(await other.store.nextIndex(PEER)).toBe(1);
  });

  it('is no reservation without an ID: a crash may leave that while it is given back', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    const reservation = join(folder.layout.names(PEER), 'B_0');
    await mkdir(reservation, { recursive: true });
    expect(await process.store.isNameFree(PEER, 'B_0')).toBe(true);
    const staging = await process.store.stage(exchangeOf());
    expect(await readdir(reservation)).toEqual([ID]);
    await staging.drop();
    await mkdir(reservation, { recursive: true });
    await process.store.cleanUp(PEER);
    expect(await readdir(folder.layout.names(PEER))).toEqual([]);
  });

  it.each(['mkdir', 'create', 'sync', 'syncFolder', 'rename'])(
    'is no obstacle for later after a failed %s',
    async (operation) => {
      const folder = await makeStoreFolder();
      const { store, fs } = await folder.open();
      fs.at = ({ name, path }) =>
        name === operation && path.includes('/reservation') ? { errno: 'EIO' } : undefined;
      await expect(store.stage(exchangeOf())).rejects.toMatchObject({ code: 'storage' });
      fs.at = () => undefined;
      await store.cleanUp(PEER);
      expect(await store.isNameFree(PEER, 'B_0')).toBe(true);
    },
  );
});
