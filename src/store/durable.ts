/**
 * What surely survives a power loss: new files and folders whose bytes, names and parents have been fsynced.
 *
 * Every function either has made the whole thing durable when it resolves, or throws Node's error and leaves at
 * most a file or folder that nobody has been told of.
 */
import { dirname } from 'node:path';
import { systemCode } from '../base/errors.js';
import type { FileSystem } from './file-system.js';

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
 * the folder was there already: the run that made it may have been killed before it could.
 */
export async function ensureFolder(fs: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  const existed = await makeFolder(fs, path, async () => {
    await ensureFolder(fs, parent);
    await makeFolder(fs, path);
  });
  try {
    await fs.syncFolder(parent);
  } catch (error) {
    // Somebody else's folder, such as /var/lib, may be closed to us; then what lies in it was not made by us either.
    const code = systemCode(error);
    if (!existed || (code !== 'EACCES' && code !== 'EPERM')) throw error;
  }
}

/** Makes one folder; true where it was there already. `parentMissing` is called where it cannot be made for that reason. */
async function makeFolder(
  fs: FileSystem,
  path: string,
  parentMissing?: () => Promise<void>,
): Promise<boolean> {
  try {
    await fs.mkdir(path);
    return false;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return true;
    if (code !== 'ENOENT' || parentMissing === undefined) throw error;
    await parentMissing();
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
