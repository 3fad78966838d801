/**
 * The key container of ETSI GS QKD 014 (section 6.3): what *Get key* and *Get key with key IDs* answer.
 *
 * Calling sequence: one of the two functions on the body of a 200 answer; no keys at all are an answer of their own,
 * an empty array. Unknown fields are ignored.
 * Errors: QkdSyncError `kme-answer`. Nothing of the body is ever quoted but what malformed.ts lets through, key IDs
 * neither: a KME that mixes up its fields must not bring key bytes into a log. Keys that were decoded before a fault
 * was found are overwritten.
 */
import { QkdSyncError } from '../base/errors.js';
import { isKeyId, Secret } from '../base/key.js';
import type { Key, KeyId } from '../base/key.js';
import { hasSize, inOrderOf, keyEntries } from './dialect.js';
import { isObject, parseObject } from './json.js';
import type { KeyRequest } from './kme.js';
import { describeAnswer } from './malformed.js';

/** Keys as asked for, in the KME's order, or fewer of them. */
export function readKeys(body: Uint8Array, { number, size }: KeyRequest): Key[] {
  const found = decodeContainer(body, size, (count) => count <= number || `asked for were ${number}`);
  return [...found.values()];
}

/** Exactly the keys of `keyIds`, which holds each ID once, matched by ID and in the order asked for; or none at all. */
export function readKeysWithKeyIds(body: Uint8Array, keyIds: readonly KeyId[], size: number): Key[] {
  const { length } = keyIds;
  const fits = (count: number): true | string =>
    count === 0 || count === length || `asked for were ${length}`;
  const found = decodeContainer(body, size, fits);
  if (found.size === 0) return [];
  const keys = inOrderOf(keyIds, found);
  if (keys !== undefined) return keys;
  // As many distinct IDs came as were asked for: one that is missing means a foreign one in its place.
  wipeAll(found.values());
  throw unusable('a key_ID that was asked for is missing and another has come instead');
}

/** How many keys the container has, whether they can be used or not; undefined where it is none. */
export function countKeys(body: Uint8Array): number | undefined {
  const container = parseObject(body);
  return container && keyEntries(container)?.length;
}

function wipeAll(keys: Iterable<Key>): void {
  for (const { secret } of keys) secret.wipe();
}

/** @param fits what is wrong with that many keys */
function decodeContainer(
  body: Uint8Array,
  size: number,
  fits: (count: number) => true | string,
): Map<KeyId, Key> {
  const container = parseObject(body);
  if (container === undefined) throw unusable(`it is not a JSON object; ${describeAnswer(body)}`);
  const entries = keyEntries(container);
  if (entries === undefined) throw unusable(`it has no \`keys\`; ${describeAnswer(body)}`);
  const misfit = fits(entries.length);
  if (misfit !== true) {
    throw unusable(
      `it holds ${entries.length} keys, ${misfit}`,
      'set kme.maxPerRequest to what the KME gives at once',
    );
  }
  const found = new Map<KeyId, Key>();
  try {
    for (const [at, entry] of entries.entries()) {
      const name = `key ${at + 1} of ${entries.length}`;
      const key = decodeEntry(entry, name, size);
      const repeated = found.has(key.keyId);
      if (repeated) key.secret.wipe();
      else found.set(key.keyId, key);
      if (repeated) throw unusable(`${name} repeats an earlier key_ID`);
    }
  } catch (error) {
    wipeAll(found.values());
    throw error;
  }
  return found;
}

function decodeEntry(entry: unknown, name: string, size: number): Key {
  if (!isObject(entry)) throw unusable(`${name} is not an object`);
  const { key_ID: keyId, key } = entry;
  if (typeof keyId !== 'string' || !isKeyId(keyId)) throw unusable(`${name} has no usable key_ID`);
  if (typeof key !== 'string') throw unusable(`${name} has no text \`key\``);
  const bytes = decodeBase64(key);
  if (bytes === undefined) throw unusable(`${name} is not base64 of the standard alphabet with padding`);
  if (hasSize(bytes, size)) return { keyId, secret: new Secret(bytes) };
  const bits = bytes.byteLength * 8;
  bytes.fill(0);
  throw unusable(
    `${name} has ${bits} bits, asked for were ${size}`,
    'set exchange.size to a size that both KMEs support',
  );
}

/** The bytes that `text` stands for, or undefined where it is not their one canonical base64 (RFC 4648, section 4). */
function decodeBase64(text: string): Uint8Array | undefined {
  // A buffer of its own: one from the shared pool would lie among other people's bytes.
  const bytes = Buffer.alloc(Buffer.byteLength(text, 'base64'));
  bytes.write(text, 'base64');
  if (bytes.toString('base64') === text) return bytes;
  bytes.fill(0);
  return undefined;
}

function unusable(why: string, hint?: string): QkdSyncError {
  return new QkdSyncError('kme-answer', `the KME's key container is unusable: ${why}`, { hint });
}
