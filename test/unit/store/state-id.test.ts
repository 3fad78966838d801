/** The state folder's own identity. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { gate, makeStoreFolder, removeStoreFolders } from '../../support/store-folder.js';

afterEach(removeStoreFolders);

describe('the state ID', () => {
  it('is made at the first use and stays', async () => {
    const folder = await makeStoreFolder();
    const id = await folder.start().store.open();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(await readFile(folder.layout.stateId, 'utf8')).toBe(id);
    expect(await folder.start().store.open()).toBe(id);
  });

  it('is one for two first runs at the same instant, where the second is faster', async () => {
    const folder = await makeStoreFolder();
    const [reached, thawed] = [gate(), gate()];
    const slow = folder.start({
      at: ({ name }) => {
        if (name !== 'link') return undefined;
        reached.open();
        return { hold: thawed.opened };
      },
    });
    const slowly = slow.store.open();
    await reached.opened;
    const id = await folder.start().store.open();
    thawed.open();
    expect(await slowly).toBe(id);
    expect(await folder.tree(folder.layout.trash)).toEqual([]);
  });

  it('is one for many first runs at the same instant', async () => {
    const folder = await makeStoreFolder();
    const ids = await Promise.all(Array.from({ length: 8 }, () => folder.start().store.open()));
    expect(new Set(ids).size).toBe(1);
  });

  it('is never seen torn: where its writer is killed, the next run makes another', async () => {
    const folder = await makeStoreFolder();
    const killed = folder.start({ at: ({ name }) => (name === 'write' ? { kill: 'torn' } : undefined) });
    await expect(killed.store.open()).rejects.toThrow('killed');
    expect(await folder.start().store.open()).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is made again where another run clears away what it is written in', async () => {
    const folder = await makeStoreFolder();
    await folder.open();
    const other = await makeStoreFolder();
    let cleared = false;
    const { store } = other.start({
      at: ({ name }) => {
        if (name !== 'link' || cleared) return undefined;
        cleared = true;
        return { errno: 'ENOENT' };
      },
    });
    expect(await store.open()).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is given up where it can never be made', async () => {
    const folder = await makeStoreFolder();
    const { store } = folder.start({ at: ({ name }) => (name === 'link' ? { errno: 'ENOENT' } : undefined) });
    await expect(store.open()).rejects.toMatchObject({ code: 'storage' });
  });

  it.each(['', 'x', '0'.repeat(31), `${'0'.repeat(32)}\n`])(
    'is an error where it is damaged: %j',
    async (content) => {
      const folder = await makeStoreFolder();
      await mkdir(folder.layout.state);
      await writeFile(folder.layout.stateId, content);
      const error: unknown = await folder
        .start()
        .store.open()
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'storage', hint: expect.stringContaining('restore') as unknown });
      expect(await readFile(folder.layout.stateId, 'utf8')).toBe(content);
    },
  );
});
