/** The store's file operations on a real file system. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readBootId } from '../../../src/store/boot-id.js';
import { filesystemFacts, nodeFileSystem as fs } from '../../../src/store/node-file-system.js';
import { makeStoreFolder, removeStoreFolders } from '../../support/store-folder.js';

afterEach(removeStoreFolders);

async function folderWithFile(): Promise<{ path: string; file: string }> {
  const { path } = await makeStoreFolder();
  const file = join(path, 'file');
  await writeFile(file, 'content');
  return { path, file };
}

async function text(path: string, maxBytes: number): Promise<string | undefined> {
  const content = await fs.read(path, maxBytes);
  return content && Buffer.from(content.bytes).toString();
}

describe('create', () => {
  it('never touches what is there: a file, or a link to one or to nothing', async () => {
    const { path, file } = await folderWithFile();
    await symlink(file, join(path, 'link'));
    await symlink(join(path, 'nothing'), join(path, 'dangling'));
    for (const name of ['file', 'link', 'dangling']) {
      await expect(fs.create(join(path, name))).rejects.toMatchObject({ code: 'EEXIST' });
    }
    expect(await fs.stat(join(path, 'nothing'))).toBeUndefined();
    expect(await text(file, 100)).toBe('content');
  });

  it('writes all of a large file', async () => {
    const { path } = await makeStoreFolder();
    const file = await fs.create(join(path, 'large'));
    await file.write(Buffer.alloc(5_000_000, 7));
    await file.sync();
    await file.close();
    expect(await fs.stat(join(path, 'large'))).toMatchObject({ kind: 'file', bytes: 5_000_000, mode: 0o600 });
  });
});

describe('read', () => {
  it('answers no more than was allowed', async () => {
    const { file } = await folderWithFile();
    expect(await text(file, 7)).toBe('content');
    await expect(fs.read(file, 6)).rejects.toMatchObject({ code: 'EFBIG' });
  });

  it('tells which file it has read', async () => {
    const { file } = await folderWithFile();
    expect((await fs.read(file, 7))?.inode).toBe((await fs.stat(file))?.inode);
  });

  it('answers nothing where there is nothing', async () => {
    const { path } = await folderWithFile();
    expect(await fs.read(join(path, 'nothing'), 7)).toBeUndefined();
    expect(await fs.list(join(path, 'nothing'))).toEqual([]);
  });

  it('follows no link', async () => {
    const { path, file } = await folderWithFile();
    await symlink(file, join(path, 'link'));
    await expect(fs.read(join(path, 'link'), 100)).rejects.toMatchObject({ code: 'ELOOP' });
  });
});

describe('readStart', () => {
  const start = async (path: string, maxBytes: number): Promise<string | undefined> => {
    const bytes = await fs.readStart(path, maxBytes);
    return bytes && Buffer.from(bytes).toString();
  };

  it('answers the first bytes, all of a shorter file, and nothing where there is nothing', async () => {
    const { path, file } = await folderWithFile();
    expect(await start(file, 3)).toBe('con');
    expect(await start(file, 100)).toBe('content');
    expect(await start(join(path, 'nothing'), 3)).toBeUndefined();
  });

  it('follows no link', async () => {
    const { path, file } = await folderWithFile();
    await symlink(file, join(path, 'link'));
    await expect(fs.readStart(join(path, 'link'), 3)).rejects.toMatchObject({ code: 'ELOOP' });
  });
});

describe('stat', () => {
  it('tells files, folders and others apart, and nothing from an error', async () => {
    const { path, file } = await folderWithFile();
    await symlink(file, join(path, 'link'));
    await mkdir(join(path, 'folder'));
    expect((await fs.stat(file))?.kind).toBe('file');
    expect((await fs.stat(join(path, 'folder')))?.kind).toBe('folder');
    expect((await fs.stat(join(path, 'link')))?.kind).toBe('other');
    expect(await fs.stat(join(path, 'none'))).toBeUndefined();
    expect(await fs.stat(join(file, 'none'))).toBeUndefined();
    await expect(fs.stat(join(path, 'x'.repeat(300)))).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  });
});

describe('link and rename', () => {
  it('link never replaces anything', async () => {
    const { path, file } = await folderWithFile();
    await writeFile(join(path, 'other'), '');
    await expect(fs.link(file, join(path, 'other'))).rejects.toMatchObject({ code: 'EEXIST' });
    await fs.link(file, join(path, 'second'));
    await fs.unlink(file);
    await fs.rename(join(path, 'second'), file);
    expect((await fs.list(path)).sort()).toEqual(['file', 'other']);
  });
});

describe('fsync of a folder', () => {
  it('is one, and of folders only', async () => {
    const { path, file } = await folderWithFile();
    await fs.syncFolder(path);
    await expect(fs.syncFolder(file)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(fs.syncFolder(join(path, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('isWritable', () => {
  it('is so of a folder of our own, and not of what is not there', async () => {
    const { path } = await folderWithFile();
    expect(await fs.isWritable(path)).toBe(true);
    expect(await fs.isWritable(join(path, 'none'))).toBe(false);
  });
});

describe('statfs', () => {
  const mount = { type: 'fuse.sshfs', source: 'b:' };

  it('looks at the mounts for FUSE', async () => {
    const facts = await filesystemFacts({ type: 0x65735546, bavail: 3, bsize: 512 }, () =>
      Promise.resolve(mount),
    );
    expect(facts).toEqual({ type: 0x65735546, freeBytes: 1536, mount });
  });

  it('looks at nothing more for any other file system', async () => {
    const look = (): Promise<never> => Promise.reject(new Error('looked'));
    for (const type of [0xef53, 0x6969, 0xff534d42, 0x65735543]) {
      expect(await filesystemFacts({ type, bavail: 3, bsize: 512 }, look)).toEqual({ type, freeBytes: 1536 });
    }
  });
});

describe('the machine', () => {
  it('says how much room there is, and when it was started', async () => {
    const { path } = await makeStoreFolder();
    expect((await fs.statfs(path)).freeBytes).toBeGreaterThan(0);
    const bootId = await readBootId();
    expect(bootId).not.toBe('');
    expect(await readBootId()).toBe(bootId);
  });

  it('was started at an unknown time where the kernel tells none, and it is an error where it could not be asked', async () => {
    expect(await readBootId('/nowhere/boot_id')).toBe('unknown');
    await expect(readBootId('/')).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
