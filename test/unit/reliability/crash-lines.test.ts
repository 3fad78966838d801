/** What docs/reliability.md says of the crash tests. */
import { expect, test } from '@jest/globals';
import { parsePoint } from '../../crash/point.js';
import { summarize } from '../../crash/summary.js';
import { tableOf } from '../../reliability/table.js';

test('a point at which nothing was struck is told from those that were', () => {
  const trial = { outcome: 'both', contacts: 1, wrong: [], said: '' } as const;
  const crash = summarize({ form: 'chosen', seconds: 1, calls: {}, planted: [] }, [
    { point: parsePoint('A:kill-after:1'), result: { ...trial, hit: true } },
    { point: parsePoint('A:kill-after:2'), result: { ...trial, hit: false } },
    { point: parsePoint('B:kill-after:1'), result: { ...trial, hit: true } },
  ]);
  const nothing = { results: [] };
  const found = { random: nothing, exhaustive: [], bugs: nothing, power: undefined, model: '' };
  const lines = tableOf({ ...found, crash }).split('\n');
  expect(lines).toContain(
    '| processes: first A kills | 2 points, 1 of them never came to the call | 2 | 0 | 0 | 0 | 0 | 0 | 1 |',
  );
  expect(lines).toContain('| processes: first B kills | 1 points | 1 | 0 | 0 | 0 | 0 | 0 | 1 |');
});
