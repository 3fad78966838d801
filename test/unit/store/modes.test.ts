/** Folders 0700, files 0600, whatever the umask. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/base/clock.js';
import { createLock } from '../../../src/store/lock.js';
import {
  BETA,
  exchangeOf,
  ID,
  keyFiles,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  removeStoreFolders,
  stage,
  wrongModes,
} from '../../support/store-folder.js';

let umask: number | undefined;

afterEach(async () => {
  if (umask !== undefined) process.umask(umask);
  await removeStoreFolders();
});

describe.each([0o000, 0o022, 0o077])('under umask %o', (mask) => {
  it('nothing that a whole exchange makes is open to others', async () => {
    const folder = await makeStoreFolder();
    const own = await folder.open();
    umask = process.umask(mask);
    const wrong: string[] = [];
    const look = async (): Promise<void> => {
      wrong.push(...(await wrongModes(folder.path)));
    };
    const lock = createLock(systemClock, () => undefined);
    const unlock = await lock(folder.layout.lock(PEER), 0, new AbortController().signal);
    own.fs.at = ({ name }) => (name === 'rename' || name === 'unlink' ? { hold: look() } : undefined);
    await own.store.probe(PEER, 1);
    await stage(own);
    await own.store.decide(PEER, ID, BETA);
    await own.store.alarm(ID, 'contradiction');
    await look();
    await own.store.finish(ID);
    await stage(own, exchangeOf({ role: 'responder', name: 'B_1', index: 1 }));
    await own.store.commit(PEER, ID, BETA);
    await look();
    await own.store.forget(PEER, ID, PEER_STATE_ID);
    await look();
    await stage(own, exchangeOf({ role: 'responder', name: 'B_2', index: 2 }));
    const vote = await own.store.find(ID);
    if (vote !== undefined) await own.store.resolve(vote, { choice: 'commit', by: 'op', time: 0 });
    await look();
    await unlock();
    expect(wrong).toEqual([]);
    expect(Object.keys(await keyFiles(folder.layout))).toEqual(['B/B_0', 'B/B_1', 'B/B_2']);
  });

  it('the mark of a failed fsync is not either', async () => {
    umask = process.umask(mask);
    const folder = await makeStoreFolder();
    const own = await folder.open();
    await stage(own);
    own.fs.at = ({ name, path }) =>
      name === 'syncFolder' && path.endsWith('/initiator') ? { errno: 'EIO' } : undefined;
    await expect(own.store.decide(PEER, ID, BETA)).rejects.toMatchObject({ code: 'suspect' });
    expect(await wrongModes(folder.path)).toEqual([]);
    expect(await folder.tree()).toContain('exchanges/SUSPECT');
  });
});
