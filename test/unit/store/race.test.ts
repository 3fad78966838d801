/** Two processes on the same folders: of two that act at the same instant exactly one wins. */
import { readdir, rename } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Choice } from '../../../src/store/resolution.js';
import { isChange, type OperationName, type Plan } from '../../support/scripted-file-system.js';
import {
  BETA,
  CONTENT,
  exchangeOf,
  gate,
  ID,
  keyFiles,
  makeStoreFolder,
  PEER,
  PEER_STATE_ID,
  publications,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

interface Frozen<T> {
  readonly process: Process;
  /** Resolves once the process stands still. */
  readonly frozen: Promise<void>;
  /** Lets it go on, and answers what it comes to. */
  thaw(): Promise<T>;
}

/** A process that does `work` and stands still right before the operation that `where` names, the first time. */
async function freeze<T>(
  folder: StoreFolder,
  where: (name: OperationName, path: string, to: string | undefined) => boolean,
  work: (process: Process) => Promise<T>,
): Promise<Frozen<T>> {
  const process = await folder.open();
  const [reached, thawed] = [gate(), gate()];
  let once = false;
  const plan: Plan = ({ name, path, to }) => {
    if (once || !where(name, path, to)) return undefined;
    once = true;
    reached.open();
    return { hold: thawed.opened };
  };
  process.fs.at = plan;
  const result = work(process);
  result.catch(() => undefined);
  return {
    process,
    frozen: reached.opened,
    thaw: () => {
      thawed.open();
      return result;
    },
  };
}

const renameTo =
  (state: string) =>
  (name: OperationName, _path: string, to: string | undefined): boolean =>
    name === 'rename' && to?.endsWith(state) === true;

async function staged(
  role: 'initiator' | 'responder' = 'initiator',
): Promise<{ folder: StoreFolder; other: Process }> {
  const folder = await makeStoreFolder();
  const other = await folder.open();
  await stage(other, exchangeOf({ role }));
  return { folder, other };
}

describe('deciding', () => {
  it('loses to an abort that came first', async () => {
    const { folder, other } = await staged();
    const deciding = await freeze(folder, renameTo('.committed'), ({ store }) =>
      store.decide(PEER, ID, BETA),
    );
    await deciding.frozen;
    expect(await other.store.judge(ID)).toEqual({ decided: 'aborted' });
    expect(await deciding.thaw()).toEqual({ decided: 'aborted' });
    expect(await keyFiles(folder.layout)).toEqual({});
  });

  it('wins over an abort that comes later, which then tells of the commit', async () => {
    const { folder, other } = await staged();
    const judging = await freeze(folder, renameTo('.aborted'), ({ store }) => store.judge(ID));
    await judging.frozen;
    expect(await other.store.decide(PEER, ID, BETA)).toEqual({ decided: 'committed', beta: BETA });
    expect(await judging.thaw()).toEqual({ decided: 'committed', beta: BETA });
  });

  it('ends in an abort for both where two processes decide on one record', async () => {
    const { folder, other } = await staged();
    const first = await freeze(folder, renameTo('.committed'), ({ store }) => store.decide(PEER, ID, BETA));
    await first.frozen;
    expect(await other.store.decide(PEER, ID, '2')).toEqual({ decided: 'aborted' });
    expect(await first.thaw()).toEqual({ decided: 'aborted' });
  });

  it('does not write beta into a record that was aborted while it stood still', async () => {
    const { folder, other } = await staged();
    const deciding = await freeze(
      folder,
      (name, path) => name === 'create' && path.endsWith('/beta'),
      ({ store }) => store.decide(PEER, ID, BETA),
    );
    await deciding.frozen;
    await other.store.judge(ID);
    expect(await deciding.thaw()).toEqual({ decided: 'aborted' });
    await other.store.cleanUp(PEER);
    expect(await folder.tree(folder.layout.role(PEER, 'initiator'))).toEqual([]);
  });

  it.each([...Array(10).keys()])('agrees at the same instant (%i)', async () => {
    const { folder } = await staged();
    const [one, two] = [await folder.open(), await folder.open()];
    const verdicts = await Promise.all([one.store.decide(PEER, ID, BETA), two.store.judge(ID)]);
    expect(verdicts[0]).toEqual(verdicts[1]);
    expect(await (await folder.open()).store.judge(ID)).toEqual(verdicts[0]);
  });

  it('is not called an abort where another process finishes the exchange meanwhile', async () => {
    const { folder, other } = await staged();
    await other.store.decide(PEER, ID, BETA);
    const judging = await freeze(
      folder,
      (name, path) => name === 'read' && path.endsWith('/beta'),
      ({ store }) => store.judge(ID),
    );
    await judging.frozen;
    expect(await other.store.finish(ID)).toBe('forgotten');
    await expect(judging.thaw()).rejects.toMatchObject({ code: 'busy' });
  });
});

describe('publishing', () => {
  const intoKeys = (name: OperationName, _path: string, to: string | undefined): boolean =>
    name === 'rename' && to?.endsWith('/keys/B/B_0') === true;

  it('moves the key once where a second process publishes it first', async () => {
    const { folder, other } = await staged();
    await other.store.decide(PEER, ID, BETA);
    const finishing = await freeze(folder, intoKeys, ({ store }) => store.finish(ID));
    await finishing.frozen;
    expect(await other.store.finish(ID)).toBe('forgotten');
    expect(await finishing.thaw()).toBe('forgotten');
    expect(publications([finishing.process, other], folder.layout)).toBe(1);
    expect([...finishing.process.published, ...other.published]).toHaveLength(1);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
  });

  it('does not take the file of the winner for an alien one', async () => {
    const { folder, other } = await staged('responder');
    const committing = await freeze(
      folder,
      (name, path) => name === 'stat' && path.endsWith('/keys/B/B_0'),
      ({ store }) => store.commit(PEER, ID, BETA),
    );
    await committing.frozen;
    expect(await other.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await committing.thaw()).toBe('done');
    expect(await other.store.survey(PEER)).toMatchObject([{ alarm: undefined, published: true }]);
  });

  it('never gives a consumer the key twice', async () => {
    const { folder, other } = await staged('responder');
    const committing = await freeze(folder, intoKeys, ({ store }) => store.commit(PEER, ID, BETA));
    await committing.frozen;
    await other.store.commit(PEER, ID, BETA);
    await rename(`${folder.layout.peerKeys(PEER)}/B_0`, `${folder.path}/consumed`);
    expect(await committing.thaw()).toBe('done');
    expect(await keyFiles(folder.layout)).toEqual({});
  });
});

describe('voting', () => {
  it('cannot be finished by a writer that stood still while its folder was cleared away', async () => {
    const vote = exchangeOf({ role: 'responder' });
    const model = await (await makeStoreFolder()).open();
    const staging = await model.store.stage(vote);
    model.fs.done.length = 0;
    await staging.complete(CONTENT, BETA);
    const upToTheVote = model.fs.done.filter(isChange).slice(0, -1);
    expect(upToTheVote.map(({ name }) => name)).toContain('rename');

    for (const [turn] of upToTheVote.entries()) {
      const folder = await makeStoreFolder();
      let completing = false;
      let changes = -1;
      const writer = await freeze(
        folder,
        (name) => {
          if (completing && isChange({ name })) changes += 1;
          return changes === turn;
        },
        async ({ store }) => {
          const held = await store.stage(vote);
          completing = true;
          await held.complete(CONTENT, BETA);
        },
      );
      await writer.frozen;
      const other = await folder.open();
      await other.store.cleanUp(PEER);
      await expect(writer.thaw()).rejects.toMatchObject({ code: 'storage' });
      expect(await other.store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ inDoubt: [], done: [] });
      await other.store.cleanUp(PEER);
      expect(await other.store.isNameFree(PEER, 'B_0')).toBe(true);
      expect(await folder.tree(folder.layout.role(PEER, 'responder'))).toEqual([]);
      expect(await folder.tree(folder.layout.trash)).toEqual([]);
    }
  });

  it('keeps its reservation when the same SYN comes again while it is being written', async () => {
    const folder = await makeStoreFolder();
    const [one, two] = [await folder.open(), await folder.open()];
    const vote = exchangeOf({ role: 'responder' });
    const staging = await one.store.stage(vote);
    await expect(two.store.stage(vote)).rejects.toMatchObject({ code: 'name-taken' });
    expect(await one.store.isNameFree(PEER, 'B_0')).toBe(false);
    await staging.complete(CONTENT, BETA);
    expect((await readdir(folder.layout.names(PEER))).sort()).toEqual(['B_0']);
  });

  it('refuses the same SYN once it is voted, whatever has become of it', async () => {
    const { other } = await staged('responder');
    await expect(other.store.stage(exchangeOf({ role: 'responder' }))).rejects.toMatchObject({
      code: 'protocol',
    });
    await other.store.commit(PEER, ID, BETA);
    await expect(other.store.stage(exchangeOf({ role: 'responder' }))).rejects.toMatchObject({
      code: 'protocol',
    });
  });

  it('goes either way as a whole where commit and discard meet', async () => {
    const first = await staged('responder');
    const committing = await freeze(first.folder, renameTo('.committed'), ({ store }) =>
      store.commit(PEER, ID, BETA),
    );
    await committing.frozen;
    expect(await first.other.store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await committing.thaw()).toBe('unknown');
    expect(await keyFiles(first.folder.layout)).toEqual({});

    const second = await staged('responder');
    const discarding = await freeze(second.folder, renameTo('.aborted'), ({ store }) =>
      store.discard(PEER, ID, PEER_STATE_ID),
    );
    await discarding.frozen;
    expect(await second.other.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await discarding.thaw()).toBe('done');
    expect(await keyFiles(second.folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
  });

  it('meets a record that moves on while it is looked for', async () => {
    const { folder, other } = await staged('responder');
    const committing = await freeze(
      folder,
      (name, path) => name === 'stat' && path.endsWith('.staged'),
      ({ store }) => store.commit(PEER, ID, BETA),
    );
    await committing.frozen;
    expect(await other.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await committing.thaw()).toBe('done');
  });

  it('keeps what is committed while a commit stood still', async () => {
    const { folder, other } = await staged('responder');
    const committing = await freeze(folder, renameTo('.done'), ({ store }) => store.commit(PEER, ID, BETA));
    await committing.frozen;
    expect(await other.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await other.store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
    expect(await committing.thaw()).toBe('done');
    expect(publications([committing.process, other], folder.layout)).toBe(1);
  });
});

describe('two operators with opposite choices', () => {
  const choose = async ({ store }: Process, choice: Choice): Promise<boolean> => {
    const record = await store.find(ID);
    if (record === undefined) throw new Error('no record');
    return store.resolve(record, { choice, by: 'op', time: 1 });
  };
  const resolutionOf = async ({ store }: Process): Promise<unknown> => (await store.find(ID))?.resolution;
  const opposite = { commit: 'abort', abort: 'commit' } as const;

  it.each(['commit', 'abort'] as const)(
    'are told which was done, where the second chose while the first, with %s, stood still',
    async (choice) => {
      const { folder, other } = await staged('responder');
      const first = await freeze(folder, renameTo('.resolved'), (process) => choose(process, choice));
      await first.frozen;
      // The first's lock is stale by now, and the second stands still right before its own rename.
      const second = await freeze(folder, renameTo('.resolved'), (process) =>
        choose(process, opposite[choice]),
      );
      await second.frozen;
      expect(await first.thaw()).toBe(false);
      expect(await second.thaw()).toBe(true);
      expect(await resolutionOf(other)).toBe(opposite[choice]);
      const saved = opposite[choice] === 'commit' ? { 'B/B_0': CONTENT.toString() } : {};
      expect(await keyFiles(folder.layout)).toEqual(saved);
      expect((await folder.tree()).filter((path) => path.endsWith('/key'))).toEqual([]);
    },
  );

  it('act on no choice that the disk may not have', async () => {
    const { folder, other } = await staged('responder');
    const first = await freeze(folder, renameTo('.resolved'), (process) => choose(process, 'commit'));
    await first.frozen;
    const second = await freeze(
      folder,
      // It has put its own choice in place, and is killed before it can make that durable.
      (name, path) => name === 'syncFolder' && path.endsWith(`${ID}.staged`),
      (process) => choose(process, 'abort'),
    );
    await second.frozen;
    expect(await first.thaw()).toBe(false);
    other.fs.done.length = 0;
    await other.store.redo(PEER);
    const done = [first.process, other].flatMap(({ fs }) => fs.changes((path) => folder.shorten(path)));
    const record = 'exchanges/B/responder/<id>.resolved';
    const destroyed = done.indexOf(`unlink ${record}/key`);
    expect(destroyed).toBeGreaterThan(-1);
    expect(done.slice(0, destroyed)).toContain(`syncFolder ${record}`);
    await second.thaw();
    expect(await resolutionOf(other)).toBe('abort');
  });

  it('are both told of the one choice that they share', async () => {
    const { folder, other } = await staged('responder');
    const first = await freeze(folder, renameTo('.resolved'), (process) => choose(process, 'commit'));
    await first.frozen;
    expect(await choose(other, 'commit')).toBe(true);
    expect(await first.thaw()).toBe(true);
    expect(publications([first.process, other], folder.layout)).toBe(1);
  });

  it('lose to a decision of the initiator', async () => {
    const { folder, other } = await staged('responder');
    const first = await freeze(folder, renameTo('.resolved'), (process) => choose(process, 'abort'));
    await first.frozen;
    expect(await other.store.commit(PEER, ID, BETA)).toBe('done');
    expect(await first.thaw()).toBe(false);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
  });
});

describe('surveying', () => {
  it('follows a record that moves on while it is read', async () => {
    const { folder, other } = await staged('responder');
    const surveying = await freeze(
      folder,
      (name, path) => name === 'read' && path.endsWith('.staged/exchange.json'),
      ({ store }) => store.survey(PEER),
    );
    await surveying.frozen;
    await other.store.commit(PEER, ID, BETA);
    expect(await surveying.thaw()).toMatchObject([{ place: { id: ID, state: 'done' }, published: true }]);
  });

  it('never gives out the number of a record that moves on while it is read', async () => {
    const { folder, other } = await staged('responder');
    await other.store.commit(PEER, ID, BETA);
    const numbering = await freeze(
      folder,
      (name, path) => name === 'read' && path.endsWith('.done/exchange.json'),
      ({ store }) => store.nextIndex(PEER),
    );
    await numbering.frozen;
    await other.store.forget(PEER, ID, PEER_STATE_ID);
    expect(await numbering.thaw()).toBe(1);
  });
});
