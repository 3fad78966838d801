import { expect, test } from '@jest/globals';
import { FORMATS } from '../../../src/base/format.js';
import { EXTENSIONS, indexName, keyIdName } from '../../../src/exchange/key-file-name.js';

test.each([
  ['B', 0, 'B_0'],
  ['B', 12, 'B_12'],
  ['site b/2', 3, 'site%20b%2F2_3'],
])('index name of peer %s, number %i', (peer, index, name) => {
  expect(indexName(peer, index)).toBe(name);
});

test('an index name that no file system takes is refused, with what to change', () => {
  expect(() => indexName('€'.repeat(28), 100)).toThrow(
    expect.objectContaining({ code: 'storage', hint: 'give the peer a shorter site ID, on both sites' }),
  );
});

test.each([
  ['bc490419-7d60-487f-adc1-4ddcc177c139', 'hex', 'bc490419-7d60-487f-adc1-4ddcc177c139.hex'],
  ['key', 'base64', 'key.b64'],
  ['key', 'raw', 'key.bin'],
  ['key', 'json', 'key.json'],
  ['..', 'hex', '%2E..hex'],
  ['a/b', 'hex', 'a%2Fb.hex'],
] as const)('name by key ID %s as %s', (keyId, format, name) => {
  expect(keyIdName(keyId, format)).toBe(name);
});

test.each(FORMATS)('%s: a name that no file system takes is refused', (format) => {
  const room = 255 - 1 - EXTENSIONS[format].length;
  expect(keyIdName('k'.repeat(room), format)).toHaveLength(255);
  expect(() => keyIdName('k'.repeat(room + 1), format)).toThrow(expect.objectContaining({ code: 'storage' }));
  // Each letter becomes three times as long.
  expect(() => keyIdName('/'.repeat(room), format)).toThrow(expect.objectContaining({ code: 'storage' }));
});
