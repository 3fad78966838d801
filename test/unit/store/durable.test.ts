/** New folders that survive a power loss, where parents are other people's. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ensureFolder } from '../../../src/store/durable.js';
import { nodeFileSystem } from '../../../src/store/node-file-system.js';
import { ScriptedFileSystem } from '../../support/scripted-file-system.js';
import { makeStoreFolder, removeStoreFolders } from '../../support/store-folder.js';

afterEach(removeStoreFolders);

/** A file system on which `closed` cannot be opened for reading, and nothing can be made in it unless `isWritable`. */
function closedTo(closed: string, errno: string, isWritable = false): ScriptedFileSystem {
  const fs = new ScriptedFileSystem({ ...nodeFileSystem, isWritable: () => Promise.resolve(isWritable) });
  fs.at = ({ name, path }) =>
    name === 'syncFolder' && path === closed ? { errno, syscall: 'open' } : undefined;
  return fs;
}

describe('ensureFolder', () => {
  it('makes all that is missing, the outermost first, each durable before the next', async () => {
    const { path } = await makeStoreFolder();
    const fs = new ScriptedFileSystem(nodeFileSystem);
    await ensureFolder(fs, join(path, 'a/b/c'));
    const shorten = (long: string): string => (long.startsWith(path) ? long.slice(path.length) : '..');
    expect(fs.changes(shorten)).toEqual([
      'syncFolder ..',
      'mkdir /a',
      'syncFolder ',
      'mkdir /a/b',
      'syncFolder /a',
      'mkdir /a/b/c',
      'syncFolder /a/b',
    ]);
  });

  it('makes a folder only in one that is durable, whoever made that and was killed over it', async () => {
    const { path } = await makeStoreFolder();
    const killed = new ScriptedFileSystem(nodeFileSystem);
    killed.at = ({ name, path: made }) =>
      name === 'mkdir' && made === join(path, 'keys') ? { kill: 'after' } : undefined;
    await expect(ensureFolder(killed, join(path, 'keys/B'))).rejects.toThrow('killed');
    const fs = new ScriptedFileSystem(nodeFileSystem);
    await ensureFolder(fs, join(path, 'keys/B'));
    expect(fs.changes((long) => long.slice(path.length))).toEqual([
      'syncFolder ',
      'mkdir /keys/B',
      'syncFolder /keys',
    ]);
  });

  it.each(['EACCES', 'EPERM'])('uses a folder that lies in one closed to us (%s)', async (errno) => {
    const { path } = await makeStoreFolder();
    await mkdir(join(path, 'state'));
    await ensureFolder(closedTo(path, errno), join(path, 'state'));
  });

  it.each(['EACCES', 'EPERM'])(
    'does not use a folder that may be its own, in one that cannot be made durable (%s)',
    async (errno) => {
      const { path } = await makeStoreFolder();
      await mkdir(join(path, 'state'));
      const fs = closedTo(path, errno, true);
      await expect(ensureFolder(fs, join(path, 'state'))).rejects.toMatchObject({ code: errno });
    },
  );

  it('makes no folder that it could not make durable', async () => {
    const { path } = await makeStoreFolder();
    await expect(ensureFolder(closedTo(path, 'EACCES'), join(path, 'state'))).rejects.toMatchObject({
      code: 'EACCES',
    });
    await expect(ensureFolder(closedTo(path, 'EIO'), join(path, 'state'))).rejects.toMatchObject({
      code: 'EIO',
    });
  });

  it('passes over a parent on a file system that knows no fsync, where the folder was there already', async () => {
    const { path } = await makeStoreFolder();
    await mkdir(join(path, 'data'));
    const fs = closedTo(path, 'EINVAL');
    fs.at = ({ name, path: synced }) =>
      name === 'syncFolder' && synced === path ? { errno: 'EINVAL' } : undefined;
    await ensureFolder(fs, join(path, 'data/state'));
    await expect(ensureFolder(fs, join(path, 'other'))).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('says why where it cannot', async () => {
    const { path } = await makeStoreFolder();
    const fs = new ScriptedFileSystem(nodeFileSystem);
    fs.at = ({ name }) => (name === 'mkdir' ? { errno: 'EROFS' } : undefined);
    await expect(ensureFolder(fs, join(path, 'state'))).rejects.toMatchObject({ code: 'EROFS' });
  });
});
