/**
 * The key IDs of an exchange, in a file of their own in its record: there may be 65,536 of 256 bytes each, and every
 * look at the records would read them all.
 *
 * Nothing is decided by them: a file that cannot be read is as good as none, and holds no key file back.
 */
import { systemCode } from '../base/errors.js';
import type { KeyId } from '../base/key.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';
import { readSmall } from './reading.js';
import { EXCHANGE_MAX_BYTES, pathOf, type RecordPlace } from './record.js';

export function encodeKeyIds(keyIds: readonly KeyId[]): Uint8Array {
  return Buffer.from(`${JSON.stringify(keyIds)}\n`);
}

/** Undefined where they cannot be read, or the record has moved on. */
export async function readKeyIds(
  fs: FileSystem,
  layout: Layout,
  place: RecordPlace,
): Promise<readonly KeyId[] | undefined> {
  const keyIds = await readParsed(fs, pathOf(layout, place, 'keyIds'));
  if (isKeyIds(keyIds)) return keyIds;
  // The version before had them there.
  const exchange = await readParsed(fs, pathOf(layout, place, 'exchange'));
  const among = (exchange as { readonly keyIds?: unknown } | null | undefined)?.keyIds;
  return isKeyIds(among) ? among : undefined;
}

async function readParsed(fs: FileSystem, path: string): Promise<unknown> {
  try {
    return JSON.parse((await readSmall(fs, path, EXCHANGE_MAX_BYTES)) ?? '') as unknown;
  } catch (error) {
    // Not what it should be, or no disk that could read it.
    if (error instanceof SyntaxError || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

function isKeyIds(value: unknown): value is readonly KeyId[] {
  return Array.isArray(value) && value.every((keyId) => typeof keyId === 'string');
}
