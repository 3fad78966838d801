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
  // One stretch of memory for all: with one of its own a key would take ten times its size.
  const keyBytes = size / 8;
  const secrets = Buffer.alloc(entries.length * keyBytes);
  try {
    for (const [at, entry] of entries.entries()) {
      const name = `key ${at + 1} of ${entries.length}`;
      const key = decodeEntry(entry, name, secrets, at * keyBytes, keyBytes);
      if (found.has(key.keyId)) throw unusable(`${name} repeats an earlier key_ID`);
      found.set(key.keyId, key);
    }
  } catch (error) {
    secrets.fill(0);
    throw error;
  }
  return found;
}

/** @param start where in `secrets` the key's bytes go, and `keyBytes` how many they must be */
function decodeEntry(entry: unknown, name: string, secrets: Buffer, start: number, keyBytes: number): Key {
  if (!isObject(entry)) throw unusable(`${name} is not an object`);
  const { key_ID: keyId, key } = entry;
  if (typeof keyId !== 'string' || !isKeyId(keyId)) throw unusable(`${name} has no usable key_ID`);
  if (typeof key !== 'string') throw unusable(`${name} has no text \`key\``);
  const length = Buffer.byteLength(key, 'base64');
  const fits = hasSize(length, keyBytes * 8);
  const isCanonical = fits ? decodeBase64(key, secrets, start, length) : isBase64(key, length);
  if (isCanonical && fits) return { keyId, secret: new Secret(secrets, start, start + keyBytes) };
  if (!isCanonical) throw unusable(`${name} is not base64 of the standard alphabet with padding`);
  throw unusable(
    `${name} has ${length * 8} bits, asked for were ${keyBytes * 8}`,
    'set exchange.size to a size that both KMEs support',
  );
}

/** Writes what `text` stands for; whether it is the one canonical base64 of it (RFC 4648, section 4). */
function decodeBase64(text: string, into: Buffer, start: number, length: number): boolean {
  into.write(text, start, length, 'base64');
  return into.toString('base64', start, start + length) === text;
}

function isBase64(text: string, length: number): boolean {
  const bytes = Buffer.alloc(length);
  const isCanonical = decodeBase64(text, bytes, 0, length);
  bytes.fill(0);
  return isCanonical;
}

function unusable(why: string, hint?: string): QkdSyncError {
  return new QkdSyncError('kme-answer', `the KME's key container is unusable: ${why}`, { hint });
}
