/** The state folder's own identity. */
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { FileSystem } from '../../../src/store/file-system.js';
import { nodeFileSystem } from '../../../src/store/node-file-system.js';
import { createIdentity } from '../../../src/store/state-id.js';
import {
  countingRandom,
  gate,
  ID,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  stage,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

describe('the state ID', () => {
  it('is made at the first use and stays', async () => {
    const folder = await makeStoreFolder();
    const id = await folder.start().store.open();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(await readFile(folder.layout.stateId, 'utf8')).toMatch(new RegExp(`^${id} \\d+\n$`));
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

  it.each(['', 'x', '0'.repeat(31), '0'.repeat(32), `${'0'.repeat(32)} 1`])(
    'is an error where it is damaged: %j',
    async (content) => {
      const folder = await makeStoreFolder();
      await mkdir(folder.layout.state);
      await writeFile(folder.layout.stateId, content);
      const error: unknown = await folder
        .start()
        .store.open()
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'storage', hint: expect.stringContaining('delete') as unknown });
      expect(await readFile(folder.layout.stateId, 'utf8')).toBe(content);
    },
  );
});

describe('a folder of state that was restored from a backup', () => {
  const restore = async ({ layout }: StoreFolder): Promise<void> => {
    await cp(layout.state, `${layout.state}-backup`, { recursive: true, preserveTimestamps: true });
    await rm(layout.state, { recursive: true });
    await rename(`${layout.state}-backup`, layout.state);
  };

  it('is refused, and nothing in it changes', async () => {
    const folder = await makeStoreFolder();
    await stage(await folder.open());
    await restore(folder);
    const before = await folder.tree();
    await expect(folder.start().store.open()).rejects.toMatchObject({
      code: 'storage',
      message: `the folder ${folder.layout.state} is a copy or was restored from a backup`,
    });
    expect(await folder.tree()).toEqual(before);
  });

  it('is not taken for a copy on a network file system, where files do not keep their inodes', async () => {
    const folder = await makeStoreFolder();
    const id = await folder.start().store.open();
    await restore(folder);
    const fs: FileSystem = {
      ...nodeFileSystem,
      statfs: () =>
        Promise.resolve({
          type: 0x65735546,
          mount: { type: 'fuse.sshfs', source: 'b:' },
          freeBytes: 1 << 30,
        }),
    };
    const before = await folder.tree();
    await expect(createIdentity(fs, folder.layout, countingRandom).open()).rejects.toMatchObject({
      code: 'storage',
      message: `${folder.layout.state} lies on a network file system (fuse.sshfs)`,
      hint: 'set keys and state to folders on a local disk',
    });
    expect(await folder.tree()).toEqual(before);
    expect(await readFile(folder.layout.stateId, 'utf8')).toContain(id);
  });

  it('is a new one once an operator has deleted its ID', async () => {
    const folder = await makeStoreFolder();
    const id = await folder.start().store.open();
    await restore(folder);
    await rm(folder.layout.stateId);
    const { store } = folder.start();
    expect(await store.open()).not.toBe(id);
    await store.survey(PEER);
  });

  it('may have been moved with everything in it', async () => {
    const folder = await makeStoreFolder();
    const id = await folder.start().store.open();
    await rename(folder.layout.state, `${folder.layout.state}-elsewhere`);
    await rename(`${folder.layout.state}-elsewhere`, folder.layout.state);
    expect(await folder.start().store.open()).toBe(id);
  });
});

describe('a folder of state that goes in the middle of a run', () => {
  const gone = { code: 'storage', message: expect.stringContaining('moved, unmounted') as unknown };

  it.each(['removed', 'replaced'])('is never taken for one without records: %s', async (how) => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    await process.store.decide(PEER, ID, '1');
    await rename(folder.layout.state, `${folder.layout.state}-elsewhere`);
    if (how === 'replaced') await folder.open();

    // Without its records every exchange would look aborted, or finished and forgotten.
    const { store } = process;
    await expect(store.judge(ID)).rejects.toMatchObject(gone);
    await expect(store.finish(ID)).rejects.toMatchObject(gone);
    await expect(store.survey(PEER)).rejects.toMatchObject(gone);
    await expect(store.openVotes(PEER, 'a'.repeat(32))).rejects.toMatchObject(gone);
    await expect(store.commit(PEER, ID, '1')).rejects.toMatchObject(gone);
  });
});
