/** What docs/reliability.md says of the crash tests. */
import { expect, test } from '@jest/globals';
import { parsePoint } from '../../crash/point.js';
import { summarize, type Finished } from '../../crash/summary.js';
import { tableOf } from '../../reliability/table.js';

const TRIAL = { outcome: 'both', contacts: 1, wrong: [], said: '' } as const;

/** @param untried points that were planned too */
function linesOf(finished: readonly Finished[], untried: readonly string[] = []): string[] {
  const all = [...finished.map(({ point }) => point), ...untried.map(parsePoint)];
  const crash = summarize({ form: 'chosen', seconds: 1, calls: {}, planted: [] }, finished, all);
  const nothing = { results: [] };
  const found = { random: nothing, exhaustive: [], bugs: nothing, power: undefined, model: '' };
  return tableOf({ ...found, crash }).split('\n');
}

test('a point at which nothing was struck is told from those that were', () => {
  const lines = linesOf([
    { point: parsePoint('A:kill-after:1'), result: { ...TRIAL, hit: true } },
    { point: parsePoint('A:kill-after:2'), result: { ...TRIAL, hit: false } },
    { point: parsePoint('B:kill-after:1'), result: { ...TRIAL, hit: true } },
  ]);
  expect(lines).toContain(
    '| processes: first A kills | 2 points, 1 of them never came to the call | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |',
  );
  expect(lines).toContain('| processes: first B kills | 1 points | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |');
});

test('what was planned and not tried is said to be so', () => {
  const lines = linesOf(
    [{ point: parsePoint('A:kill-after:1'), result: { ...TRIAL, hit: true } }],
    ['A:kill-after:2', 'A:kill-after:3', 'cut:A:1:half', 'cut-rst:B:2:half'],
  );
  expect(lines).toContain('| processes: first A kills | 1 of 3 points | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |');
  expect(lines).toContain('| processes: cuts | 0 of 2 points | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |');
});

test('an exit code that says what is not so has a column', () => {
  const result = {
    ...TRIAL,
    outcome: 'untrue',
    wrong: ['A recover ended with 0, but open here: voted'],
  } as const;
  const lines = linesOf([{ point: parsePoint('A:kill-after:1'), result: { ...result, hit: true } }]);
  expect(lines[0]).toContain('| left-over | untrue | contacts |');
  expect(lines).toContain('| processes: first A kills | 1 points | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 1 |');
});
