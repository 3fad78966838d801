/** The responder's records: after its vote it does what the initiator decides (docs/protocol.md, rules 3, 7, 9, 10). */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RecordState } from '../../../src/store/layout.js';
import type { Choice } from '../../../src/store/resolution.js';
import type { Operation } from '../../support/scripted-file-system.js';
import {
  BETA,
  CONTENT,
  exchangeOf,
  ID,
  keyFiles,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

const FOREIGN = 'c'.repeat(32);
const VOTE = exchangeOf({ role: 'responder' });

async function voted(): Promise<{ folder: StoreFolder; process: Process }> {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  await stage(process, VOTE);
  return { folder, process };
}

/** A record in the state, as a killed process would leave it. */
async function left(state: RecordState): Promise<{ folder: StoreFolder; process: Process }> {
  const made = await voted();
  const from = made.folder.layout.record(PEER, 'responder', ID, 'staged');
  if (state === 'done') await made.process.store.commit(PEER, ID, BETA);
  else if (state !== 'staged')
    await made.process.fs.rename(from, made.folder.layout.record(PEER, 'responder', ID, state));
  return made;
}

const statesOf = async ({ store }: Process): Promise<RecordState[]> =>
  (await store.survey(PEER)).map(({ place }) => place.state);

describe('commit', () => {
  it('publishes the file, tells of it once and leaves the tombstone', async () => {
    const { folder, process } = await voted();
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
    expect(process.published).toMatchObject([{ id: ID, role: 'responder', index: 0 }]);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    expect(await statesOf(process)).toEqual(['done']);
  });

  it('is not in alarm for its name once its file is in place, whoever said so last', async () => {
    const { folder, process } = await left('done');
    await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'done'), 'alarm'), 'name-taken');
    await process.store.redo(PEER);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], alarms: 0 });
  });

  it('finishes what is committed already', async () => {
    const { process } = await left('committed');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
  });

  it('knows no vote that was not given, nor one of the other role or peer (rule 10)', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    expect(await process.store.commit(PEER, ID, BETA)).toBe('unknown');
    await stage(process, exchangeOf({ role: 'responder', id: 'f'.repeat(32), name: 'B_1' }));
    expect(await process.store.commit('C', 'f'.repeat(32), BETA)).toBe('unknown');
  });

  it.each(['staged', 'committed', 'done'] as const)(
    'changes nothing for another beta (%s)',
    async (state) => {
      const { folder, process } = await left(state);
      const before = await folder.tree();
      expect(await process.store.commit(PEER, ID, `${BETA}0`)).toBe('mismatch');
      expect(await folder.tree()).toEqual(before);
    },
  );

  it('of what was aborted is a contradiction', async () => {
    const { folder, process } = await left('aborted');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('unknown');
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'contradiction' }]);
    await process.store.cleanUp(PEER);
    expect(await statesOf(process)).toEqual(['aborted']);
    expect(await keyFiles(folder.layout)).toEqual({});
  });

  it('overwrites no alien file, and is redone when that has gone', async () => {
    const { folder, process } = await voted();
    const target = join(folder.layout.peerKeys(PEER), 'B_0');
    await process.fs.mkdir(folder.layout.keys);
    await process.fs.mkdir(folder.layout.peerKeys(PEER));
    await writeFile(target, 'alien');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('taken');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('taken');
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [], alarms: 1 });
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': 'alien' });
    await rm(target);
    await process.store.redo(PEER);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], alarms: 0 });
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
  });

  it('keeps the record and tells nothing where the file cannot be published, and the next run goes on (rule 16)', async () => {
    const { process } = await voted();
    for (const errno of ['ENOSPC', 'EROFS', 'EACCES', 'EXDEV']) {
      process.fs.at = ({ name, to }) =>
        name === 'rename' && to?.includes('/keys/') === true ? { errno } : undefined;
      await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'storage' });
      await expect(process.store.redo(PEER)).rejects.toMatchObject({ code: 'storage' });
      expect(await statesOf(process)).toEqual(['committed']);
    }
    process.fs.at = () => undefined;
    await process.store.redo(PEER);
    expect(await statesOf(process)).toEqual(['done']);
  });

  it.each(['exchange.json', 'beta'])('does not say that it has saved what has lost its %s', async (file) => {
    const { folder, process } = await voted();
    await rm(join(folder.layout.record(PEER, 'responder', ID, 'staged'), file));
    await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'alarm' });
    await process.store.redo(PEER);
    expect(await keyFiles(folder.layout)).toEqual({});
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [] });
  });
});

describe('a vote that an operator forgets while the initiator’s decision about it is carried out', () => {
  /** What comes of the work where the record is forgotten right before this operation of it. */
  async function forgotten<T>(
    state: 'committed' | 'resolved to commit' | 'resolved to abort',
    before: (operation: Operation) => boolean,
    work: (process: Process) => Promise<T>,
  ): Promise<{ folder: StoreFolder; process: Process; outcome: T }> {
    const { folder, process } = await voted();
    const resolve = async (by: Process, choice: Choice): Promise<boolean> => {
      const record = await by.store.find(ID);
      return record !== undefined && by.store.resolve(record, { choice, by: 'op', time: 1 });
    };
    const target = join(folder.layout.peerKeys(PEER), 'B_0');
    await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
    await writeFile(target, 'alien');
    if (state === 'committed') expect(await process.store.commit(PEER, ID, BETA)).toBe('taken');
    else await resolve(process, state === 'resolved to commit' ? 'commit' : 'abort');
    await rm(target);
    const other = await folder.open();
    let met = false;
    process.fs.at = (operation) => {
      if (met || !before(operation)) return undefined;
      met = true;
      return { hold: resolve(other, 'forget') };
    };
    const outcome = await work(process);
    expect(met).toBe(true);
    expect(await statesOf(process)).toEqual([]);
    return { folder, process, outcome };
  }

  const syncsRole = ({ name, path }: Operation): boolean =>
    name === 'syncFolder' && path.endsWith('/responder');
  const syncsRecord = ({ name, path }: Operation): boolean =>
    name === 'syncFolder' && path.endsWith('.resolved');
  const looksForKey = ({ name, path }: Operation): boolean => name === 'stat' && path.endsWith('/key');

  it.each([
    ['resolved to abort', 'before the look at what was chosen', syncsRecord],
    ['resolved to commit', 'before it is published', syncsRole],
    ['resolved to commit', 'after it was read', looksForKey],
    ['committed', 'before it is published', syncsRole],
    ['committed', 'after it was read', looksForKey],
  ] as const)('is not told to be saved (%s, %s)', async (state, _when, before) => {
    const commit = ({ store }: Process): Promise<string> => store.commit(PEER, ID, BETA);
    const { folder, outcome } = await forgotten(state, before, commit);
    expect(await keyFiles(folder.layout)).toEqual({});
    expect(outcome).toBe('unknown');
  });

  it('is not told to be saved to who has aborted it', async () => {
    const discard = ({ store }: Process): Promise<string> => store.discard(PEER, ID, PEER_STATE_ID);
    const { folder, outcome } = await forgotten('committed', syncsRole, discard);
    expect(await keyFiles(folder.layout)).toEqual({});
    expect(outcome).toBe('gone');
  });
});

describe('a vote that another process finishes meanwhile', () => {
  it('is told to be saved', async () => {
    const { folder, process } = await left('committed');
    const other = await folder.open();
    let met = false;
    process.fs.at = ({ name, path }) => {
      if (met || name !== 'stat' || !path.endsWith('/key')) return undefined;
      met = true;
      return { hold: other.store.redo(PEER) };
    };
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
    expect(met).toBe(true);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    expect(await statesOf(process)).toEqual(['done']);
  });
});

describe('discard', () => {
  it('takes an open vote back, with its name', async () => {
    const { folder, process } = await voted();
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await statesOf(process)).toEqual([]);
    expect(await process.store.isNameFree(PEER, 'B_0')).toBe(true);
    expect(await keyFiles(folder.layout)).toEqual({});
    expect(await process.store.commit(PEER, ID, BETA)).toBe('unknown');
  });

  it.each(['staged', 'committed', 'done'] as const)(
    'changes nothing where another state folder says so (%s; rule 3)',
    async (state) => {
      const { folder, process } = await left(state);
      const before = await folder.tree();
      expect(await process.store.discard(PEER, ID, FOREIGN)).toBe('foreign');
      expect(await folder.tree()).toEqual(before);
    },
  );

  it.each(['committed', 'done'] as const)('does not undo what was decided (%s)', async (state) => {
    const { folder, process } = await left(state);
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('done');
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    // The initiator that said so may only have been overtaken by another run of its own.
    expect(await process.store.survey(PEER)).toMatchObject([{ place: { state: 'done' }, alarm: undefined }]);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], alarms: 0 });
  });

  it('says what is in the way of what was decided', async () => {
    const { folder, process } = await left('committed');
    await process.fs.mkdir(folder.layout.keys);
    await process.fs.mkdir(folder.layout.peerKeys(PEER));
    await writeFile(join(folder.layout.peerKeys(PEER), 'B_0'), 'alien');
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('taken');
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': 'alien' });
  });

  it('leaves alone what it cannot read', async () => {
    const { folder, process } = await voted();
    await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'staged'), 'exchange.json'), 'x');
    await expect(process.store.discard(PEER, ID, PEER_STATE_ID)).rejects.toMatchObject({ code: 'alarm' });
    expect(await statesOf(process)).toEqual(['staged']);
  });
});

describe('forget', () => {
  it('drops a tombstone, frees its name and keeps its file', async () => {
    const { folder, process } = await left('done');
    expect(await process.store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await process.store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await statesOf(process)).toEqual([]);
    expect((await readdir(folder.layout.names(PEER))).sort()).toEqual([]);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });

  it.each([
    ['staged', PEER_STATE_ID, 'open'],
    ['committed', PEER_STATE_ID, 'open'],
    ['aborted', PEER_STATE_ID, 'open'],
    ['staged', FOREIGN, 'foreign'],
    ['committed', FOREIGN, 'foreign'],
  ] as const)('changes nothing of what is %s for %s: %s', async (state, stateId, answer) => {
    const { folder, process } = await left(state);
    const before = await folder.tree();
    expect(await process.store.forget(PEER, ID, stateId)).toBe(answer);
    expect(await folder.tree()).toEqual(before);
  });
});

describe('forget, said by another state folder of the initiator', () => {
  it('drops a tombstone: that the initiator has finished is knowledge, whoever has it', async () => {
    const { folder, process } = await left('done');
    expect(await process.store.openVotes(PEER, FOREIGN)).toMatchObject({ done: [], foreign: 1 });
    expect(await process.store.forget(PEER, ID, FOREIGN)).toBe('gone');
    expect(await statesOf(process)).toEqual([]);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });

  it.each(['commit', 'abort'] as const)(
    'drops nothing that only an operator has decided: %s',
    async (choice) => {
      const { process } = await voted();
      const record = await process.store.find(ID);
      if (record === undefined) throw new Error('no record');
      await process.store.resolve(record, { choice, by: 'op', time: 1 });
      expect(await process.store.forget(PEER, ID, FOREIGN)).toBe('foreign');
      expect(await statesOf(process)).toEqual(['resolved']);
      if (choice === 'abort') return;
      await process.store.commit(PEER, ID, BETA);
      expect(await process.store.forget(PEER, ID, FOREIGN)).toBe('gone');
      expect(await statesOf(process)).toEqual([]);
    },
  );
});

describe('open votes', () => {
  it('are those that name this state folder, the oldest first; the others are counted', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    const ids = ['3', '1', '2', '4', '5'].map((digit) => digit.repeat(32));
    for (const [at, id] of ids.entries()) {
      const peerStateId = at === 3 ? FOREIGN : PEER_STATE_ID;
      await stage(process, { ...VOTE, id, name: `B_${at}`, index: at, time: Number(id[0]), peerStateId });
    }
    const [third, first, second, foreign, fifth] = ids;
    await process.store.commit(PEER, fifth ?? '', BETA);
    await process.store.commit(PEER, first ?? '', BETA);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toEqual({
      inDoubt: [second, third],
      done: [first, fifth],
      resolved: [],
      foreign: 1,
      foreignIndex: 3,
      alarms: 0,
    });
    expect(await process.store.openVotes(PEER, FOREIGN)).toMatchObject({
      inDoubt: [foreign],
      done: [],
      foreign: 4,
    });
    expect(await process.store.openVotes('C', PEER_STATE_ID)).toMatchObject({
      inDoubt: [],
      done: [],
      foreign: 0,
    });
  });

  it('are none of the initiator’s records (rule 17)', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ inDoubt: [], foreign: 0 });
  });

  it('pass over what only an operator can settle, and count it', async () => {
    const { folder, process } = await voted();
    await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'staged'), 'exchange.json'), 'x');
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toEqual({
      inDoubt: [],
      done: [],
      resolved: [],
      foreign: 0,
      foreignIndex: -1,
      alarms: 1,
    });
  });

  it.each([
    ['empty', ''],
    ['too large', 'x'.repeat(5_000)],
  ])('pass over one whose resolution is %s, and tell of the others', async (_damage, content) => {
    const { folder, process } = await voted();
    const other = 'f'.repeat(32);
    await stage(process, { ...VOTE, id: other, name: 'B_1', index: 1 });
    const record = await process.store.find(ID);
    if (record === undefined) throw new Error('no record');
    await process.store.resolve(record, { choice: 'commit', by: 'op', time: 1 });
    await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'resolved'), 'resolution'), content);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({
      inDoubt: [other],
      resolved: [],
      alarms: 1,
    });
    // The rest of the record can be read: its number is not used again.
    expect(await process.store.survey(PEER)).toMatchObject([
      { alarm: 'unreadable', exchange: { index: 0 } },
      { alarm: undefined },
    ]);
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });

  it('stay in doubt over any number of restarts (rule 3)', async () => {
    const { folder } = await voted();
    for (let restarts = 0; restarts < 3; restarts += 1) {
      const { store } = await folder.open({ bootId: `boot-${restarts}` });
      await store.cleanUp(PEER);
      await store.redo(PEER);
      expect(await store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ inDoubt: [ID] });
    }
    expect(await keyFiles(folder.layout)).toEqual({});
  });
});
