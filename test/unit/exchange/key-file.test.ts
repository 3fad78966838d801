import { expect, test } from '@jest/globals';
import { Secret } from '../../../src/base/key.js';
import { encodeKeyFile, indexName, keyFileBytes, keyIdName } from '../../../src/exchange/key-file.js';

const key = (keyId: string, ...bytes: number[]) => ({ keyId, secret: new Secret(Uint8Array.from(bytes)) });

test('hex: one key a line, lower case, LF, in the order given', () => {
  const file = encodeKeyFile([key('2', 0x00, 0xab), key('1', 0xff, 0x0f)], 'hex');
  expect(Buffer.from(file).toString()).toBe('00ab\nff0f\n');
});

test('hex: the size is known beforehand', () => {
  const file = encodeKeyFile([key('1', 1, 2, 3), key('2', 4, 5, 6)], 'hex');
  expect(file.byteLength).toBe(keyFileBytes(2, 24, 'hex'));
});

test.each([
  ['B', 0, 'B_0'],
  ['B', 12, 'B_12'],
  ['site b/2', 3, 'site%20b%2F2_3'],
])('index name of peer %s, number %i', (peer, index, name) => {
  expect(indexName(peer, index)).toBe(name);
});

test.each([
  ['bc490419-7d60-487f-adc1-4ddcc177c139', 'bc490419-7d60-487f-adc1-4ddcc177c139.hex'],
  ['..', '%2E..hex'],
  ['a/b', 'a%2Fb.hex'],
])('name by key ID %s', (keyId, name) => {
  expect(keyIdName(keyId, 'hex')).toBe(name);
});

test('a name that no file system takes is refused', () => {
  expect(keyIdName('k'.repeat(251), 'hex')).toHaveLength(255);
  expect(() => keyIdName('k'.repeat(252), 'hex')).toThrow(expect.objectContaining({ code: 'storage' }));
});
