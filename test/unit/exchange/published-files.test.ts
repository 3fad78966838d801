import { expect, test } from '@jest/globals';
import { keepPublished, SERVING_KEY_IDS } from '../../../src/exchange/published-files.js';
import type { PublishedFile } from '../../../src/store/context.js';

const file = (index: number, keys: number): PublishedFile => ({
  id: String(index).padStart(32, '0'),
  role: 'responder',
  peer: 'A',
  path: `/keys/A/A_${index}`,
  keyIds: Array.from({ length: keys }, (_, n) => `key-${n}`),
  index,
});

function keptOf(sizes: readonly number[], mostKeyIds?: number): unknown[] {
  const files: PublishedFile[] = [];
  for (const [index, keys] of sizes.entries()) keepPublished(files, file(index, keys), mostKeyIds);
  return files.map(({ index }) => index);
}

test('a run that ends by itself keeps all', () => {
  expect(keptOf(Array.from({ length: 40 }, () => 4_096))).toHaveLength(40);
});

test('a run that serves keeps the last, with as many key IDs as the largest block', () => {
  expect(
    keptOf(
      Array.from({ length: 40 }, () => 4_096),
      SERVING_KEY_IDS,
    ),
  ).toEqual(Array.from({ length: 16 }, (_, n) => 24 + n));
  expect(keptOf([1, 65_536], SERVING_KEY_IDS)).toEqual([1]);
  expect(keptOf([65_536, 1], SERVING_KEY_IDS)).toEqual([1]);
});

test('files whose key IDs could not be read do not pile up either', () => {
  expect(keptOf([0, 0, 0, 0], 3)).toEqual([1, 2, 3]);
});
