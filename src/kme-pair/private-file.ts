/**
 * Files for this user only, whatever the umask: folders 0700, files 0600, each file complete or not there.
 *
 * Errors: `storage`, with the cause.
 */
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Makes `folder`, and its parents where they are missing; one that exists is made private. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await orStorageError(`cannot make the folder ${folder}`, async () => {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    await chmod(folder, FOLDER_MODE);
  });
}

/** Puts `text` into `path`: by rename, so that a crash leaves the old content or the new. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.new`);
  await orStorageError(`cannot write ${path}`, async () => {
    const file = await open(draft, 'w', FILE_MODE);
    try {
      await file.chmod(FILE_MODE); // the umask may have taken bits away, an old draft may have had more
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  });
}

/** Reads `path`; undefined where it does not exist. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw storageError(`cannot read ${path}`, error);
  }
}

export function storageError(what: string, error: unknown): QkdSyncError {
  return new QkdSyncError('storage', `${what}: ${describe(error)}`, { cause: error });
}

async function orStorageError(what: string, operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    throw storageError(what, error);
  }
}
