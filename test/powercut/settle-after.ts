/** Both sites start again with the disks that a power cut has left, settle, and are judged. */
import type { Bench } from '../crash/bench.js';
import { Sites } from '../crash/site.js';
import { Trial, type Result } from '../crash/trial.js';
import type { Case } from './cases.js';

export async function settleAfter(bench: Bench, { folder, over }: Case): Promise<Result> {
  const sites = await Sites.open(bench.newFolder(), bench.around(), folder);
  try {
    await sites.a.ageLock();
    await sites.b.ageLock();
    const trial = await Trial.open(sites, 0);
    const contacts = await trial.settle('recover');
    // What has been called saved is there.
    return await trial.judge(contacts, true, over ? 'both' : undefined);
  } finally {
    await sites.close();
  }
}
