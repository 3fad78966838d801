/**
 * What surely survives a power loss: new files and folders whose bytes, names and parents have been fsynced.
 *
 * Every function either has made the whole thing durable when it resolves, or throws Node's error and leaves at
 * most a file or folder that nobody has been told of.
 */
import { dirname } from 'node:path';
import { systemCode } from '../base/errors.js';
import type { FileSystem } from './file-system.js';

/**
 * The names in a folder could not be made durable. They can be seen all the same, and the kernel may say yes to the next
 * fsync without having written anything: see suspect.ts.
 */
export class UnsureFolderError extends Error {
  readonly syscall = 'fsync';
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
    this.code = systemCode(cause);
  }
}

/** An fsync that was tried and failed; a folder that could not be opened for it is none. */
export function isFailedFsync(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'fsync';
}

/** Makes a new file of `bytes` and fsyncs it. Its folder is still to be fsynced, once for all the files made in it. */
export async function writeDurably(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.create(path);
  try {
    await file.write(bytes);
    await file.sync();
  } catch (error) {
    // What failed first counts: a failed fsync must not hide behind a failed close.
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
}

/**
 * Sees to it that the folder is there and will still be there after a power loss. The parent is fsynced even where
 * the folder was there already: the run that made it may have been killed before it could. For the same reason a
 * folder is made only in one that has been seen to in this way. Errors: Node's; `UnsureFolderError`.
 */
export async function ensureFolder(fs: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  let existed = (await fs.stat(path)) !== undefined;
  if (!existed) {
    await ensureFolder(fs, parent);
    existed = !(await makeFolder(fs, path));
  }
  try {
    await secureNames(fs, parent);
  } catch (error) {
    if (!existed || !(await isForeign(fs, parent, error))) throw error;
  }
}

/**
 * Makes the names in a folder durable, of which later runs take for granted that they are. Errors: Node's;
 * `UnsureFolderError` where the fsync itself has failed.
 */
export async function secureNames(fs: FileSystem, folder: string): Promise<void> {
  try {
    await fs.syncFolder(folder);
  } catch (error) {
    const isKept = KEEPING.has(systemCode(error) ?? '');
    throw isFailedFsync(error) && !isKept ? new UnsureFolderError(error) : error;
  }
}

/** A disk that is full, or read-only, keeps what it was to write; nor is anything lost in what is closed to us. */
const KEEPING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM']);

/**
 * Whether the folder of which this is the failed fsync is somebody else's, such as /var/lib, and closed to us, or on a file
 * system that is never written and knows no fsync (squashfs, autofs): then what lies in it was not made by us either.
 */
async function isForeign(fs: FileSystem, folder: string, error: unknown): Promise<boolean> {
  const code = systemCode(error);
  if (code === 'EINVAL') return true;
  return (code === 'EACCES' || code === 'EPERM') && !(await fs.isWritable(folder));
}

/** Makes one folder; false where it is there already. */
async function makeFolder(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.mkdir(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Moves something to another folder; false where it is not there (any more). Where it is the other folder that is missing,
 * that is an error: what was to be moved is still to be moved.
 */
export async function moveUnlessGone(fs: FileSystem, path: string, target: string): Promise<boolean> {
  try {
    await fs.rename(path, target);
    return true;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || (await fs.stat(path)) !== undefined) throw error;
    return false;
  }
}

/** Whether the operation succeeded; false where what it was about is not there (any more). */
export async function unlessGone(operation: Promise<void>): Promise<boolean> {
  try {
    await operation;
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
