/** What earlier runs left behind and nobody needs (docs/protocol.md, rule 15). */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

const OTHER = 'f'.repeat(32);
const VOTE = exchangeOf({ role: 'responder' });

async function opened(): Promise<{ folder: StoreFolder; process: Process }> {
  const folder = await makeStoreFolder();
  return { folder, process: await folder.open() };
}

/** Aborts without clearing away: as a process that is killed right after its decision. */
async function abortOnly(folder: StoreFolder): Promise<void> {
  const killed = await folder.open({
    at: ({ name, to }) =>
      name === 'rename' && to?.endsWith('.aborted') === true ? { kill: 'after' } : undefined,
  });
  await expect(killed.store.judge(ID)).rejects.toThrow('killed');
}

describe('the clean-up', () => {
  it('takes away what was being written, with its reservation', async () => {
    const { folder, process } = await opened();
    await process.store.stage(exchangeOf());
    await process.store.stage(exchangeOf({ role: 'responder', id: OTHER, name: 'B_1' }));
    const { store } = await folder.open();
    expect(await store.isNameFree(PEER, 'B_0')).toBe(false);
    await store.cleanUp(PEER);
    expect(await folder.tree(folder.layout.peer(PEER))).toEqual(['initiator/', 'names/', 'responder/']);
    expect(await folder.tree(folder.layout.trash)).toEqual([]);
  });

  it('moves a folder to the trash before it deletes anything in it', async () => {
    const { folder, process } = await opened();
    const staging = await process.store.stage(exchangeOf());
    process.fs.at = ({ name }) => (name === 'rename' ? { kill: 'before' } : undefined);
    await expect(staging.complete(Buffer.from('00\n'))).rejects.toThrow('killed');
    const { store, fs } = await folder.open();
    fs.done.length = 0;
    await store.cleanUp(PEER);
    const changes = fs.changes((path) => folder.shorten(path)).filter((line) => !line.startsWith('sync'));
    expect(changes).toEqual([
      'rename exchanges/B/initiator/<id>.tmp -> exchanges/.trash/*',
      'unlink exchanges/B/names/B_0/<id>',
      'rmdir exchanges/B/names/B_0',
      'unlink exchanges/.trash/*/exchange.json',
      'unlink exchanges/.trash/*/key',
      'unlink exchanges/.trash/*/key-ids.json',
      'rmdir exchanges/.trash/*',
    ]);
  });

  it('takes away what was aborted, and makes the abort durable before the name is free', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await abortOnly(folder);
    const { store, fs } = await folder.open();
    fs.done.length = 0;
    await store.cleanUp(PEER);
    const changes = fs.changes((path) => folder.shorten(path));
    expect(changes.indexOf('syncFolder exchanges/B/initiator')).toBeLessThan(
      changes.indexOf('unlink exchanges/B/names/B_0/<id>'),
    );
    expect(changes).toContain('syncFolder exchanges/B/initiator');
    expect(await store.survey(PEER)).toEqual([]);
    expect(await store.isNameFree(PEER, 'B_0')).toBe(true);
  });

  it('removes an aborted record durably before it deletes anything in it', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await abortOnly(folder);
    process.fs.done.length = 0;
    await process.store.cleanUp(PEER);
    const changes = process.fs.changes((path) => folder.shorten(path));
    const moved = changes.indexOf('rename exchanges/B/initiator/<id>.aborted -> exchanges/.trash/*');
    expect(moved).toBeGreaterThanOrEqual(0);
    expect(changes[moved + 1]).toBe('syncFolder exchanges/.trash');
  });

  it('leaves the reservation that another exchange has made of the same name since', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await abortOnly(folder);
    await rm(join(folder.layout.names(PEER), 'B_0'), { recursive: true });
    await stage(process, exchangeOf({ id: OTHER }));
    await process.store.cleanUp(PEER);
    expect(await process.store.isNameFree(PEER, 'B_0')).toBe(false);
    expect(await process.store.survey(PEER)).toMatchObject([{ place: { id: OTHER } }]);
  });

  it('empties the trash: files, folders and folders of files', async () => {
    const { folder, process } = await opened();
    await mkdir(join(folder.layout.trash, 'a'));
    await mkdir(join(folder.layout.trash, 'b'));
    await writeFile(join(folder.layout.trash, 'b', 'key'), '');
    await writeFile(join(folder.layout.trash, 'c'), '');
    await process.store.cleanUp(PEER);
    expect(await folder.tree(folder.layout.trash)).toEqual([]);
  });

  it('is content where another run empties the trash at the same time', async () => {
    const { folder, process } = await opened();
    await mkdir(join(folder.layout.trash, 'a'));
    await writeFile(join(folder.layout.trash, 'a', 'key'), '');
    process.fs.at = ({ name, path }) =>
      (name === 'unlink' && path.endsWith('/key')) || name === 'rmdir' ? { errno: 'ENOENT' } : undefined;
    await process.store.cleanUp(PEER);
    process.fs.at = ({ name }) => (name === 'rmdir' ? { errno: 'ENOTEMPTY' } : undefined);
    await process.store.cleanUp(PEER);
    process.fs.at = ({ name }) => (name === 'rmdir' ? { errno: 'EIO' } : undefined);
    await expect(process.store.cleanUp(PEER)).rejects.toMatchObject({ code: 'storage' });
  });

  it('frees a reservation whose exchange has no folder, and no other', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await mkdir(join(folder.layout.names(PEER), 'B_7'));
    await writeFile(join(folder.layout.names(PEER), 'B_7', OTHER), '');
    await process.store.cleanUp(PEER);
    expect((await readdir(folder.layout.names(PEER))).sort()).toEqual(['B_0']);
  });

  it('does not take the reservation of an exchange that begins meanwhile for an orphan', async () => {
    const { folder, process } = await opened();
    const other = await folder.open();
    await stage(other, exchangeOf({ id: OTHER, name: 'B_1' }));
    process.fs.at = ({ name, path }) =>
      name === 'list' && path === folder.layout.names(PEER) ? { hold: stage(other) } : undefined;
    await process.store.cleanUp(PEER);
    expect((await readdir(folder.layout.names(PEER))).sort()).toEqual(['B_0', 'B_1']);
  });

  it('leaves what was decided or voted alone', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await process.store.decide(PEER, ID, BETA);
    await stage(process, exchangeOf({ role: 'responder', id: OTHER, name: 'B_1', index: 1 }));
    await process.store.cleanUp(PEER);
    expect((await process.store.survey(PEER)).map(({ place }) => place.state)).toEqual([
      'committed',
      'staged',
    ]);
    expect((await readdir(folder.layout.names(PEER))).sort()).toEqual(['B_0', 'B_1']);
  });

  it('leaves a record with an alarm, and its reservation, until an operator has looked', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await process.store.alarm(ID, 'contradiction');
    expect(await process.store.judge(ID)).toEqual({ decided: 'aborted' });
    await process.store.cleanUp(PEER);
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { state: 'aborted' }, alarm: 'contradiction', published: false },
    ]);
    expect((await readdir(folder.layout.names(PEER))).sort()).toEqual(['B_0']);
  });

  it('leaves an aborted record that cannot be read', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await abortOnly(folder);
    await writeFile(join(folder.layout.record(PEER, 'initiator', ID, 'aborted'), 'exchange.json'), '{');
    await process.store.cleanUp(PEER);
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { state: 'aborted' }, alarm: 'unreadable' },
    ]);
  });

  it('passes over an aborted record that goes meanwhile', async () => {
    const { folder, process } = await opened();
    await stage(process);
    await abortOnly(folder);
    const aborted = folder.layout.record(PEER, 'initiator', ID, 'aborted');
    const moving = rename(aborted, join(folder.layout.trash, 'gone'));
    process.fs.at = ({ name, path }) =>
      name === 'read' && path.endsWith('/alarm') ? { hold: moving } : undefined;
    await process.store.cleanUp(PEER);
    expect(await process.store.survey(PEER)).toEqual([]);
  });
});

describe('a damaged record', () => {
  it('does not keep the others from being finished', async () => {
    const { folder, process } = await opened();
    await stage(process, VOTE);
    await stage(process, exchangeOf({ role: 'responder', id: OTHER, name: 'B_1', index: 1 }));
    for (const id of [ID, OTHER]) {
      process.fs.at = ({ name, to }) =>
        name === 'rename' && to?.includes('/keys/') === true ? { errno: 'EIO' } : undefined;
      await expect(process.store.commit(PEER, id, BETA)).rejects.toMatchObject({ code: 'storage' });
    }
    process.fs.at = () => undefined;
    await writeFile(join(folder.layout.record(PEER, 'responder', ID, 'committed'), 'exchange.json'), '{}');
    await process.store.cleanUp(PEER);
    await process.store.redo(PEER);
    expect(await process.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [OTHER], alarms: 1 });
    expect(await process.store.nextIndex(PEER)).toBe(2);
  });
});
