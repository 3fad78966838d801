import { describe, expect, test } from '@jest/globals';
import { readErrorBody } from '../../../src/kme/error-body.js';

test.each([
  ['message', '{"message":"no such SAE"}', 'no such SAE'],
  ['details', '{"message":"bad","details":[{"size":"too big"}]}', 'bad [{"size":"too big"}]'],
  ['empty details', '{"message":"bad","details":[]}', 'bad'],
  ['null details', '{"message":"bad","details":null}', 'bad'],
  ['detail', '{"detail":"Not Found"}', 'Not Found'],
  ['several details', '{"detail":[{"loc":["size"],"msg":"too big"},{"msg":"bad"},7]}', 'too big; bad'],
  ['details as an object', '{"message":"bad","details":{"size":"too big"}}', 'bad {"size":"too big"}'],
  ['other JSON', '{"error":"Not Found"}', '{"error":"Not Found"}'],
  ['a message of another type', '{"message":7}', '{"message":7}'],
  ['plain text', 'Service\r\nUnavailable\u0007', 'Service Unavailable'],
  ['control characters in a message', '{"message":"a\\u001b[31mb"}', 'a [31mb'],
  ['long text', 'no key '.repeat(50), `${'no key '.repeat(28)}no k…`],
  ['nothing', '', undefined],
  ['a key container', '{"keys":[{"key_ID":"a","key":"AAAA"}]}', undefined],
  ['a key container cut short', '{"key_ID":"a","key" : "AA', undefined],
  ['keys in details', '{"message":"bad","details":{"key":"AAAA"}}', 'bad'],
  ['keys in a text in details', '{"message":"bad","details":"{\\"key\\":\\"AAAA\\"}"}', 'bad'],
])('%s', (_name, text, expected) => {
  expect(readErrorBody(Buffer.from(text))).toBe(expected);
});

const DEEP = 30_000;

test.each([
  ['arrays', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
  ['objects', `${'{"a":'.repeat(DEEP / 3)}1${'}'.repeat(DEEP / 3)}`],
])(
  'details of %s deeper than any stack are left out, or cut where an engine can write them',
  (_name, details) => {
    const shown = readErrorBody(Buffer.from(`{"message":"bad","details":${details}}`));
    expect(shown).toMatch(/^bad(?: [[{].{100,250}…)?$/);
  },
);

describe('a key that an error gives away', () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 37 + 11) & 0xff));
  const container = (key: string): string => JSON.stringify({ keys: [{ key_ID: 'a', key }] });
  const frames: readonly [string, (key: string) => string][] = [
    ['as a container in the message', (key) => JSON.stringify({ message: container(key) })],
    ['as a container in the detail', (key) => JSON.stringify({ detail: container(key) })],
    ['in the words of the message', (key) => JSON.stringify({ message: `cannot send ${key}, sorry` })],
    ['in the details', (key) => JSON.stringify({ message: 'bad', details: { dump: key } })],
    ['as an assignment', (key) => `key="${key}"`],
    ['in XML', (key) => `<key>${key}</key>`],
    ['where the text is cut', (key) => `${'sorry '.repeat(31)}${key}`],
  ];
  const spellings = (['base64', 'base64url', 'hex'] as const).map((as) => [as, bytes.toString(as)] as const);

  test.each(
    frames.flatMap(([name, frame]) => spellings.map(([as, key]) => [name, as, frame(key), key] as const)),
  )('%s, in %s', (_name, _as, body, key) => {
    const shown = readErrorBody(Buffer.from(body)) ?? '';
    const windows = Array.from({ length: key.length - 7 }, (_, at) => key.slice(at, at + 8));
    expect(windows.filter((window) => shown.includes(window))).toEqual([]);
  });

  test('in UTF-16', () => {
    const body = Buffer.from(container(bytes.toString('base64')), 'utf16le');
    expect(readErrorBody(body)).toBeUndefined();
  });
});

test.each([
  'key_ID 3c0d5ed8-4a0a-4b5e-8f3a-6d2a0c9a51b0 is not known',
  'unknown key: 3c0d5ed8-4a0a-4b5e-8f3a-6d2a0c9a51b0+9f2f41c8-0f5a-4d6e-b1a7-0d7f6c1e2a3b',
  'no route /api/v1/keys/sae-b/enc_keys',
  'SAE Krankenhaus_Nord-0017 is not registered',
])('what is no key stays: %s', (message) => {
  expect(readErrorBody(Buffer.from(JSON.stringify({ message })))).toBe(message);
});

test('bytes that are no UTF-8', () => {
  expect(readErrorBody(Buffer.from([0x41, 0xff]))).toBe('A\ufffd');
});
