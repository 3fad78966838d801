/** Which mount of this machine a folder lies on. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Mount } from './file-system.js';
import { findMount } from './mountinfo.js';

/** Linux allows 100,000 mounts by default (fs.mount-max), of some 150 bytes each. */
const TABLE_MAX_BYTES = 16 << 20;

/**
 * Undefined where the table cannot be read or does not have it (the root of a container may hide it). Links are
 * followed. Errors: those of stat.
 * @param table another table of mounts, for tests
 */
export async function mountOf(path: string, table = '/proc/self/mountinfo'): Promise<Mount | undefined> {
  const { dev } = await stat(path, { bigint: true });
  const text = await readTable(table);
  return text === undefined ? undefined : findMount(text, dev);
}

/** What the bound cuts off is not looked at. */
async function readTable(path: string): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of createReadStream(path, { end: TABLE_MAX_BYTES - 1 })) {
      pieces.push(piece as Buffer);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(pieces).toString();
}
