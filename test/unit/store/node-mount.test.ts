/** The mount that a folder of this machine lies on. */
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { mountOf } from '../../../src/store/node-mount.js';
import { makeStoreFolder, removeStoreFolders } from '../../support/store-folder.js';

afterEach(removeStoreFolders);

/** The line of a file system that has the device of a folder. */
async function lineOf(folder: string): Promise<string> {
  const { dev } = await stat(folder);
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
  return `71 28 ${(dev >> 8) & 0xfff}:${minor} / /mnt rw - fuse.sshfs b: rw\n`;
}

describe('the mount of a folder', () => {
  it('is told by the kernel, also through a link', async () => {
    const { path } = await makeStoreFolder();
    await symlink('/proc/self', join(path, 'link'));
    for (const folder of ['/proc', '/proc/self', join(path, 'link')]) {
      expect(await mountOf(folder)).toMatchObject({ type: 'proc' });
    }
  });

  it('is unknown where there is no table, or where it cannot be read', async () => {
    const { path } = await makeStoreFolder();
    expect(await mountOf(path, join(path, 'nothing'))).toBeUndefined();
    expect(await mountOf(path, path)).toBeUndefined();
  });

  it('is looked for in the first 16 MiB of the table', async () => {
    const { path } = await makeStoreFolder();
    const file = join(path, 'mountinfo');
    const line = await lineOf(path);
    await writeFile(file, `${'x'.repeat((16 << 20) - line.length - 1)}\n${line}`);
    expect(await mountOf(path, file)).toEqual({ type: 'fuse.sshfs', source: 'b:' });
    await writeFile(file, `${'x'.repeat((16 << 20) - line.length)}\n${line}`);
    expect(await mountOf(path, file)).toBeUndefined();
  });

  it('of no folder is an error', async () => {
    const { path } = await makeStoreFolder();
    await expect(mountOf(join(path, 'nothing'))).rejects.toMatchObject({ code: 'ENOENT' });
    await mkdir(join(path, 'nothing'));
    await mountOf(join(path, 'nothing'));
  });
});
