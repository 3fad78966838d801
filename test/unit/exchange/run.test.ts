/** What a run says at its end is what the records say, and lasts. */
import { afterEach, expect, test } from '@jest/globals';
import { reportOf, type Ending, type RunPorts } from '../../../src/exchange/run.js';
import {
  BETA,
  exchangeOf,
  ID,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

const RUN = { exchange: undefined, peerAlarms: 0, foreign: 0, kme: undefined, hooks: [], error: undefined };

async function reported(
  { store }: Process,
  course: Ending['course'] = RUN,
  heard?: Ending['heard'],
): ReturnType<typeof reportOf> {
  const ports = { store, published: [] } as unknown as RunPorts;
  const peer = { site: PEER, sae: '' };
  return reportOf(ports, { role: 'responder', peers: [peer], owner: peer, course, heard });
}

/** Another run has moved the key file into place, and was killed before it could make that last. */
async function movedAndKilled(): Promise<StoreFolder> {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  await stage(process, exchangeOf({ role: 'responder' }));
  process.fs.at = ({ name, path }) =>
    name === 'rename' && path.endsWith('/key') ? { kill: 'after' } : undefined;
  await expect(process.store.commit(PEER, ID, BETA)).rejects.toThrow('killed');
  return folder;
}

test('a key file that can be seen is made durable before it is said to be saved', async () => {
  const folder = await movedAndKilled();
  const process = await folder.open();
  const synced: string[] = [];
  process.fs.at = ({ name, path }) => {
    if (name === 'syncFolder') synced.push(path);
    return undefined;
  };
  expect(await reported(process)).toMatchObject({ outcome: 'unconfirmed' });
  expect(synced).toEqual([folder.layout.keys, folder.layout.peerKeys(PEER)]);
});

test('where that fails, nothing of it is said, and the state is suspect', async () => {
  const folder = await movedAndKilled();
  const process = await folder.open();
  process.fs.at = ({ name, path }) =>
    name === 'syncFolder' && path === folder.layout.peerKeys(PEER) ? { errno: 'EIO' } : undefined;
  expect(await reported(process)).toMatchObject({ open: [], error: { code: 'suspect' } });
  await expect(folder.start().store.open()).rejects.toMatchObject({ code: 'suspect' });
});

test('a vote that an operator has aborted is not said to be saved by the run that has heard of the commit', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  const vote = exchangeOf({ role: 'responder' });
  await stage(process, vote);
  const found = await process.store.find(ID);
  if (found === undefined) throw new Error('no record');
  await process.store.resolve(found, { choice: 'abort', by: 'somebody', time: 0 });
  const exchange = { id: ID, keyIds: [], name: vote.name, index: vote.index };
  const heard = { ...exchange, progress: 'committed' } as const;
  expect(await reported(process, { ...RUN, exchange: heard }, { id: ID, decision: 'commit' })).toMatchObject({
    outcome: 'alarm',
    open: [{ id: ID, standing: 'alarm', reason: 'contradiction' }],
  });
  const unheard = { ...exchange, progress: 'open' } as const;
  expect(await reported(process, { ...RUN, exchange: unheard })).toMatchObject({
    outcome: 'aborted',
    open: [],
  });
});
