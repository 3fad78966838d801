/** Which faults the crash tests let which calls meet. */
import { expect, test } from '@jest/globals';
import { plan } from '../../crash/plan.js';
import { pointName } from '../../crash/point.js';
import type { Call } from '../../crash/shim.js';

const CALLS: readonly Call[] = ['creat', 'write', 'fsync', 'unlink'].map((kind, index) => ({
  at: index + 1,
  kind,
  paths: ['/a'],
  fresh: true,
}));

function calls(how: string): number[] {
  return plan('first', 'A', CALLS, true)
    .filter((point) => pointName({ ...point, at: 0 }) === `A:${how}:0`)
    .map(({ at }) => at);
}

test('a read-only file system refuses every call, those on open files too', () => {
  expect(calls('EROFS')).toEqual([1, 2, 3, 4]);
  expect(calls('EROFS+')).toEqual([1, 2, 3, 4]);
});

test('permission is asked for by name, and by no open file', () => {
  expect(calls('EACCES')).toEqual([1, 4]);
});

test('a full file system still lets things go, and only a write can be short', () => {
  expect(calls('ENOSPC')).toEqual([1, 2, 3]);
  expect(calls('torn')).toEqual([2]);
});
