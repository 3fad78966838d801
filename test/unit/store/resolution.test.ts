/** What an operator decides about an exchange whose peer is lost for good. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Choice } from '../../../src/store/resolution.js';
import type { SurveyedRecord } from '../../../src/store/survey.js';
import { isChange } from '../../support/scripted-file-system.js';
import {
  BETA,
  CONTENT,
  exchangeOf,
  ID,
  keyFiles,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  publications,
  removeStoreFolders,
  stage,
  wrongModes,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

/** Every change of a resolution, killed before and after, on a busy machine. */
jest.setTimeout(120_000);

const VOTE = exchangeOf({ role: 'responder' });
const SAVED = { 'B/B_0': CONTENT.toString() };

async function voted(reallySync = true): Promise<{ folder: StoreFolder; process: Process }> {
  const folder = await makeStoreFolder();
  const process = await folder.open({ reallySync });
  await stage(process, VOTE);
  return { folder, process };
}

async function found({ store }: Process): Promise<SurveyedRecord> {
  const record = await store.find(ID);
  if (record === undefined) throw new Error('no record');
  return record;
}

async function resolve(process: Process, choice: Choice): Promise<boolean> {
  return process.store.resolve(await found(process), { choice, by: 'op', time: 1 });
}

describe('an operator’s commit of a vote', () => {
  it('saves the file, and stays on record until the initiator has agreed', async () => {
    const { folder, process } = await voted();
    expect(await resolve(process, 'commit')).toBe(true);
    expect(await keyFiles(folder.layout)).toEqual(SAVED);
    expect(await process.store.nextIndex(PEER)).toBe(1);
    await process.store.cleanUp(PEER);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({
      inDoubt: [],
      done: [],
      resolved: [{ id: ID, decision: 'commit' }],
    });

    // The initiator cannot have ended what it has not committed.
    expect(await process.store.forget(PEER, ID, PEER_STATE_ID)).toBe('open');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await process.store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await process.store.survey(PEER)).toEqual([]);
    expect(await process.store.nextIndex(PEER)).toBe(1);
    expect(publications([process], folder.layout)).toBe(1);
    expect(await wrongModes(folder.layout.state)).toEqual([]);
  });

  it('is done once the initiator has committed too, which it may have forgotten when it asks again', async () => {
    const { folder, process } = await voted();
    await resolve(process, 'commit');
    await process.store.commit(PEER, ID, BETA);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], resolved: [] });
    expect(await found(process)).toMatchObject({
      place: { state: 'done' },
      published: true,
      alarm: undefined,
      resolution: undefined,
    });
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('done');
    expect(await resolve(process, 'forget')).toBe(true);
    expect(await process.store.survey(PEER)).toEqual([]);
    expect(await keyFiles(folder.layout)).toEqual(SAVED);
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });

  it('is not done before its file is in place, whoever agrees', async () => {
    const { folder, process } = await voted();
    const alien = join(folder.layout.peerKeys(PEER), 'B_0');
    await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
    await writeFile(alien, 'alien');
    await resolve(process, 'commit');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('taken');
    expect(await found(process)).toMatchObject({ place: { state: 'resolved' }, alarm: 'name-taken' });
    await rm(alien);
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await found(process)).toMatchObject({ place: { state: 'done' }, alarm: undefined });
    expect(await keyFiles(folder.layout)).toEqual(SAVED);
  });

  it('is done durably before the initiator hears of it, and after its file', async () => {
    const { folder, process } = await voted();
    await resolve(process, 'commit');
    process.fs.done.length = 0;
    await process.store.commit(PEER, ID, BETA);
    expect(process.fs.changes((path) => folder.shorten(path)).slice(-3)).toEqual([
      'syncFolder exchanges/B/responder/<id>.resolved',
      'rename exchanges/B/responder/<id>.resolved -> exchanges/B/responder/<id>.done',
      'syncFolder exchanges/B/responder',
    ]);
  });

  it('is done, or waits for the initiator as before, where the process that hears of it is killed', async () => {
    for (const kill of ['before', 'after'] as const) {
      const { folder, process } = await voted(false);
      await resolve(process, 'commit');
      process.fs.at = ({ name, to }) =>
        name === 'rename' && to?.endsWith('.done') === true ? { kill } : undefined;
      await expect(process.store.commit(PEER, ID, BETA)).rejects.toThrow('killed');

      const next = await folder.open({ reallySync: false });
      await next.store.redo(PEER);
      expect(await next.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject(
        kill === 'after' ? { done: [ID], resolved: [] } : { done: [], resolved: [{ id: ID }] },
      );
      expect(await next.store.commit(PEER, ID, BETA)).toBe('done');
      expect(await next.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], resolved: [] });
      expect(publications([process, next], folder.layout)).toBe(1);
    }
  });

  it('is a contradiction where the initiator has aborted', async () => {
    const { folder, process } = await voted();
    await resolve(process, 'commit');
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('overruled');
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { state: 'resolved' }, alarm: 'contradiction', published: true },
    ]);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ resolved: [], alarms: 1 });
    expect(await resolve(process, 'forget')).toBe(true);
    expect(await process.store.survey(PEER)).toEqual([]);
    expect(await keyFiles(folder.layout)).toEqual(SAVED);
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });
});

describe('an operator’s abort of a vote', () => {
  it('destroys the key, frees the number, and stays on record until the initiator has agreed', async () => {
    const { folder, process } = await voted();
    expect(await resolve(process, 'abort')).toBe(true);
    expect((await folder.tree()).filter((path) => path.endsWith('/key'))).toEqual([]);
    expect(await process.store.isNameFree(PEER, 'B_0')).toBe(true);
    expect(await process.store.nextIndex(PEER)).toBe(0);
    await process.store.cleanUp(PEER);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({
      resolved: [{ id: ID, decision: 'abort' }],
    });
    expect(await process.store.discard(PEER, ID, 'f'.repeat(32))).toBe('foreign');
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await process.store.survey(PEER)).toEqual([]);
    expect(await keyFiles(folder.layout)).toEqual({});
  });

  it('is a contradiction where the initiator has committed, whose number is not used again', async () => {
    const { process } = await voted();
    await resolve(process, 'abort');
    expect(await process.store.commit(PEER, ID, BETA)).toBe('overruled');
    expect(await process.store.forget(PEER, ID, PEER_STATE_ID)).toBe('open');
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'contradiction', published: false }]);
    expect(await process.store.nextIndex(PEER)).toBe(1);
    await resolve(process, 'forget');
    expect(await process.store.nextIndex(PEER)).toBe(1);
  });

  it('leaves the peer’s new folder of state alone: what is resolved is foreign to nobody', async () => {
    const { process } = await voted();
    await resolve(process, 'abort');
    expect(await process.store.openVotes(PEER, 'f'.repeat(32))).toMatchObject({ resolved: [], foreign: 0 });
  });
});

describe.each(['commit', 'abort'] as const)('an operator’s %s that is killed', (choice) => {
  it('at any change is done by the next run, or not begun', async () => {
    const model = await voted();
    model.process.fs.done.length = 0;
    await resolve(model.process, choice);
    const changes = model.process.fs.done.filter(isChange).length;
    for (let turn = 0; turn < changes; turn += 1) {
      for (const kill of ['before', 'after'] as const) {
        const { folder, process } = await voted(false);
        let seen = -1;
        process.fs.at = (operation) => {
          if (isChange(operation)) seen += 1;
          return seen === turn && isChange(operation) ? { kill } : undefined;
        };
        // An operation that fails by itself, such as making a folder that is there, is not killed after it.
        await resolve(process, choice).catch((error: unknown) => {
          if (!process.fs.killed) throw error;
        });

        const next = await folder.open({ reallySync: false });
        await next.store.redo(PEER);
        await next.store.cleanUp(PEER);
        if ((await found(next)).place.state === 'staged') await resolve(next, choice);
        expect(await keyFiles(folder.layout)).toEqual(choice === 'commit' ? SAVED : {});
        expect(publications([process, next], folder.layout)).toBe(choice === 'commit' ? 1 : 0);
        expect(await next.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({
          resolved: [{ id: ID, decision: choice }],
        });
        if (choice === 'commit') await next.store.commit(PEER, ID, BETA);
        else await next.store.discard(PEER, ID, PEER_STATE_ID);
        if (choice === 'commit') await next.store.forget(PEER, ID, PEER_STATE_ID);
        expect(await next.store.survey(PEER)).toEqual([]);
        expect(await folder.tree(folder.layout.trash)).toEqual([]);
      }
    }
  });
});

describe('an operator’s abort that was killed before it was durable', () => {
  it('is made durable by the next run before the key is destroyed', async () => {
    const { folder, process } = await voted();
    process.fs.at = ({ name, to }) =>
      name === 'rename' && to?.endsWith('.resolved') === true ? { kill: 'after' } : undefined;
    await expect(resolve(process, 'abort')).rejects.toThrow('killed');
    const next = await folder.open();
    next.fs.done.length = 0;
    await next.store.redo(PEER);
    const changes = next.fs.changes((path) => folder.shorten(path));
    expect(changes.slice(0, 3)).toEqual([
      'syncFolder exchanges/B/responder/<id>.resolved',
      'syncFolder exchanges/B/responder',
      'unlink exchanges/B/responder/<id>.resolved/key',
    ]);
  });
});

describe('an operator who is slower than the initiator', () => {
  it.each(['commit', 'abort'] as const)('changes nothing with %s', async (choice) => {
    const { process, folder } = await voted();
    const record = await found(process);
    await (await folder.open()).store.commit(PEER, ID, BETA);
    expect(await process.store.resolve(record, { choice, by: 'op', time: 1 })).toBe(false);
    expect(await process.store.survey(PEER)).toMatchObject([{ place: { state: 'done' }, alarm: undefined }]);
  });

  it('leaves no word behind that a later decision could be taken for', async () => {
    const { process, folder } = await voted();
    const other = await folder.open();
    const record = await found(process);
    process.fs.at = ({ name, to }) =>
      name === 'rename' && to?.endsWith('.resolved') === true
        ? { hold: other.store.commit(PEER, ID, BETA) }
        : undefined;
    expect(await process.store.resolve(record, { choice: 'abort', by: 'op', time: 1 })).toBe(false);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID], resolved: [] });
    expect(await process.store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await keyFiles(folder.layout)).toEqual(SAVED);
  });
});

describe('a commit of an operator’s that becomes done while another process reads what he chose', () => {
  async function overtaken(): Promise<Process> {
    const { folder, process } = await voted();
    await resolve(process, 'commit');
    const other = await folder.open();
    process.fs.at = ({ name, path }) => {
      if (name !== 'read' || !path.endsWith('.resolved/resolution')) return undefined;
      process.fs.at = () => undefined;
      return { hold: other.store.commit(PEER, ID, BETA) };
    };
    return process;
  }

  it('is not said to be gone to an initiator that knows nothing of it any more', async () => {
    const process = await overtaken();
    expect(await process.store.discard(PEER, ID, PEER_STATE_ID)).toBe('done');
  });

  it('is vouched for by both', async () => {
    const process = await overtaken();
    expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
  });

  it('is seen as what it is, and its number is not free', async () => {
    const process = await overtaken();
    expect(await found(process)).toMatchObject({ place: { state: 'done' }, published: true });
    const again = await overtaken();
    expect(await again.store.nextIndex(PEER)).toBe(1);
  });
});

describe('an operator’s word about an exchange of the initiator', () => {
  it('aborts what is staged', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    expect(await resolve(process, 'abort')).toBe(true);
    expect(await process.store.judge(ID)).toEqual({ decided: 'aborted' });
    expect(await process.store.isNameFree(PEER, 'B_0')).toBe(true);
  });

  it('destroys the key of what it aborts, for good, and keeps the record for what the peer may still say', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    process.fs.done.length = 0;
    await resolve(process, 'abort');
    const changes = process.fs.changes((path) => folder.shorten(path));
    expect(changes.slice(-3)).toEqual([
      'syncFolder exchanges/B/initiator',
      'unlink exchanges/B/initiator/<id>.aborted/key',
      'syncFolder exchanges/B/initiator/<id>.aborted',
    ]);
    expect(await process.store.find(ID)).toMatchObject({
      place: { state: 'aborted' },
      alarm: undefined,
      published: false,
      keyIds: ['key-1'],
    });
    expect(await process.store.finish(ID)).toBe('alarm');
  });

  it('does not abort what was committed meanwhile', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    const record = await found(process);
    await process.store.decide(PEER, ID, BETA);
    expect(await process.store.resolve(record, { choice: 'abort', by: 'op', time: 1 })).toBe(false);
    expect(await process.store.judge(ID)).toEqual({ decided: 'committed', beta: BETA });
  });

  it('puts what is committed in place, and keeps its record', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    await process.store.decide(PEER, ID, BETA);
    expect(await resolve(process, 'commit')).toBe(true);
    expect(await keyFiles(folder.layout)).toEqual(SAVED);
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { state: 'committed' }, published: true },
    ]);
  });
});

describe('what is on record of it', () => {
  it('is who decided what and when, and no key', async () => {
    const { folder, process } = await voted();
    await process.store.resolve(await found(process), { choice: 'abort', by: 'op at b', time: 0 });
    const resolutions = folder.layout.resolutions(PEER);
    const [name, ...more] = await readdir(resolutions);
    expect(more).toEqual([]);
    const entry = await readFile(join(resolutions, name ?? ''), 'utf8');
    expect(JSON.parse(entry)).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      by: 'op at b',
      choice: 'abort',
      id: ID,
      peer: PEER,
      role: 'responder',
      state: 'staged',
      alarm: null,
      name: 'B_0',
      keyIds: ['key-1'],
    });
    expect(entry).not.toContain(CONTENT.toString().trim());
  });

  it('is that a choice came too late', async () => {
    const { folder, process } = await voted();
    const record = await found(process);
    await (await folder.open()).store.commit(PEER, ID, BETA);
    await process.store.resolve(record, { choice: 'abort', by: 'op', time: 0 });
    const resolutions = folder.layout.resolutions(PEER);
    const entries = await Promise.all(
      (await readdir(resolutions)).map(
        async (name) => JSON.parse(await readFile(join(resolutions, name), 'utf8')) as { end?: string },
      ),
    );
    const order = { choice: 'abort', id: ID, by: 'op', time: '1970-01-01T00:00:00.000Z' };
    entries.sort((one) => (one.end === undefined ? -1 : 1));
    expect(entries).toMatchObject([order, { ...order, end: 'moved-on' }]);
    expect(entries[0]).not.toHaveProperty('end');
  });

  it('is durable before anything is done', async () => {
    const { folder, process } = await voted();
    process.fs.done.length = 0;
    await resolve(process, 'commit');
    const changes = process.fs.changes((path) => folder.shorten(path));
    expect(changes.findIndex((line) => line.startsWith('syncFolder exchanges/B/resolutions'))).toBeLessThan(
      changes.findIndex((line) => line.startsWith('rename')),
    );
  });
});

it('a file whose name was taken is put in place once the name is free', async () => {
  const { folder, process } = await voted();
  await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
  await writeFile(join(folder.layout.peerKeys(PEER), 'B_0'), 'alien');
  expect(await process.store.commit(PEER, ID, BETA)).toBe('taken');
  await rm(join(folder.layout.peerKeys(PEER), 'B_0'));
  expect(await resolve(process, 'commit')).toBe(true);
  expect(await found(process)).toMatchObject({ place: { state: 'done' }, published: true, alarm: undefined });
  expect(await keyFiles(folder.layout)).toEqual(SAVED);
});

it('a record that cannot be read is forgotten with its reservation', async () => {
  const { folder, process } = await voted();
  await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'staged'), 'exchange.json'), '');
  expect(await found(process)).toMatchObject({ alarm: 'unreadable' });
  expect(await resolve(process, 'forget')).toBe(true);
  expect(await process.store.survey(PEER)).toEqual([]);
  expect(await process.store.isNameFree(PEER, 'B_0')).toBe(true);
});

it('a record that cannot be read tells all the same whether its file has been saved', async () => {
  const { folder, process } = await voted();
  const damage = (): Promise<void> =>
    writeFile(join(folder.layout.record(PEER, 'responder', ID, 'resolved'), 'exchange.json'), '');
  await resolve(process, 'commit');
  await damage();
  expect(await found(process)).toMatchObject({ alarm: 'unreadable', published: true });
  await resolve(process, 'forget');
  await stage(process, exchangeOf({ role: 'responder', name: 'B_1', index: 1 }));
  await resolve(process, 'abort');
  await damage();
  expect(await found(process)).toMatchObject({ alarm: 'unreadable', published: false });
});

it('a resolution that cannot be read is an alarm, and nothing follows from it', async () => {
  const { folder, process } = await voted();
  await resolve(process, 'abort');
  await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'resolved'), 'resolution'), '');
  expect(await found(process)).toMatchObject({ alarm: 'unreadable' });
  await process.store.redo(PEER);
  await expect(process.store.discard(PEER, ID, PEER_STATE_ID)).rejects.toMatchObject({ code: 'alarm' });
});
