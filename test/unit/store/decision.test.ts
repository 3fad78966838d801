/** The initiator's records: it alone decides (docs/protocol.md, rules 4, 5, 8 and 9). */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BETA,
  CONTENT,
  exchangeOf,
  ID,
  keyFiles,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

async function staged(): Promise<{ folder: StoreFolder; process: Process }> {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  await stage(process);
  return { folder, process };
}

async function committed(): Promise<{ folder: StoreFolder; process: Process }> {
  const made = await staged();
  await made.process.store.decide(PEER, ID, BETA);
  return made;
}

describe('the decision', () => {
  it('stands once it is made, and is told with its beta', async () => {
    const { folder, process } = await committed();
    expect(await process.store.judge(ID)).toEqual({ decided: 'committed', beta: BETA });
    expect(await (await folder.open()).store.judge(ID)).toEqual({ decided: 'committed', beta: BETA });
    // Deciding publishes nothing.
    expect(await keyFiles(folder.layout)).toEqual({});
  });

  it('is an abort where there is no record, and where there is an undecided one', async () => {
    const { folder, process } = await staged();
    expect(await process.store.judge('0'.repeat(32))).toEqual({ decided: 'aborted' });
    expect(await process.store.judge(ID)).toEqual({ decided: 'aborted' });
    expect(await process.store.decide(PEER, ID, BETA)).toEqual({ decided: 'aborted' });
    expect(await keyFiles(folder.layout)).toEqual({});
    expect(await process.store.nextIndex(PEER)).toBe(0);
    expect(await process.store.isNameFree(PEER, 'B_0')).toBe(true);
    // The record stays until the contact is over: a peer that has saved the exchange contradicts it.
    await process.store.tidy(PEER);
    expect(await process.store.finish(ID)).toBe('alarm');
    await process.store.cleanUp(PEER);
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'contradiction' }]);
  });

  it('is found in whatever peer’s folder the record lies (rule 17)', async () => {
    const { folder, process } = await committed();
    const renamed = await folder.open();
    await renamed.store.preparePeer('A-new-name');
    expect(await renamed.store.judge(ID)).toEqual({ decided: 'committed', beta: BETA });
    expect(await process.store.finish(ID)).toBe('forgotten');
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
  });

  it('is never taken from the records of the other role (rule 17)', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process, exchangeOf({ role: 'responder' }));
    expect(await process.store.judge(ID)).toEqual({ decided: 'aborted' });
    expect(await process.store.finish(ID)).toBe('forgotten');
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { role: 'responder', state: 'staged' } },
    ]);
  });

  it('is not made where beta cannot be written, and is an abort afterwards', async () => {
    const { process } = await staged();
    process.fs.at = ({ path }) => (path.endsWith('/beta') ? { errno: 'ENOSPC', torn: true } : undefined);
    await expect(process.store.decide(PEER, ID, BETA)).rejects.toMatchObject({ code: 'storage' });
    process.fs.at = () => undefined;
    await process.store.redo(PEER);
    await process.store.cleanUp(PEER);
    expect(await process.store.survey(PEER)).toEqual([]);
  });

  it('is an alarm where beta has gone since', async () => {
    const { folder, process } = await committed();
    await rm(join(folder.layout.record(PEER, 'initiator', ID, 'committed'), 'beta'));
    await expect(process.store.judge(ID)).rejects.toMatchObject({ code: 'alarm' });
  });
});

describe('finishing', () => {
  it('publishes once, tells of it once, and forgets', async () => {
    const { folder, process } = await committed();
    expect(await process.store.finish(ID)).toBe('forgotten');
    expect(await process.store.finish(ID)).toBe('forgotten');
    expect(process.published).toEqual([
      {
        id: ID,
        role: 'initiator',
        peer: PEER,
        keyIds: ['key-1'],
        index: 0,
        path: join(folder.layout.keys, 'B/B_0'),
      },
    ]);
    expect(await process.store.survey(PEER)).toEqual([]);
  });

  it('can be repeated by a site that has never been an initiator to this peer', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    expect(await store.finish(ID)).toBe('forgotten');
  });

  it('is done where the disk does not let the removed record be deleted, which the next contact does', async () => {
    const { folder, process } = await committed();
    process.fs.at = ({ name, path }) =>
      name === 'unlink' && path.startsWith(`${folder.layout.trash}/`) ? { errno: 'EIO' } : undefined;
    expect(await process.store.finish(ID)).toBe('forgotten');
    process.fs.at = () => undefined;
    await process.store.tidy(PEER);
    expect(await folder.tree(folder.layout.trash)).toEqual([]);
  });

  it('is an alarm where the peer has saved what was never decided here', async () => {
    const { folder, process } = await staged();
    expect(await process.store.finish(ID)).toBe('alarm');
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { state: 'staged' }, alarm: 'contradiction', published: false },
    ]);
    await process.store.redo(PEER);
    expect(await process.store.survey(PEER)).toMatchObject([{ place: { state: 'staged' } }]);
    expect(await keyFiles(folder.layout)).toEqual({});
  });

  it('does not tell the peer to forget where the record cannot be read', async () => {
    const { folder, process } = await committed();
    await rm(join(folder.layout.record(PEER, 'initiator', ID, 'committed'), 'exchange.json'));
    await expect(process.store.finish(ID)).rejects.toMatchObject({ code: 'alarm' });
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'unreadable', published: false }]);
  });

  it.each([
    ['empty', ''],
    ['zeros', '\0'.repeat(39)],
    ['no number', '12x'],
    ['longer than any file of its kind', '7'.repeat(5_000)],
  ])('is an alarm where its beta is %s, and nothing is told', async (_what, beta) => {
    const { folder, process } = await committed();
    await writeFile(join(folder.layout.record(PEER, 'initiator', ID, 'committed'), 'beta'), beta);
    await expect(process.store.judge(ID)).rejects.toMatchObject({ code: 'alarm' });
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'unreadable', published: false }]);
  });

  it('is no alarm while its beta is being written', async () => {
    const { folder, process } = await staged();
    await writeFile(join(folder.layout.record(PEER, 'initiator', ID, 'staged'), 'beta'), '');
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: undefined }]);
  });

  it('is redone without the peer, and the record stays until FIN', async () => {
    const { folder, process } = await committed();
    await process.store.redo(PEER);
    await process.store.redo(PEER);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    expect(process.published).toHaveLength(1);
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { state: 'committed' }, published: true },
    ]);
  });

  it('publishes nothing that an operator must look at', async () => {
    const { folder, process } = await committed();
    await process.store.alarm(ID, 'unknown-to-peer');
    await process.store.redo(PEER);
    expect(await keyFiles(folder.layout)).toEqual({});
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'unknown-to-peer', published: false }]);
  });
});

describe('a name that is taken by an alien file', () => {
  it('is never overwritten, raises an alarm, and is cleared when the file has gone', async () => {
    const { folder, process } = await committed();
    const target = join(folder.layout.peerKeys(PEER), 'B_0');
    await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
    await writeFile(target, 'alien');
    for (let tries = 0; tries < 2; tries += 1) {
      await process.store.redo(PEER);
      expect(await process.store.finish(ID)).toBe('alarm');
      expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': 'alien' });
      expect(await process.store.survey(PEER)).toMatchObject([
        { place: { state: 'committed' }, alarm: 'name-taken', published: false },
      ]);
    }
    await rename(target, join(folder.path, 'alien'));
    await process.store.redo(PEER);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: undefined, published: true }]);
    expect(await process.store.finish(ID)).toBe('forgotten');
  });

  /** A committed record whose name is taken, as `redo` has found. */
  async function taken(): Promise<{ folder: StoreFolder; process: Process; target: string }> {
    const { folder, process } = await committed();
    const target = join(folder.layout.peerKeys(PEER), 'B_0');
    await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
    await writeFile(target, 'alien');
    await process.store.redo(PEER);
    return { folder, process, target };
  }

  it.each(['contradiction', 'unknown-to-peer'] as const)(
    'hides no %s, after which nothing is published once the file has gone',
    async (reason) => {
      const { folder, process, target } = await taken();
      expect(await process.store.alarm(ID, reason)).toBe(true);
      await process.store.redo(PEER);
      expect(await process.store.survey(PEER)).toMatchObject([{ alarm: reason }]);
      await rm(target);
      await process.store.redo(PEER);
      expect(await keyFiles(folder.layout)).toEqual({});
      expect(await process.store.survey(PEER)).toMatchObject([{ alarm: reason, published: false }]);
    },
  );

  it('takes no other alarm away that is made while its own is withdrawn', async () => {
    const { folder, process, target } = await taken();
    await rm(target);
    const other = await folder.open();
    const alarm = join(folder.layout.record(PEER, 'initiator', ID, 'committed'), 'alarm');
    process.fs.at = ({ name, path }) =>
      (name === 'unlink' || name === 'rename') && path === alarm
        ? { hold: other.store.alarm(ID, 'contradiction') }
        : undefined;
    await process.store.redo(PEER);
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'contradiction' }]);
  });
});

describe('an alarm', () => {
  it('keeps its first reason', async () => {
    const { process } = await committed();
    await process.store.alarm(ID, 'unknown-to-peer');
    await process.store.alarm(ID, 'contradiction');
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'unknown-to-peer' }]);
  });

  it.each(['create', 'write', 'sync', 'link'] as const)(
    'is there as a whole or not at all, where its run is killed before %s',
    async (last) => {
      const { folder, process } = await committed();
      process.fs.at = ({ name }) => (name === last ? { kill: 'before' } : undefined);
      await expect(process.store.alarm(ID, 'name-taken')).rejects.toThrow('killed');
      const { store } = await folder.open();
      expect(await store.survey(PEER)).toMatchObject([{ alarm: undefined }]);
      await store.alarm(ID, 'name-taken');
      expect(await store.survey(PEER)).toMatchObject([{ alarm: 'name-taken' }]);
    },
  );

  it('counts where it was damaged', async () => {
    const { folder, process } = await committed();
    await writeFile(join(folder.layout.record(PEER, 'initiator', ID, 'committed'), 'alarm'), 'unk');
    expect(await process.store.survey(PEER)).toMatchObject([{ alarm: 'contradiction' }]);
  });

  it('for an exchange without a record does nothing', async () => {
    const { folder, process } = await staged();
    const before = await folder.tree();
    expect(await process.store.alarm('0'.repeat(32), 'contradiction')).toBe(false);
    expect(await folder.tree()).toEqual(before);
  });

  it('that cannot be written is told', async () => {
    const { process } = await committed();
    process.fs.at = ({ name }) => (name === 'link' ? { errno: 'EIO' } : undefined);
    await expect(process.store.alarm(ID, 'contradiction')).rejects.toMatchObject({ code: 'storage' });
  });
});
