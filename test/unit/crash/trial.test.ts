/** What the crash tests say of sites that are settled, by how long that took. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sites } from '../../crash/site.js';
import { Trial } from '../../crash/trial.js';

describe('sites that are settled', () => {
  let sites: Sites;
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'qkd-sync-trial-'));
    sites = await Sites.open(folder, { packed: '', shim: '', config: { A: '', B: '' }, ackTimeout: '1s' });
  });
  afterEach(() => sites.close());

  it.each([
    [1, []],
    [2, ['it took 2 contacts']],
    [3, ['it took 3 contacts']],
    [4, ['it never came to rest']],
  ])('after %d contacts: %j', async (contacts, wrong) => {
    const trial = await Trial.open(sites);
    expect(await trial.judge(contacts, true)).toMatchObject({ contacts, wrong });
  });
});
