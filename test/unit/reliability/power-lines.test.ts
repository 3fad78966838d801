/** What docs/reliability.md says of the power cuts. */
import { expect, test } from '@jest/globals';
import { summarize } from '../../crash/summary.js';
import { tableOf } from '../../reliability/table.js';

const OUTCOMES = { both: 7, neither: 6, split: 0, unsettled: 0, duplicate: 0, 'left-over': 0, untrue: 0 };

test('before how many calls the power went, and which missing fsync was caught where', () => {
  const nothing = { results: [] };
  const power = {
    form: 'short',
    seconds: 1,
    rows: {
      xfs: { cuts: 16, calls: { cut: 6, of: 162 }, states: 13, outcomes: OUTCOMES, contacts: 1 },
    },
    planted: [
      { name: 'no-fsync on ext4', caughtAt: 'A:53' },
      { name: 'decision-without-fsync on ext4', caughtAt: undefined },
    ],
    failures: [],
  };
  const crash = summarize({ form: 'full', seconds: 1, calls: {}, planted: [] }, [], []);
  const lines = tableOf({ random: nothing, exhaustive: [], bugs: nothing, crash, power, model: '' }).split(
    '\n',
  );
  expect(lines).toContain(
    '| power cut: xfs | before 6 of 162 calls: 16 cuts, 13 states | 7 | 6 | 0 | 0 | 0 | 0 | 0 | 1 |',
  );
  expect(lines).toContain('- power cuts: 1 caught of 2: no-fsync on ext4');
});
