/** Where a second run is struck that may make fewer calls than the first. */
import { expect, test } from '@jest/globals';
import { secondCall } from '../../crash/strike.js';

test('a second run is struck at the same call, and at its last ones where it makes fewer', () => {
  const calls = 3;
  expect([1, 2, 3, 4, 5, 6, 7].map((at) => secondCall(at, calls))).toEqual([1, 2, 3, 3, 2, 1, 3]);
});

test('a second run without calls is never struck', () => {
  expect(secondCall(4, 0)).toBeGreaterThan(0);
});
