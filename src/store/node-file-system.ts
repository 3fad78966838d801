/** The store's file operations on the machine's own file system. */
import { constants, type BigIntStats, type StatsFs } from 'node:fs';
import { access, link, lstat, mkdir, open, readdir, rename, rmdir, statfs, unlink } from 'node:fs/promises';
import { systemCode } from '../base/errors.js';
import type { FileFacts, FilesystemFacts, FileSystem, Mount } from './file-system.js';
import { mountOf } from './node-mount.js';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** FUSE_SUPER_MAGIC (linux/magic.h). */
const FUSE = 0x65735546;

function facts(stats: BigIntStats): FileFacts {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  return { kind, bytes: Number(stats.size), mode: Number(stats.mode) & 0o7777, inode: String(stats.ino) };
}

/** What statfs(2) has answered; only FUSE costs a look at the mounts. */
export async function filesystemFacts(
  { type, bavail, bsize }: Pick<StatsFs, 'type' | 'bavail' | 'bsize'>,
  lookUp: () => Promise<Mount | undefined>,
): Promise<FilesystemFacts> {
  const known = { type, freeBytes: bavail * bsize };
  return type === FUSE ? { ...known, mount: await lookUp() } : known;
}

/** Another run may have moved it on at any time. */
async function unlessMissing<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export const nodeFileSystem: FileSystem = {
  mkdir: (path) => mkdir(path, { mode: 0o700 }),

  create: async (path) => {
    const file = await open(path, NEW_FILE, 0o600);
    return {
      // FileHandle.writeFile goes on after a short write until all is written or the disk says no.
      write: (bytes) => file.writeFile(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },

  syncFolder: async (path) => {
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },

  rename,
  link,
  unlink,
  rmdir: (path) => rmdir(path),

  read: async (path, maxBytes) => {
    const file = await unlessMissing(open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
    if (file === undefined) return undefined;
    try {
      const { bytes, inode } = facts(await file.stat({ bigint: true }));
      if (bytes > maxBytes) {
        throw Object.assign(new Error(`EFBIG: file too large, read '${path}'`), { code: 'EFBIG' });
      }
      return { bytes: await file.readFile(), inode };
    } finally {
      await file.close();
    }
  },

  readStart: async (path, maxBytes) => {
    const file = await unlessMissing(open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
    if (file === undefined) return undefined;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  },

  list: async (path) => (await unlessMissing(readdir(path))) ?? [],

  stat: async (path) => {
    try {
      return facts(await lstat(path, { bigint: true }));
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  },

  statfs: async (path) => filesystemFacts(await statfs(path), () => mountOf(path)),

  isWritable: (path) =>
    access(path, constants.W_OK).then(
      () => true,
      () => false,
    ),
};
