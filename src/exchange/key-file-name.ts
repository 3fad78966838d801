/** What a key file is called in the folder of its peer (docs/protocol.md, "Files and formats"). */
import { QkdSyncError } from '../base/errors.js';
import type { Format } from '../base/format.js';
import type { KeyId } from '../base/key.js';
import { encodeSegment, NAME_MAX_BYTES } from '../base/site.js';

/** What follows the last dot of a name by key ID. */
export const EXTENSIONS: Readonly<Record<Format, string>> = {
  hex: 'hex',
  base64: 'b64',
  raw: 'bin',
  json: 'json',
};

/** `<peer>_<n>`, the layout of qkd-net's key router. Error: `storage` where it is too long. */
export function indexName(peer: string, index: number): string {
  return fitting(`${encodeSegment(peer)}_${index}`, 'give the peer a shorter site ID, on both sites');
}

/** `<first key ID>.<extension>`, percent-encoded. Error: `storage` where it is too long. */
export function keyIdName(keyId: KeyId, format: Format): string {
  return fitting(
    `${encodeSegment(keyId)}.${EXTENSIONS[format]}`,
    'use naming: index on both sites, or a KME with shorter key IDs',
  );
}

/** A file system that takes less says so when the name is reserved. */
function fitting(name: string, hint: string): string {
  if (name.length <= NAME_MAX_BYTES) return name;
  throw new QkdSyncError(
    'storage',
    `the file name ${name.slice(0, 40)}… is longer than ${NAME_MAX_BYTES} bytes`,
    { hint },
  );
}
