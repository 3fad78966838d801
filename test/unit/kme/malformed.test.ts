/** What is told of an answer that is no key container, and what never is: a key, however it is spelled. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { QkdSyncError } from '../../../src/base/errors.js';
import { readKeys, readKeysWithKeyIds } from '../../../src/kme/key-container.js';
import { describeAnswer } from '../../../src/kme/malformed.js';

const PAGE =
  '<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body></html>';

describe('describeAnswer', () => {
  test.each([
    ['', 'the answer is empty'],
    ['Service unavailable', 'the answer is no JSON: "Service unavailable"'],
    [PAGE, `the answer is no JSON: "${PAGE.replace('\n', ' ')}"`],
    [`token ${'aB3'.repeat(12)} please`, 'the answer is no JSON: "token [36 characters] please"'],
    ['dead beef 01 02 03 04 05 06', 'the answer is no JSON, but 27 bytes that are not shown'],
    ['null', 'the answer is no JSON: "null"'],
    ['[]', 'the answer is an empty array'],
    ['{}', 'the answer is an empty object'],
    ['{"keys":[{"key_ID":"a","key":"AAAA"}', 'the answer is JSON cut off after 36 bytes'],
    ['{"keys":"AA', 'the answer is JSON cut off after 11 bytes'],
    ['{"keys":"A\\"A"', 'the answer is JSON cut off after 14 bytes'],
    ['{"keys":AAAA}', 'the answer is malformed JSON of 13 bytes'],
    [
      '{"Keys":[{"key_ID":"a"}],"message":"geheim","ok":true,"size":7,"x":null,"4Qf9aZ":{}}',
      'the answer is an object { Keys: an array of 1, the first an object { key_ID: text of 1 }, message: text of 6, ok: true or false, size: a number, [1 characters]: null, [6 characters]: an empty object }',
    ],
  ])('%j', (text, expected) => {
    expect(describeAnswer(Buffer.from(text))).toBe(expected);
  });

  test('says no more of many fields, and quotes no more of a long text', () => {
    const names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
    const object = JSON.stringify(Object.fromEntries(names.map((name, at) => [name, at])));
    expect(describeAnswer(Buffer.from(object))).toMatch(/eight: a number, and 2 more \}$/);
    expect(describeAnswer(Buffer.from('word '.repeat(1_000))).length).toBeLessThan(240);
  });

  test.each([
    ['arrays', (depth: number) => '['.repeat(depth) + ']'.repeat(depth)],
    ['arrays in a field', (depth: number) => `{"kezs":${'['.repeat(depth)}${']'.repeat(depth)}}`],
    ['objects', (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`],
    ['both', (depth: number) => `${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`],
  ])('says no more of %s however deep they are', (_name, nest) => {
    for (const depth of [3, 1_000, 10_000]) {
      const told = describeAnswer(Buffer.from(nest(depth)));
      expect(told).toMatch(/^the answer is an (?:array|object)/);
      expect(told.length).toBeLessThan(160);
    }
  });
});

/** All ways to write a key that anybody has thought of, and to break it up, and to wrap it. */
const SPELLINGS: readonly ((key: Buffer) => string)[] = [
  (key) => key.toString('base64'),
  (key) => key.toString('base64url'),
  (key) => key.toString('hex'),
  (key) => key.toString('hex').toUpperCase(),
  (key) => [...key].join(', '),
  (key) => [...key].map((byte) => byte.toString(2).padStart(8, '0')).join(''),
];
const SEPARATORS = [
  ...['', ' ', '\n', '\r\n', ':', ', ', '","', '<br>', '\\n', '\\u0020', '%', '&#', '-', '/', '\0', '\u200b'],
];
const FRAMES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `<html><body>key: ${text}</body></html>`,
  (text) => `Your key is ${text} and that is all`,
  (text) => JSON.stringify({ [text]: 'key' }),
  (text) => JSON.stringify({ key: text, keys: text }),
  (text) => JSON.stringify({ keys: [{ key_ID: text, key: text }] }),
  (text) => JSON.stringify({ keys: [{ key_ID: text, key: text }] }).slice(0, -3),
  (text) => JSON.stringify([[text], { a: { [text]: text } }]),
  (text) => JSON.stringify(JSON.stringify({ keys: [{ key: text }] })),
  (text) => `)]}'\n${JSON.stringify({ keys: [{ key: text }] })}`,
  (text) => `{"keys": ${text}}`,
];

test('no key of a malformed answer is ever shown, however it is spelled, split and wrapped', () => {
  const key = fc.uint8Array({ minLength: 24, maxLength: 64 }).filter((bytes) => new Set(bytes).size > 16);
  fc.assert(
    fc.property(
      key,
      fc.constantFrom(...SPELLINGS),
      fc.constantFrom(...SEPARATORS),
      fc.integer({ min: 1, max: 64 }),
      fc.constantFrom(...FRAMES),
      (bytes, spell, separator, every, frame) => {
        const spelled = spell(Buffer.from(bytes));
        const parts = spelled.match(new RegExp(`.{1,${every}}`, 'g')) ?? [];
        const body = Buffer.from(frame(parts.join(separator)));
        const reads = [
          () => readKeys(body, { number: 1, size: 8 }),
          () => readKeysWithKeyIds(body, ['other'], 8),
        ];
        for (const shown of reads.map(told)) {
          // As many characters in a row, whatever stood between them, as chance brings into no message.
          const windows = Array.from({ length: spelled.length - 9 }, (_, at) => spelled.slice(at, at + 10));
          expect(windows.filter((window) => shown.includes(plain(window)))).toEqual([]);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

/** Without anything that a key could have been split by. */
function plain(text: string): string {
  return text.replace(/\\u0020|\\n|<br>|[^A-Za-z0-9+/_]/g, '').replace(/^(?=.{0,5}$)/, '\0');
}

/** All of an error but the names of files. */
function told(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof QkdSyncError) return plain(`${error.message} ${error.hint ?? ''}`);
    throw error;
  }
  return '';
}
