/** The order in which things become durable (docs/protocol.md, "Records" and rules 1, 4, 7 and 8). */
import { mkdir } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BETA,
  exchangeOf,
  ID,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

/** What `work` changes on the disk, in order, in a process of its own. */
async function changesOf(
  folder: StoreFolder,
  work: (process: Process) => Promise<unknown>,
): Promise<string[]> {
  const process = await folder.open();
  process.fs.done.length = 0;
  await work(process);
  return process.fs.changes((path) => folder.shorten(path));
}

const WRITING = (path: string): string[] => [`create ${path}`, `write ${path}`, `sync ${path}`];

const RESERVING = (role: string, n: number): string[] => [
  `mkdir exchanges/B/${role}/<id>.tmp/reservation`,
  ...WRITING(`exchanges/B/${role}/<id>.tmp/reservation/<id>`),
  `syncFolder exchanges/B/${role}/<id>.tmp/reservation`,
  `rename exchanges/B/${role}/<id>.tmp/reservation -> exchanges/B/names/B_${n}`,
  'syncFolder exchanges/B/names',
];

describe('the first use of a folder', () => {
  it('makes the state ID whole and fsyncs every parent', async () => {
    const folder = await makeStoreFolder();
    const { store, fs } = folder.start();
    await store.open();
    await store.preparePeer(PEER);
    expect(fs.changes((path) => folder.shorten(path))).toEqual([
      'syncFolder ..',
      'mkdir exchanges',
      'syncFolder ',
      'mkdir exchanges/.trash',
      'syncFolder exchanges',
      ...WRITING('exchanges/.trash/*'),
      'link exchanges/.trash/* -> exchanges/state-id',
      'unlink exchanges/.trash/*',
      'syncFolder exchanges',
      'syncFolder ',
      'mkdir exchanges/B',
      'syncFolder exchanges',
    ]);
  });

  it('fsyncs again what an earlier run made and may have been killed over', async () => {
    const folder = await makeStoreFolder();
    await folder.open();
    const { store, fs } = folder.start();
    await store.open();
    await store.preparePeer(PEER);
    // The parent of `exchanges` is fsynced by the run that finds the folder missing or, each time, through `.trash`.
    expect(fs.changes((path) => folder.shorten(path))).toEqual([
      'syncFolder exchanges',
      'syncFolder exchanges',
      'syncFolder exchanges',
    ]);
  });
});

describe('the initiator', () => {
  it('reserves the name, then stages, all durably, before SYN (rule 1)', async () => {
    const folder = await makeStoreFolder();
    expect(await changesOf(folder, stage)).toEqual([
      'syncFolder exchanges',
      'mkdir exchanges/B/initiator',
      'syncFolder exchanges/B',
      'mkdir exchanges/B/initiator/<id>.tmp',
      'syncFolder exchanges',
      'mkdir exchanges/B/names',
      'syncFolder exchanges/B',
      ...RESERVING('initiator', 0),
      ...WRITING('exchanges/B/initiator/<id>.tmp/exchange.json'),
      ...WRITING('exchanges/B/initiator/<id>.tmp/key-ids.json'),
      ...WRITING('exchanges/B/initiator/<id>.tmp/key'),
      'syncFolder exchanges/B/initiator/<id>.tmp',
      'rename exchanges/B/initiator/<id>.tmp -> exchanges/B/initiator/<id>.staged',
      'syncFolder exchanges/B/initiator',
    ]);
  });

  it('has beta durable before it decides, and the decision before it tells (rule 4)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, stage);
    expect(await changesOf(folder, ({ store }) => store.decide(PEER, ID, BETA))).toEqual([
      ...WRITING('exchanges/B/initiator/<id>.staged/beta'),
      'syncFolder exchanges/B/initiator/<id>.staged',
      'rename exchanges/B/initiator/<id>.staged -> exchanges/B/initiator/<id>.committed',
      'syncFolder exchanges/B/initiator',
    ]);
  });

  it('fsyncs a decision that it has read before it repeats it (rule 6)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, stage);
    await changesOf(folder, ({ store }) => store.decide(PEER, ID, BETA));
    expect(await changesOf(folder, ({ store }) => store.judge(ID))).toEqual([
      'syncFolder exchanges/B/initiator',
    ]);
  });

  it('publishes, raises the mark and removes its record, each durably before the next (rules 8 and 12)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, stage);
    await changesOf(folder, ({ store }) => store.decide(PEER, ID, BETA));
    expect(await changesOf(folder, ({ store }) => store.finish(ID))).toEqual([
      'syncFolder exchanges/B/initiator',
      'syncFolder ..',
      'mkdir keys',
      'syncFolder ',
      'syncFolder ',
      'mkdir keys/B',
      'syncFolder keys',
      'rename exchanges/B/initiator/<id>.committed/key -> keys/B/B_0',
      'syncFolder keys',
      'syncFolder keys/B',
      'syncFolder exchanges/B/initiator/<id>.committed',
      'syncFolder exchanges',
      'mkdir exchanges/B/index',
      'syncFolder exchanges/B',
      ...WRITING('exchanges/B/index/0'),
      'syncFolder exchanges/B/index',
      'unlink exchanges/B/names/B_0/<id>',
      'rmdir exchanges/B/names/B_0',
      'syncFolder exchanges',
      'rename exchanges/B/initiator/<id>.committed -> exchanges/.trash/*',
      'syncFolder exchanges/B/initiator',
      'syncFolder exchanges/.trash',
      'unlink exchanges/.trash/*/beta',
      'unlink exchanges/.trash/*/exchange.json',
      'unlink exchanges/.trash/*/key-ids.json',
      'rmdir exchanges/.trash/*',
    ]);
  });

  it('publishes durably into folders that somebody has made and not fsynced', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, stage);
    await changesOf(folder, ({ store }) => store.decide(PEER, ID, BETA));
    await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
    const changes = await changesOf(folder, ({ store }) => store.finish(ID));
    expect(changes.slice(0, 4)).toEqual([
      'syncFolder exchanges/B/initiator',
      'syncFolder ',
      'syncFolder keys',
      'rename exchanges/B/initiator/<id>.committed/key -> keys/B/B_0',
    ]);
  });

  it('makes a removal durable that another process has done, before END (rule 8)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, stage);
    await changesOf(folder, ({ store }) => store.decide(PEER, ID, BETA));
    await changesOf(folder, ({ store }) => store.finish(ID));
    expect(await changesOf(folder, ({ store }) => store.finish(ID))).toEqual([
      'syncFolder exchanges/B/initiator',
    ]);
  });

  it('makes an abort durable before the name is free (rule 11)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, stage);
    expect(await changesOf(folder, ({ store }) => store.judge(ID))).toEqual([
      'rename exchanges/B/initiator/<id>.staged -> exchanges/B/initiator/<id>.aborted',
      'syncFolder exchanges/B/initiator',
      'unlink exchanges/B/names/B_0/<id>',
      'rmdir exchanges/B/names/B_0',
    ]);
  });
});

describe('the responder', () => {
  const VOTE = exchangeOf({ role: 'responder' });
  const vote = (process: Process): Promise<void> => stage(process, VOTE);

  it('has all of its vote durable before SYN_ACK (rule 2)', async () => {
    const folder = await makeStoreFolder();
    expect(await changesOf(folder, vote)).toEqual([
      'syncFolder exchanges',
      'mkdir exchanges/B/responder',
      'syncFolder exchanges/B',
      'mkdir exchanges/B/responder/<id>.tmp',
      'syncFolder exchanges',
      'mkdir exchanges/B/names',
      'syncFolder exchanges/B',
      ...RESERVING('responder', 0),
      ...WRITING('exchanges/B/responder/<id>.tmp/exchange.json'),
      ...WRITING('exchanges/B/responder/<id>.tmp/key-ids.json'),
      ...WRITING('exchanges/B/responder/<id>.tmp/key'),
      ...WRITING('exchanges/B/responder/<id>.tmp/beta'),
      'syncFolder exchanges/B/responder/<id>.tmp',
      'rename exchanges/B/responder/<id>.tmp -> exchanges/B/responder/<id>.staged',
      'syncFolder exchanges/B/responder',
    ]);
  });

  it('commits, publishes and leaves its tombstone, each durably before the next (rule 7)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, vote);
    expect(await changesOf(folder, ({ store }) => store.commit(PEER, ID, BETA))).toEqual([
      'rename exchanges/B/responder/<id>.staged -> exchanges/B/responder/<id>.committed',
      'syncFolder exchanges/B/responder',
      'syncFolder ..',
      'mkdir keys',
      'syncFolder ',
      'syncFolder ',
      'mkdir keys/B',
      'syncFolder keys',
      'rename exchanges/B/responder/<id>.committed/key -> keys/B/B_0',
      'syncFolder keys',
      'syncFolder keys/B',
      'syncFolder exchanges/B/responder/<id>.committed',
      'rename exchanges/B/responder/<id>.committed -> exchanges/B/responder/<id>.done',
      'syncFolder exchanges/B/responder',
    ]);
  });

  it('fsyncs a tombstone that it has read before it says FIN again (rule 6)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, vote);
    await changesOf(folder, ({ store }) => store.commit(PEER, ID, BETA));
    expect(await changesOf(folder, ({ store }) => store.commit(PEER, ID, BETA))).toEqual([
      'syncFolder exchanges/B/responder',
    ]);
  });

  it('fsyncs open votes before STATUS names them (rule 6)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, vote);
    expect(await changesOf(folder, ({ store }) => store.openVotes(PEER, PEER_STATE_ID))).toEqual([
      'syncFolder exchanges/B/responder',
    ]);
  });

  it('raises the mark durably before its tombstone goes (rule 12)', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, vote);
    await changesOf(folder, ({ store }) => store.commit(PEER, ID, BETA));
    expect(await changesOf(folder, ({ store }) => store.forget(PEER, ID, PEER_STATE_ID))).toEqual([
      'syncFolder exchanges',
      'mkdir exchanges/B/index',
      'syncFolder exchanges/B',
      ...WRITING('exchanges/B/index/0'),
      'syncFolder exchanges/B/index',
      'unlink exchanges/B/names/B_0/<id>',
      'rmdir exchanges/B/names/B_0',
      'syncFolder exchanges',
      'rename exchanges/B/responder/<id>.done -> exchanges/.trash/*',
      'syncFolder exchanges/B/responder',
      'syncFolder exchanges/.trash',
      'unlink exchanges/.trash/*/beta',
      'unlink exchanges/.trash/*/exchange.json',
      'unlink exchanges/.trash/*/key-ids.json',
      'rmdir exchanges/.trash/*',
    ]);
  });
});

describe('finishing what another process began', () => {
  it('makes the move durable that a killed process did not', async () => {
    const folder = await makeStoreFolder();
    await changesOf(folder, (process) => stage(process, exchangeOf({ role: 'responder' })));
    const killed = await folder.open({
      at: ({ to }) =>
        to?.endsWith('/B_0') === true && to.includes('/keys/') ? { kill: 'after' } : undefined,
    });
    await expect(killed.store.commit(PEER, ID, BETA)).rejects.toThrow('killed');
    expect(await changesOf(folder, ({ store }) => store.redo(PEER))).toEqual([
      'syncFolder exchanges/B/responder',
      'syncFolder keys',
      'syncFolder keys/B',
      'syncFolder exchanges/B/responder/<id>.committed',
      'rename exchanges/B/responder/<id>.committed -> exchanges/B/responder/<id>.done',
      'syncFolder exchanges/B/responder',
    ]);
  });
});
