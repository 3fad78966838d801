/** Reads whole files of people's making: only regular ones, and none beyond a bound. Nothing throws. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { describe, systemCode } from '../base/errors.js';

/** The largest configuration file, PEM file or file of a pre-shared key. */
const FILE_MAX_BYTES = 1024 * 1024;

interface Readable {
  readonly bytes: Buffer;
}

export interface Unreadable {
  readonly bytes?: undefined;
  /** Whether the file does not exist. */
  readonly missing: boolean;
  /** Completes "the file …". */
  readonly mistake: string;
}

export async function readBounded(path: string): Promise<Readable | Unreadable> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a pipe that nobody writes to would hold us for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) return { missing: false, mistake: 'is not a regular file' };
    const buffer = Buffer.alloc(FILE_MAX_BYTES + 1);
    const length = await fill(handle, buffer);
    if (length > FILE_MAX_BYTES) return { missing: false, mistake: 'is larger than 1 MiB' };
    return { bytes: buffer.subarray(0, length) };
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: true, mistake: 'does not exist' };
    return { missing: false, mistake: `cannot be read (${code ?? describe(error)})` };
  } finally {
    await handle?.close();
  }
}

async function fill(handle: FileHandle, buffer: Buffer): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
