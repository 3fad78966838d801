/** What `status` reads of a site: every peer that has records here, what is open, and which hooks wait. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunHook } from '../../../src/exchange/hook.js';
import { readStatus } from '../../../src/exchange/status.js';
import { Link } from '../../support/link.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(async () => {
  await link.remove();
});

const unable: RunHook = () => Promise.resolve({ how: 'failed', reason: 'no processes left' });

test('a hook that waits is shown with its file, at whatever peer it is', async () => {
  const [a] = await link.exchange({ runHook: unable }, {});
  // A peer that no run of this site knows any more: what it has left is seen all the same.
  const renamed = link.site('Bern');
  const answering = renamed.respond([link.a]);
  const [again] = await link.both(link.a.initiate(renamed, { runHook: unable }), answering);
  const hookAt = (exchange: string | undefined, peer: string): object => {
    const file = join(link.a.keys, peer, `${peer}_0`);
    return { exchange, peer, role: 'initiator', standing: 'due', file };
  };
  const { peers } = await readStatus(link.a.store());
  expect(peers).toEqual([
    { peer: 'B', nextIndex: 1, open: [], givenUp: [], hooks: [hookAt(a.exchange?.id, 'B')], moreHooks: 0 },
    {
      peer: 'Bern',
      nextIndex: 1,
      open: [],
      givenUp: [],
      hooks: [hookAt(again.exchange?.id, 'Bern')],
      moreHooks: 0,
    },
  ]);
});

test('where nothing waits nothing is shown, and no folder is made', async () => {
  await link.exchange();
  expect((await readStatus(link.a.store())).peers).toEqual([
    { peer: 'B', nextIndex: 1, open: [], givenUp: [], hooks: [], moreHooks: 0 },
  ]);
  await expect(access(join(link.a.state, 'B/hooks'))).rejects.toMatchObject({ code: 'ENOENT' });
  await readStatus(link.site('C').store());
  await expect(access(link.site('C').state)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a peer whose records cannot be read hides no other one', async () => {
  await link.exchange();
  const other = link.site('Bern');
  await link.both(link.a.initiate(other), other.respond([link.a]));
  const role = join(link.a.state, 'B/initiator');
  await rm(role, { recursive: true, force: true });
  await writeFile(role, '');
  const { peers, unread } = await readStatus(link.a.store());
  expect(peers).toMatchObject([{ peer: 'Bern', nextIndex: 1 }]);
  expect(unread).toMatchObject([{ peer: 'B', error: { code: 'storage' } }]);
});

test('records that are suspect are not shown', async () => {
  await link.exchange();
  await writeFile(join(link.a.state, 'SUSPECT'), link.a.bootId);
  await expect(readStatus(link.a.store())).rejects.toMatchObject({ code: 'suspect' });
});
