/** The key file: its bytes and its name (docs/protocol.md, "Files and formats"). */
import { QkdSyncError } from '../base/errors.js';
import type { Key, KeyId } from '../base/key.js';
import { encodeSegment } from '../base/site.js';

/** `hex`: one key a line, lower case, LF. */
export type Format = 'hex';

/** The longest file name of every file system that qkd-sync runs on, in bytes (NAME_MAX). */
const NAME_MAX_BYTES = 255;

interface Encoding {
  readonly encode: (keys: readonly Key[]) => Uint8Array;
  readonly bytes: (count: number, size: number) => number;
}

const ENCODINGS: Readonly<Record<Format, Encoding>> = {
  hex: { encode: encodeHex, bytes: (count, size) => count * (size / 4 + 1) },
};

/** The file of these keys, in this order. The answer is as secret as they are. */
export function encodeKeyFile(keys: readonly Key[], format: Format): Uint8Array {
  return ENCODINGS[format].encode(keys);
}

/** How large the file of `count` keys of `size` bits is, in bytes. */
export function keyFileBytes(count: number, size: number, format: Format): number {
  return ENCODINGS[format].bytes(count, size);
}

function encodeHex(keys: readonly Key[]): Uint8Array {
  const file = Buffer.alloc(keys.reduce((sum, { secret }) => sum + 2 * secret.byteLength + 1, 0));
  let at = 0;
  for (const { secret } of keys) {
    for (const byte of secret.reveal()) at += file.write(byte.toString(16).padStart(2, '0'), at, 'latin1');
    at += file.write('\n', at, 'latin1');
  }
  return file;
}

/** `<peer>_<n>`, the layout of qkd-net's key router. */
export function indexName(peer: string, index: number): string {
  return fitting(`${encodeSegment(peer)}_${index}`);
}

/** `<first key ID>.<format>`, percent-encoded. */
export function keyIdName(keyId: KeyId, format: Format): string {
  return fitting(`${encodeSegment(keyId)}.${format}`);
}

function fitting(name: string): string {
  if (name.length <= NAME_MAX_BYTES) return name;
  throw new QkdSyncError(
    'storage',
    `the file name ${name.slice(0, 40)}… is longer than ${NAME_MAX_BYTES} bytes`,
    {
      hint: 'use naming: index on both sites, or a KME with shorter key IDs',
    },
  );
}
