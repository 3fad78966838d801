/**
 * The key container of ETSI GS QKD 014 (section 6.3): what *Get key* and *Get key with key IDs* answer.
 *
 * Calling sequence: one of the two functions on the body of a 200 answer. Unknown fields are ignored.
 * Errors: QkdSyncError `kme-answer`. Nothing of the body is ever quoted, key IDs included: a KME that mixes up its
 * fields must not bring key bytes into a log. Keys that were decoded before a fault was found are overwritten.
 */
import { QkdSyncError } from '../base/errors.js';
import { isKeyId, Secret } from '../base/key.js';
import type { Key, KeyId } from '../base/key.js';
import { isObject, parseObject } from './json.js';
import type { KeyRequest } from './kme.js';

/** Exactly the keys that were asked for, in the KME's order. */
export function readKeys(body: Uint8Array, asked: KeyRequest): Key[] {
  const found = decodeContainer(body, asked);
  return [...found].map(([keyId, secret]) => ({ keyId, secret }));
}

/** Exactly the keys of `keyIds`, which holds each ID once, matched by ID and in the order asked for. */
export function readKeysWithKeyIds(body: Uint8Array, keyIds: readonly KeyId[], size: number): Key[] {
  const found = decodeContainer(body, { number: keyIds.length, size });
  const keys: Key[] = [];
  for (const keyId of keyIds) {
    const secret = found.get(keyId);
    // As many distinct IDs came as were asked for: one that is missing means a foreign one in its place.
    if (secret === undefined) {
      wipeAll(found.values());
      throw unusable('a key_ID that was asked for is missing and another has come instead');
    }
    keys.push({ keyId, secret });
  }
  return keys;
}

/** Overwrites keys that will not be used. */
export function wipeAll(secrets: Iterable<Secret>): void {
  for (const secret of secrets) secret.wipe();
}

function decodeContainer(body: Uint8Array, asked: KeyRequest): Map<KeyId, Secret> {
  const container = parseObject(body);
  if (container === undefined) throw unusable('it is not a JSON object');
  const { keys } = container;
  if (!Array.isArray(keys)) throw unusable('it has no array `keys`');
  if (keys.length !== asked.number) {
    throw unusable(`it holds ${keys.length} keys, asked for were ${asked.number}`);
  }
  const found = new Map<KeyId, Secret>();
  try {
    for (const [at, entry] of keys.entries()) {
      const name = `key ${at + 1} of ${asked.number}`;
      const { keyId, secret } = decodeEntry(entry, name, asked.size / 8);
      const repeated = found.has(keyId);
      if (repeated) secret.wipe();
      else found.set(keyId, secret);
      if (repeated) throw unusable(`${name} repeats an earlier key_ID`);
    }
  } catch (error) {
    wipeAll(found.values());
    throw error;
  }
  return found;
}

function decodeEntry(entry: unknown, name: string, sizeBytes: number): Key {
  if (!isObject(entry)) throw unusable(`${name} is not an object`);
  const { key_ID: keyId, key } = entry;
  if (typeof keyId !== 'string' || !isKeyId(keyId)) throw unusable(`${name} has no usable key_ID`);
  if (typeof key !== 'string') throw unusable(`${name} has no text \`key\``);
  const bytes = decodeBase64(key);
  if (bytes === undefined) throw unusable(`${name} is not base64 of the standard alphabet with padding`);
  if (bytes.byteLength !== sizeBytes) {
    const length = bytes.byteLength;
    bytes.fill(0);
    throw unusable(
      `${name} has ${length * 8} bits, asked for were ${sizeBytes * 8}`,
      'set exchange.size to a size that both KMEs support',
    );
  }
  return { keyId, secret: new Secret(bytes) };
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
