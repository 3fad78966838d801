/** Keys of another length than was asked for. */
import type { Dialect } from './dialect.js';
import { rewritingKeys } from './rewrite.js';

function length(name: string, does: string, change: (key: Buffer) => Buffer): Dialect {
  return {
    name,
    topic: 'key length',
    does,
    wrap: rewritingKeys((keys) => ({
      keys: keys.map(({ key_ID, key }) => ({
        key_ID,
        key: change(Buffer.from(key, 'base64')).toString('base64'),
      })),
    })),
  };
}

export const KEY_LENGTH_DIALECTS: readonly Dialect[] = [
  length('half-size', 'delivers half of the bits that were asked for', (key) =>
    key.subarray(0, key.byteLength / 2),
  ),
  length('no-leading-zeros', 'takes a key for a number and drops its leading zeros', (key) =>
    key.subarray(1),
  ),
  length('bits-as-bytes', 'takes the size for bytes: 256 bits asked for, 256 bytes delivered', (key) =>
    Buffer.concat(Array.from({ length: 8 }, () => key)),
  ),
];
