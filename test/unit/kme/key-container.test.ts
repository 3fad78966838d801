import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { QkdSyncError } from '../../../src/base/errors.js';
import { readKeys, readKeysWithKeyIds } from '../../../src/kme/key-container.js';
import { allOf, errorOf, spellings } from '../../support/kme-client.js';

const bytesOf = (fill: number, length = 32): Buffer => Buffer.alloc(length, fill);
const entry = (keyId: unknown, fill: number, length = 32): object => ({
  key_ID: keyId,
  key: bytesOf(fill, length).toString('base64'),
});
const body = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const shown = (keys: ReturnType<typeof readKeys>): unknown =>
  keys.map(({ keyId, secret }) => [keyId, Buffer.from(secret.reveal()).toString('hex')]);

describe('readKeys', () => {
  test('takes the keys in the order of the KME and ignores unknown fields', () => {
    const container = {
      keys: [
        { ...entry('b', 2), key_ID_extension: null, key_extension: {} },
        { ...entry('a+c', 1), more: 1 },
      ],
      key_container_extension: null,
    };
    expect(shown(readKeys(body(container), { number: 2, size: 256 }))).toEqual([
      ['b', bytesOf(2).toString('hex')],
      ['a+c', bytesOf(1).toString('hex')],
    ]);
  });

  test('takes one object for an array of one', () => {
    const container = body({ keys: entry('a', 1) });
    expect(shown(readKeys(container, { number: 1, size: 256 }))).toEqual([['a', bytesOf(1).toString('hex')]]);
  });

  test('takes fewer than asked for, and none', () => {
    expect(readKeys(body({ keys: [entry('a', 1)] }), { number: 2, size: 256 })).toHaveLength(1);
    expect(readKeys(body({ keys: [] }), { number: 2, size: 256 })).toEqual([]);
  });

  test('the bytes lie in memory of their own', () => {
    const [key] = readKeys(body({ keys: [entry('a', 1)] }), { number: 1, size: 256 });
    expect(key?.secret.reveal().buffer.byteLength).toBe(32);
  });

  test.each([
    ['no JSON', '{"keys":[', /not a JSON object/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /not a JSON object/],
    ['empty', '', /not a JSON object/],
    ['an array', [entry('a', 1)], /not a JSON object/],
    ['null', 'null', /not a JSON object/],
    ['no keys', { Keys: [] }, /no `keys`.*an object \{ Keys: an empty array \}/],
    ['null for keys', { keys: null }, /no `keys`/],
    ['too many', { keys: [entry('a', 1), entry('b', 1)] }, /holds 2 keys, asked for were 1/],
    ['an entry that is no object', { keys: ['a'] }, /key 1 of 1 is not an object/],
    ['no key_ID', { keys: [{ key: 'AAAA' }] }, /no usable key_ID/],
    ['a number for key_ID', { keys: [entry(7, 1)] }, /no usable key_ID/],
    ['an empty key_ID', { keys: [entry('', 1)] }, /no usable key_ID/],
    ['a key_ID with a line end', { keys: [entry('a\nb', 1)] }, /no usable key_ID/],
    ['a key_ID of 257 bytes', { keys: [entry('x'.repeat(257), 1)] }, /no usable key_ID/],
    ['no key', { keys: [{ key_ID: 'a' }] }, /no text `key`/],
    ['bytes for a key', { keys: [{ key_ID: 'a', key: [1, 2] }] }, /no text `key`/],
    ['a key too short', { keys: [entry('a', 1, 31)] }, /has 248 bits, asked for were 256/],
    ['a key too long', { keys: [entry('a', 1, 64)] }, /has 512 bits, asked for were 256/],
    ['an empty key', { keys: [{ key_ID: 'a', key: '' }] }, /has 0 bits/],
  ])('refuses a body with %s', async (_name, value, message) => {
    const given = value instanceof Uint8Array ? value : body(value);
    const error = await errorOf(() => readKeys(given, { number: 1, size: 256 }));
    expect(error.code).toBe('kme-answer');
    expect(error.message).toMatch(message);
  });

  test('refuses a key_ID that comes twice', async () => {
    const container = body({ keys: [entry('a', 1), entry('a', 2)] });
    const error = await errorOf(() => readKeys(container, { number: 2, size: 256 }));
    expect(error).toMatchObject({ code: 'kme-answer', message: expect.stringMatching(/repeats/) });
  });

  test.each([
    ['no padding', '+/8'],
    ['the URL alphabet', '-_8='],
    ['a line end', '+/8=\n'],
    ['white space', '+ /8='],
    ['bits after the end', '+/9='],
    ['text after the padding', '+/8=AAAA'],
    ['another alphabet', '+/ä='],
    ['too much padding', '+/8=='],
  ])('refuses base64 with %s', async (_name, key) => {
    expect(readKeys(body({ keys: [{ key_ID: 'a', key: '+/8=' }] }), { number: 1, size: 16 })).toHaveLength(1);
    const error = await errorOf(() =>
      readKeys(body({ keys: [{ key_ID: 'a', key }] }), { number: 1, size: 16 }),
    );
    expect(error).toMatchObject({ code: 'kme-answer', message: expect.stringMatching(/not base64/) });
  });
});

describe('readKeysWithKeyIds', () => {
  test('matches by key_ID, in the order asked for', () => {
    const container = body({ keys: [entry('c', 3), entry('a', 1), entry('b', 2)] });
    expect(shown(readKeysWithKeyIds(container, ['a', 'b', 'c'], 256))).toEqual([
      ['a', bytesOf(1).toString('hex')],
      ['b', bytesOf(2).toString('hex')],
      ['c', bytesOf(3).toString('hex')],
    ]);
  });

  test.each([
    ['missing', [entry('a', 1)], /holds 1 keys/],
    ['twice', [entry('a', 1), entry('a', 2)], /repeats/],
    ['foreign', [entry('a', 1), entry('x', 2)], /another has come/],
    ['of another case', [entry('a', 1), entry('B', 2)], /another has come/],
    ['one more', [entry('a', 1), entry('b', 2), entry('x', 2)], /holds 3 keys/],
    ['of another length', [entry('a', 1), entry('b', 2, 16)], /has 128 bits/],
  ])('refuses an ID that is %s', async (_name, keys, message) => {
    const error = await errorOf(() => readKeysWithKeyIds(body({ keys }), ['a', 'b'], 256));
    expect(error.code).toBe('kme-answer');
    expect(error.message).toMatch(message);
  });
});

describe('properties', () => {
  const secret = fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => new Set(bytes).size > 8);

  test('whatever the bytes, keys of the right size or a typed error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(body)), (bytes) => {
        try {
          const keys = readKeys(bytes, { number: 1, size: 128 });
          expect(keys.map((key) => key.secret.byteLength)).toEqual([16]);
        } catch (error) {
          expect(error).toBeInstanceOf(QkdSyncError);
        }
      }),
    );
  });

  test('no key bytes in the error, wherever a container is damaged or whichever field holds them', () => {
    const damage = fc.record({ at: fc.nat(), cut: fc.boolean(), byte: fc.integer({ min: 0, max: 255 }) });
    const names = fc.constantFrom('key', 'key_ID', 'message', 'keys');
    fc.assert(
      fc.property(secret, secret, names, damage, (first, second, name, { at, cut, byte }) => {
        const [one, two] = [first, second].map((bytes) => Buffer.from(bytes).toString('base64'));
        const whole = body({
          keys: [
            { key_ID: 'a', key: one, [name]: two },
            { key_ID: two, key: one },
          ],
        });
        const place = at % whole.length;
        const damaged = cut ? whole.subarray(0, place) : Buffer.from(whole).fill(byte, place, place + 1);
        for (const number of [1, 2]) {
          const asked = ['a', 'b'].slice(0, number);
          for (const read of [
            () => readKeys(damaged, { number, size: 256 }),
            () => readKeysWithKeyIds(damaged, asked, 128),
          ]) {
            try {
              read();
            } catch (error) {
              const text = allOf(error);
              for (const spelling of [...spellings(first), ...spellings(second)]) {
                expect(text).not.toContain(spelling);
              }
            }
          }
        }
      }),
    );
  });
});
