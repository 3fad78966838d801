/**
 * The bytes of a key file in each format (docs/formats.md).
 *
 * A file is written into one buffer of its exact size. Key bytes never become text: a string cannot be overwritten,
 * and that of a block of 65,536 keys would lie about in memory for as long as the runtime likes.
 */
import type { Format } from '../base/format.js';
import { KEY_ID_MAX_BYTES, type Key } from '../base/key.js';

interface Encoding {
  /** In bytes, of the file of these keys. */
  readonly measure: (keys: readonly Key[]) => number;
  readonly write: (page: Page, keys: readonly Key[]) => void;
  /** The most bytes that a key of so many bytes takes. */
  readonly mostOfKey: (keyBytes: number) => number;
  /** What the file has besides its keys. */
  readonly frame: number;
}

const HEX = Buffer.from('0123456789abcdef');
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;
const LINE_FEED = 0x0a;

const JSON_HEAD = '{"keys":[';
const JSON_FOOT = ']}\n';
/** Around the ID, the key, and before the next one; the ID brings its own quotes. */
const JSON_KEY = ['{"key_ID":', ',"key":"', '"}', ','] as const;
const JSON_KEY_BYTES = JSON_KEY.join('').length;

const base64Bytes = (keyBytes: number): number => 4 * Math.ceil(keyBytes / 3);

const ENCODINGS: Readonly<Record<Format, Encoding>> = {
  hex: ofEachKey((keyBytes) => 2 * keyBytes + 1, writeHexLine),
  base64: ofEachKey((keyBytes) => base64Bytes(keyBytes) + 1, writeBase64Line),
  raw: ofEachKey(
    (keyBytes) => keyBytes,
    (page, key) => {
      page.bytes(key);
    },
  ),
  json: {
    frame: JSON_HEAD.length + JSON_FOOT.length,
    // Each byte of an ID may need an escape.
    mostOfKey: (keyBytes) => JSON_KEY_BYTES + 2 * KEY_ID_MAX_BYTES + 2 + base64Bytes(keyBytes),
    measure: (keys) =>
      keys.reduce(
        (sum, { keyId, secret }) =>
          sum + JSON_KEY_BYTES + Buffer.byteLength(JSON.stringify(keyId)) + base64Bytes(secret.byteLength),
        JSON_HEAD.length + JSON_FOOT.length - JSON_KEY[3].length,
      ),
    write: writeContainer,
  },
};

/** The file of these keys, in this order. The answer is as secret as they are: overwrite it once it is written. */
export function encodeKeyFile(keys: readonly Key[], format: Format): Uint8Array {
  const { measure, write } = ENCODINGS[format];
  const page = new Page(measure(keys));
  write(page, keys);
  return page.whole;
}

/** How large the file of `count` keys of `size` bits is, in bytes: exactly, or, where key IDs are in it, at most. */
export function keyFileBytes(count: number, size: number, format: Format): number {
  const { mostOfKey, frame } = ENCODINGS[format];
  return frame + count * mostOfKey(size / 8);
}

/** One key ID in JSON: each byte of it may need an escape, and it has quotes and a comma. */
const KEY_ID_JSON_BYTES = 2 * KEY_ID_MAX_BYTES + 3;

/** How much `count` keys of `size` bits take on a disk until they are published, in bytes, at most: their file and their IDs. */
export function stagedBytes(count: number, size: number, format: Format): number {
  return keyFileBytes(count, size, format) + count * KEY_ID_JSON_BYTES;
}

/** A buffer that is filled from its beginning to its end. */
class Page {
  readonly whole: Buffer;
  #at = 0;

  constructor(size: number) {
    this.whole = Buffer.alloc(size);
  }

  byte(value: number | undefined): void {
    this.whole[this.#at] = value ?? 0;
    this.#at += 1;
  }

  bytes(values: Uint8Array): void {
    this.whole.set(values, this.#at);
    this.#at += values.byteLength;
  }

  /** Nothing secret. */
  text(text: string): void {
    this.#at += this.whole.write(text, this.#at, 'utf8');
  }
}

/** Keys one after the other, and nothing else. */
function ofEachKey(
  bytesOfKey: (keyBytes: number) => number,
  writeKey: (page: Page, key: Uint8Array) => void,
): Encoding {
  return {
    frame: 0,
    mostOfKey: bytesOfKey,
    measure: (keys) => keys.reduce((sum, { secret }) => sum + bytesOfKey(secret.byteLength), 0),
    write: (page, keys) => {
      for (const { secret } of keys) writeKey(page, secret.reveal());
    },
  };
}

function writeHexLine(page: Page, key: Uint8Array): void {
  for (const byte of key) {
    page.byte(HEX[byte >> 4]);
    page.byte(HEX[byte & 15]);
  }
  page.byte(LINE_FEED);
}

function writeBase64Line(page: Page, key: Uint8Array): void {
  writeBase64(page, key);
  page.byte(LINE_FEED);
}

function writeBase64(page: Page, key: Uint8Array): void {
  for (let at = 0; at < key.byteLength; at += 3) {
    const left = key.byteLength - at;
    const three = ((key[at] ?? 0) << 16) | ((key[at + 1] ?? 0) << 8) | (key[at + 2] ?? 0);
    page.byte(BASE64[three >> 18]);
    page.byte(BASE64[(three >> 12) & 63]);
    page.byte(left > 1 ? BASE64[(three >> 6) & 63] : PADDING);
    page.byte(left > 2 ? BASE64[three & 63] : PADDING);
  }
}

/** The key container of ETSI GS QKD 014, 6.3. */
function writeContainer(page: Page, keys: readonly Key[]): void {
  const [beforeId, beforeKey, afterKey, between] = JSON_KEY;
  page.text(JSON_HEAD);
  for (const [at, { keyId, secret }] of keys.entries()) {
    page.text(`${at === 0 ? '' : between}${beforeId}${JSON.stringify(keyId)}${beforeKey}`);
    writeBase64(page, secret.reveal());
    page.text(afterKey);
  }
  page.text(JSON_FOOT);
}
