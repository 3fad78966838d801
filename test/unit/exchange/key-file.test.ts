import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { FORMATS } from '../../../src/base/format.js';
import { Secret, type Key } from '../../../src/base/key.js';
import { encodeKeyFile, keyFileBytes, stagedBytes } from '../../../src/exchange/key-file.js';
import { encodeKeyIds } from '../../../src/store/key-ids.js';

const key = (keyId: string, ...bytes: number[]): Key => ({
  keyId,
  secret: new Secret(Uint8Array.from(bytes)),
});

const keysOf = (count: number, byteLength: number): Key[] =>
  Array.from({ length: count }, (_, at) => ({
    keyId: `key-${at}`,
    secret: new Secret(randomBytes(byteLength)),
  }));

const textOf = (keys: readonly Key[], format: (typeof FORMATS)[number]): string =>
  Buffer.from(encodeKeyFile(keys, format)).toString('utf8');

test('hex: one key a line, lower case, LF, in the order given', () => {
  expect(textOf([key('2', 0x00, 0xab), key('1', 0xff, 0x0f)], 'hex')).toBe('00ab\nff0f\n');
});

test('base64: one key a line, padded, LF, in the order given', () => {
  expect(textOf([key('2', 0xfb, 0xff, 0xfe, 0), key('1', 1, 2, 3)], 'base64')).toBe('+//+AA==\nAQID\n');
});

test('raw: nothing but the keys, end to end', () => {
  const file = encodeKeyFile([key('2', 0x0a, 0xab), key('1', 0xff, 0x00)], 'raw');
  expect(Buffer.from(file)).toEqual(Buffer.from('0aabff00', 'hex'));
});

test('json: the key container of ETSI GS QKD 014, keys in the order given', () => {
  expect(textOf([key('2', 1, 2), key('1', 3, 4)], 'json')).toBe(
    '{"keys":[{"key_ID":"2","key":"AQI="},{"key_ID":"1","key":"AwQ="}]}\n',
  );
});

test('json: key IDs are kept to the letter', () => {
  const keys = ['"', '\\', 'ключ', '🔑', "it's </script>"].map((keyId) => key(keyId, 1));
  const { keys: read } = JSON.parse(textOf(keys, 'json')) as { keys: { key_ID: string }[] };
  expect(read.map(({ key_ID: keyId }) => keyId)).toEqual(keys.map(({ keyId }) => keyId));
});

describe.each([1, 2, 3, 8, 31, 32, 33, 512])('keys of %i bytes', (byteLength) => {
  const keys = keysOf(5, byteLength);
  const plain = keys.map(({ secret }) => Buffer.from(secret.reveal()));

  test("are as Node's own encodings have them", () => {
    expect(textOf(keys, 'hex')).toBe(plain.map((bytes) => `${bytes.toString('hex')}\n`).join(''));
    expect(textOf(keys, 'base64')).toBe(plain.map((bytes) => `${bytes.toString('base64')}\n`).join(''));
    expect(Buffer.from(encodeKeyFile(keys, 'raw'))).toEqual(Buffer.concat(plain));
    expect(JSON.parse(textOf(keys, 'json'))).toEqual({
      keys: keys.map(({ keyId }, at) => ({ key_ID: keyId, key: plain[at]?.toString('base64') })),
    });
  });

  test.each(['hex', 'base64', 'raw'] as const)('%s: the size is known beforehand', (format) => {
    expect(encodeKeyFile(keys, format).byteLength).toBe(keyFileBytes(5, 8 * byteLength, format));
  });
});

test('json: the size with the longest of all key IDs is the one known beforehand, but for the last comma', () => {
  const keys = [0, 1].map((at) => ({ ...key('', 1, 2, 3, 4), keyId: `${'"'.repeat(255)}${at}` }));
  const most = keyFileBytes(2, 32, 'json');
  // The digit at the end of each ID needs no escape.
  expect(encodeKeyFile(keys, 'json').byteLength).toBe(most - 1 - 2);
});

test.each(FORMATS)('%s: a record of them has room beforehand, however long the key IDs are', (format) => {
  const keys = [0, 1].map(() => ({ ...key('', 1, 2, 3, 4), keyId: '"'.repeat(256) }));
  const keyIds = encodeKeyIds(keys.map(({ keyId }) => keyId));
  const bytes = encodeKeyFile(keys, format).byteLength + keyIds.byteLength;
  expect(stagedBytes(2, 32, format)).toBeGreaterThanOrEqual(bytes - '[]\n'.length);
  expect(stagedBytes(2, 32, format)).toBeLessThan(bytes + 10);
});

test.each(FORMATS)('%s: a block of 65,536 keys takes its own size of memory, and little time', (format) => {
  const keys = keysOf(65_536, 32);
  const startedAt = performance.now();
  const before = process.memoryUsage().arrayBuffers;
  const file = encodeKeyFile(keys, format);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(file.byteLength + 1_000_000);
  expect(file.byteLength).toBeGreaterThanOrEqual(65_536 * 32);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
