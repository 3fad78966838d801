/** Where a planted bug of durability shows on one file system. */
import type { Bench, Calls } from '../crash/bench.js';
import { inParallel } from '../crash/in-parallel.js';
import { patchedCopy } from '../crash/packed.js';
import { casesOf, type Case, type WhereCut } from './cases.js';
import type { KindName } from './disk.js';
import type { PowerBug } from './planted.js';
import { settleAfter } from './settle-after.js';

/** What a bug has been found out by. */
export interface Shown extends Pick<Case, 'cut' | 'whose' | 'over'> {
  readonly why: string;
}

const JOBS = 4;

/**
 * @param order where the power goes, of the calls that are made with the bug
 * Errors: plain ones, where the bug cannot be planted or an exchange with it fails before the power does.
 */
export async function showBug(
  bench: Bench,
  kind: KindName,
  { name, noFsync, patches }: PowerBug,
  order: WhereCut | ((calls: Calls) => WhereCut),
): Promise<{ readonly states: number; readonly shown: readonly Shown[] }> {
  const packed =
    patches.length === 0 ? undefined : await patchedCopy(bench.packed, `${name}-${kind}`, patches);
  const where = typeof order === 'function' ? order(await bench.calls('first', packed)) : order;
  const { cases, failed } = await casesOf(bench, kind, { ...where, noFsync, packed });
  for (const { cut, why } of failed) throw new Error(`${cut}: ${why}`);
  const shown: Shown[] = [];
  await inParallel(cases, JOBS, async (one) => {
    // Those who start again are sound: it is the disk that is looked at.
    const { wrong, outcome } = await settleAfter(bench, one);
    const { cut, whose, over } = one;
    if (wrong.length > 0) shown.push({ cut, whose, over, why: `${outcome}: ${wrong[0] ?? ''}` });
  });
  return { states: cases.length, shown };
}
