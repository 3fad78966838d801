/** The journal of the crash tests keeps what was done well, and nothing else. */
import { expect, test } from '@jest/globals';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../crash/journal.js';
import { parsePoint } from '../../crash/point.js';

const DONE = { outcome: 'both', contacts: 1, hit: true, said: 'much' } as const;

test('a trial that failed is done again, one that went well is not', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'qkd-sync-journal-')), 'crash.jsonl');
  const journal = new Journal(path);
  expect(await journal.read()).toEqual([]);
  const [well, badly] = ['A:kill-after:37', 'B:kill-before:2'].map(parsePoint);
  if (well === undefined || badly === undefined) throw new Error('no points');
  await journal.note({ point: well, result: { ...DONE, wrong: [] } });
  await journal.note({ point: badly, result: { ...DONE, wrong: ['split'] } });
  expect(await new Journal(path).read()).toEqual([{ point: well, result: { ...DONE, wrong: [], said: '' } }]);
});

test('without a path nothing is kept', async () => {
  const journal = new Journal(undefined);
  await journal.note({ point: parsePoint('A:kill-after:1'), result: { ...DONE, wrong: [] } });
  expect(await journal.read()).toEqual([]);
});
