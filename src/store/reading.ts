/** Reading what may not be there: another run may have moved it on at any time. Errors: Node's but for ENOENT. */
import { systemCode } from '../base/errors.js';
import type { FileSystem } from './file-system.js';

const SMALL_FILE_MAX_BYTES = 4_096;

/** The names in a folder; none where there is no such folder. */
export async function listFolder(fs: FileSystem, path: string): Promise<string[]> {
  return (await unlessMissing(() => fs.list(path))) ?? [];
}

/** A small file's text; undefined where it is not there. */
export async function readSmall(
  fs: FileSystem,
  path: string,
  maxBytes = SMALL_FILE_MAX_BYTES,
): Promise<string | undefined> {
  const bytes = await unlessMissing(() => fs.read(path, maxBytes));
  return bytes === undefined
    ? undefined
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

async function unlessMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
