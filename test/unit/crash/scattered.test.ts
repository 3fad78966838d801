/** In which order points are tried, where there may be no time for all of them. */
import { expect, test } from '@jest/globals';
import { scattered } from '../../crash/scattered.js';

const numbers = (length: number): number[] => Array.from({ length }, (_one, at) => at);

test.each([0, 1, 2, 504, 505, 1_009, 1_010, 4_514])('all of %d come, each once', (length) => {
  const all = numbers(length);
  expect([...scattered(all)].sort((a, b) => a - b)).toEqual(all);
});

test('the order is the same each time', () => {
  expect(scattered(numbers(4_514))).toEqual(scattered(numbers(4_514)));
});

test.each([504, 505, 1_009, 1_010, 4_514])(
  'a first part of %d has its share of what comes last',
  (length) => {
    const [part, last] = [length / 4, length / 8];
    const begun = scattered(numbers(length)).slice(0, part);
    const share = begun.filter((at) => at >= length - last).length;
    expect(Math.abs(share - last / 4)).toBeLessThan(4);
  },
);
