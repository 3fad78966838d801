import { expect, test } from '@jest/globals';
import { HOOK_RUNS_KEPT, keepRun, type HookEnd, type HookRun } from '../../../src/exchange/hook.js';

const run = (n: number, end: HookEnd): HookRun => ({
  exchange: String(n).padStart(32, '0'),
  peer: 'A',
  file: `/keys/A/A_${n}`,
  end,
});
const WELL: HookEnd = { how: 'exited', exitCode: 0 };
const BADLY: HookEnd = { how: 'timed-out' };

function kept(ends: readonly HookEnd[]): string[] {
  const runs: HookRun[] = [];
  for (const [n, end] of ends.entries()) keepRun(runs, run(n, end));
  return runs.map(({ file }) => file);
}

test('a run that serves for ever keeps the last of its hooks, and sooner one that failed than one that did not', () => {
  const all = Array.from({ length: HOOK_RUNS_KEPT }, () => WELL);
  expect(kept(all)).toHaveLength(HOOK_RUNS_KEPT);
  const files = kept([BADLY, ...all, WELL]);
  expect(files).toHaveLength(HOOK_RUNS_KEPT);
  expect(files.slice(0, 2)).toEqual(['/keys/A/A_0', '/keys/A/A_3']);
  expect(files.at(-1)).toBe(`/keys/A/A_${HOOK_RUNS_KEPT + 1}`);
});

test('failed ones do not pile up either', () => {
  const files = kept(Array.from({ length: HOOK_RUNS_KEPT + 1 }, () => BADLY));
  expect(files).toHaveLength(HOOK_RUNS_KEPT);
  expect(files[0]).toBe('/keys/A/A_1');
});
