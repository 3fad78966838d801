/**
 * The key IDs of an exchange, in a file of their own in its record: there may be 65,536 of 256 bytes each, and every
 * look at the records would read them all.
 *
 * Nothing is decided by them: a file that cannot be read is as good as none, and holds no key file back.
 */
import type { KeyId } from '../base/key.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';
import { readSmall } from './reading.js';
import { pathOf, type RecordPlace } from './record.js';

/** 65,536 key IDs of 256 bytes, each byte at worst one escape of two, quotes, commas and the rest. */
export const KEY_IDS_MAX_BYTES = 65_536 * (2 * 256 + 3) + 2;

export function encodeKeyIds(keyIds: readonly KeyId[]): Uint8Array {
  return Buffer.from(`${JSON.stringify(keyIds)}\n`);
}

/** Undefined where they cannot be read, or the record has moved on. Errors: Node's. */
export async function readKeyIds(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<readonly KeyId[] | undefined> {
  const content = await readSmall(fs, pathOf(layout, place, 'keyIds'), KEY_IDS_MAX_BYTES);
  try {
    const parsed: unknown = JSON.parse(content ?? '');
    return isKeyIds(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isKeyIds(value: unknown): value is readonly KeyId[] {
  return Array.isArray(value) && value.every((keyId) => typeof keyId === 'string');
}
