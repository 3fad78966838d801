/** What follows when the fsync of a decision, or of a new folder, fails (docs/protocol.md, rule 13). */
import { writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import {
  BETA,
  CONTENT,
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

const VOTE = exchangeOf({ role: 'responder' });

interface Decided {
  readonly name: string;
  readonly before: (process: Process) => Promise<unknown>;
  readonly act: (process: Process) => Promise<unknown>;
  /** How many of its fsyncs come before anything is decided. */
  readonly harmless: number;
}

const committed = async (process: Process): Promise<void> => {
  await stage(process);
  await process.store.decide(PEER, ID, BETA);
};
const voted = (process: Process): Promise<void> => stage(process, VOTE);
const done = async (process: Process): Promise<void> => {
  await voted(process);
  await process.store.commit(PEER, ID, BETA);
};

const DECIDED: readonly Decided[] = [
  {
    name: 'decide',
    before: (process) => stage(process),
    act: ({ store }) => store.decide(PEER, ID, BETA),
    harmless: 2,
  },
  { name: 'judge', before: committed, act: ({ store }) => store.judge(ID), harmless: 0 },
  { name: 'finish', before: committed, act: ({ store }) => store.finish(ID), harmless: 0 },
  {
    name: 'finish of what another has removed',
    before: async (process) => {
      await committed(process);
      await process.store.finish(ID);
    },
    act: ({ store }) => store.finish(ID),
    harmless: 0,
  },
  { name: "redo of the initiator's", before: committed, act: ({ store }) => store.redo(PEER), harmless: 0 },
  { name: 'commit', before: voted, act: ({ store }) => store.commit(PEER, ID, BETA), harmless: 0 },
  { name: 'a repeated commit', before: done, act: ({ store }) => store.commit(PEER, ID, BETA), harmless: 0 },
  {
    // An abort may be lost: the vote is in doubt again then, and hears the same answer.
    name: 'discard',
    before: voted,
    act: ({ store }) => store.discard(PEER, ID, PEER_STATE_ID),
    harmless: Infinity,
  },
  { name: 'forget', before: done, act: ({ store }) => store.forget(PEER, ID, PEER_STATE_ID), harmless: 0 },
  { name: 'openVotes', before: voted, act: ({ store }) => store.openVotes(PEER, PEER_STATE_ID), harmless: 0 },
  {
    name: "redo of the responder's",
    before: async (process) => {
      await voted(process);
      process.fs.at = ({ name }) => (name === 'syncFolder' ? { kill: 'before' } : undefined);
      await expect(process.store.commit(PEER, ID, BETA)).rejects.toThrow('killed');
    },
    act: ({ store }) => store.redo(PEER),
    harmless: 0,
  },
];

const EVERYTHING: readonly (readonly [string, (process: Process) => Promise<unknown>])[] = [
  ['open', ({ store }) => store.open()],
  ['preparePeer', ({ store }) => store.preparePeer(PEER)],
  ['peers', ({ store }) => store.peers()],
  ['survey', ({ store }) => store.survey(PEER)],
  ['nextIndex', ({ store }) => store.nextIndex(PEER)],
  ['cleanUp', ({ store }) => store.cleanUp(PEER)],
  ['redo', ({ store }) => store.redo(PEER)],
  ['probe', ({ store }) => store.probe(PEER, 1)],
  ['isNameFree', ({ store }) => store.isNameFree(PEER, 'B_1')],
  ['stage', ({ store }) => store.stage(exchangeOf({ id: 'f'.repeat(32), name: 'B_9' }))],
  ['decide', ({ store }) => store.decide(PEER, ID, BETA)],
  ['judge', ({ store }) => store.judge(ID)],
  ['finish', ({ store }) => store.finish(ID)],
  ['alarm', ({ store }) => store.alarm(ID, 'contradiction')],
  ['openVotes', ({ store }) => store.openVotes(PEER, PEER_STATE_ID)],
  ['commit', ({ store }) => store.commit(PEER, ID, BETA)],
  ['discard', ({ store }) => store.discard(PEER, ID, PEER_STATE_ID)],
  ['forget', ({ store }) => store.forget(PEER, ID, PEER_STATE_ID)],
];

/** Fails the fsync whose turn it is; answers the error, or undefined where there are fewer fsyncs. */
async function failFsync(folder: StoreFolder, { before, act }: Decided, turn: number): Promise<unknown> {
  await before(await folder.open());
  const process = await folder.open();
  let seen = 0;
  process.fs.at = ({ name }) => {
    if (name !== 'sync' && name !== 'syncFolder') return undefined;
    seen += 1;
    return seen === turn + 1 ? { errno: 'EIO' } : undefined;
  };
  try {
    await act(process);
    expect(process.fs.struck).toBe(false);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(DECIDED)('$name', (decided) => {
  it('marks the folder at each fsync that fails from the decision on, and before only for folders', async () => {
    let turn = 0;
    for (; ; turn += 1) {
      const folder = await makeStoreFolder();
      const error = await failFsync(folder, decided, turn);
      if (error === undefined) break;
      const suspect = turn >= decided.harmless || (error as { code?: unknown }).code === 'suspect';
      expect(error).toMatchObject({ code: suspect ? 'suspect' : 'storage' });
      // Before the decision nothing has failed that a run would have to finish.
      if (turn < decided.harmless && suspect) expect((error as Error).cause).toBeUndefined();
      const mark = await readFile(folder.layout.suspect, 'utf8').catch(() => undefined);
      expect(mark).toBe(suspect ? 'boot-1' : undefined);
    }
    expect(turn).toBeGreaterThan(Number.isFinite(decided.harmless) ? decided.harmless : 0);
  });
});

/** Another run makes the mark right before the fsync whose turn it is, which then goes well all the same. */
async function markAtFsync(folder: StoreFolder, { before, act }: Decided, turn: number): Promise<unknown> {
  await before(await folder.open());
  const process = await folder.open();
  let seen = 0;
  process.fs.at = ({ name }) => {
    if (name !== 'syncFolder') return undefined;
    seen += 1;
    if (seen === turn + 1) writeFileSync(folder.layout.suspect, 'boot-1');
    return undefined;
  };
  const error: unknown = await act(process).catch((reason: unknown) => reason);
  if (seen <= turn) return undefined;
  return error ?? 'nothing';
}

describe.each(DECIDED.filter(({ harmless }) => Number.isFinite(harmless)))(
  '$name, while another run sees an fsync fail',
  (decided) => {
    it('believes in none of its own, and keeps the record', async () => {
      let turn = 0;
      for (; ; turn += 1) {
        const folder = await makeStoreFolder();
        const error = await markAtFsync(folder, decided, turn);
        if (error === undefined) break;
        expect(error).toMatchObject({ code: 'suspect' });
      }
      expect(turn).toBeGreaterThan(0);
    });
  },
);

describe('publishing, while another run sees an fsync of the folder of keys fail', () => {
  it.each([
    ['the initiator', committed, ({ store }: Process) => store.finish(ID), 'initiator/'],
    ['the responder', voted, ({ store }: Process) => store.commit(PEER, ID, BETA), 'responder/'],
  ] as const)('leaves the record of %s committed', async (_who, before, act, role) => {
    const folder = await makeStoreFolder();
    await before(await folder.open());
    const process = await folder.open();
    process.fs.at = ({ name, path }) => {
      if (name === 'syncFolder' && path === folder.layout.peerKeys(PEER))
        writeFileSync(folder.layout.suspect, 'boot-1');
      return undefined;
    };
    const error: unknown = await act(process).catch((reason: unknown) => reason);
    // With a cause: a decision that may not last is no plain failure (exit code 14).
    expect(error).toMatchObject({ code: 'suspect', cause: { code: 'suspect' } });
    expect(process.published).toEqual([]);
    expect(await folder.tree()).toContain(`exchanges/${PEER}/${role}${ID}.committed/exchange.json`);
  });

  it('moves no key after an fsync of the decision that proves nothing', async () => {
    const folder = await makeStoreFolder();
    await committed(await folder.open());
    const process = await folder.open();
    process.fs.at = ({ name, path }) => {
      if (name === 'syncFolder' && path.endsWith('/initiator'))
        writeFileSync(folder.layout.suspect, 'boot-1');
      return undefined;
    };
    await expect(process.store.finish(ID)).rejects.toMatchObject({ code: 'suspect' });
    expect(await folder.tree()).toContain(`exchanges/${PEER}/initiator/${ID}.committed/key`);
  });

  it('destroys no key that an operator has given up after such an fsync', async () => {
    const folder = await makeStoreFolder();
    await voted(await folder.open());
    const process = await folder.open();
    const record = await process.store.find(ID);
    if (record === undefined) throw new Error('no record');
    process.fs.at = ({ name, path }) => {
      if (name === 'syncFolder' && path.endsWith('/responder'))
        writeFileSync(folder.layout.suspect, 'boot-1');
      return undefined;
    };
    const choice = { choice: 'abort', by: 'x', time: 0 } as const;
    await expect(process.store.resolve(record, choice)).rejects.toMatchObject({ code: 'suspect' });
    expect(await folder.tree()).toContain(`exchanges/${PEER}/responder/${ID}.resolved/key`);
  });
});

describe('a marked folder', () => {
  const commitFails = DECIDED.find(({ name }) => name === 'commit');

  async function marked(): Promise<StoreFolder> {
    const folder = await makeStoreFolder();
    if (commitFails === undefined) throw new Error('no such case');
    await failFsync(folder, commitFails, 0);
    return folder;
  }

  it.each(EVERYTHING)('refuses %s while the machine has not been restarted', async (_name, work) => {
    const folder = await marked();
    const before = await folder.tree();
    const process = folder.start({ bootId: 'boot-1' });
    await expect(work(process)).rejects.toMatchObject({ code: 'suspect' });
    expect(await folder.tree()).toEqual(before);
  });

  it('goes on after a restart, without the mark', async () => {
    const folder = await marked();
    const { store } = await folder.open({ bootId: 'boot-2' });
    expect(await folder.tree()).not.toContain('exchanges/SUSPECT');
    await store.redo(PEER);
    expect(await store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ done: [ID] });
    // Another process of this boot is not held up either.
    await (await folder.open({ bootId: 'boot-2' })).store.forget(PEER, ID, PEER_STATE_ID);
  });

  it('is left as it is by whoever only reads', async () => {
    const folder = await marked();
    const { store } = folder.start({ bootId: 'boot-2' });
    await store.survey(PEER);
    expect(await folder.tree()).toContain('exchanges/SUSPECT');
  });

  it.each(['boot-2', 'boo', ''])(
    'is not taken away where another run of this boot has made its own meanwhile, or so much of it: %j',
    async (written) => {
      const folder = await marked();
      const { store, fs } = folder.start({ bootId: 'boot-2' });
      fs.at = ({ name, path }) => {
        if (name === 'rename' && path === folder.layout.suspect) writeFileSync(path, written);
        return undefined;
      };
      await expect(store.open()).rejects.toMatchObject({ code: 'suspect' });
      expect(await readFile(folder.layout.suspect, 'utf8')).toBe(written);
    },
  );

  it('ends a settlement that has begun before it was made: nothing is aborted', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process);
    let looks = 0;
    process.fs.at = ({ name, path }) => {
      // At the second look: the first one, at the door, has found nothing.
      if (name === 'read' && path === folder.layout.suspect && (looks += 1) === 2)
        writeFileSync(path, 'boot-1');
      return undefined;
    };
    await expect(process.store.judge(ID)).rejects.toMatchObject({ code: 'suspect' });
    expect(await folder.tree()).toContain(`exchanges/B/initiator/${ID}.staged/`);
  });

  it.each([
    { role: 'initiator', state: 'committed', end: ({ store }: Process) => store.finish(ID) },
    { role: 'responder', state: 'done', end: ({ store }: Process) => store.forget(PEER, ID, PEER_STATE_ID) },
  ] as const)(
    'keeps the record of the $role that is just being removed: its number may not last',
    async ({ role, state, end }) => {
      const folder = await makeStoreFolder();
      const process = await folder.open();
      await (role === 'initiator' ? committed : done)(process);
      process.fs.at = ({ name, path }) => {
        if (name === 'syncFolder' && path === folder.layout.index(PEER))
          writeFileSync(folder.layout.suspect, 'boot-1');
        return undefined;
      };
      await expect(end(process)).rejects.toMatchObject({ code: 'suspect' });
      expect(await folder.tree()).toContain(`exchanges/B/${role}/${ID}.${state}/`);
    },
  );

  it('is renewed by a process that sees an fsync fail after a restart', async () => {
    const folder = await marked();
    const { store, fs } = folder.start({ bootId: 'boot-2' });
    fs.at = ({ name, path }) =>
      name === 'syncFolder' && path.endsWith('/responder') ? { errno: 'EIO' } : undefined;
    await expect(store.redo(PEER)).rejects.toMatchObject({ code: 'suspect' });
    expect(await readFile(folder.layout.suspect, 'utf8')).toBe('boot-2');
  });

  it.each([
    ['unknown', 'boot-1'],
    ['boot-1', 'unknown'],
  ])('holds where a boot cannot be told: the mark says %s, the kernel %s', async (marked, now) => {
    const folder = await makeStoreFolder();
    await folder.open({ bootId: now });
    await writeFile(folder.layout.suspect, marked);
    await expect(folder.open({ bootId: now })).rejects.toMatchObject({
      code: 'suspect',
      hint: expect.stringContaining('says unknown') as unknown,
    });
    expect(await readFile(folder.layout.suspect, 'utf8')).toBe(marked);
  });

  it.each(['', 'boo'])('counts as marked where the mark was torn to %j', async (torn) => {
    const folder = await makeStoreFolder();
    await folder.open();
    await writeFile(folder.layout.suspect, torn);
    const error: unknown = await folder.open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'suspect' });
    expect((error as { hint: string }).hint).toContain(folder.layout.suspect);
  });
});

describe('a process that has seen an fsync fail', () => {
  async function failing(errnoOfMark?: string): Promise<{ folder: StoreFolder; process: Process }> {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await stage(process, VOTE);
    process.fs.at = ({ name, path }) => {
      if (name === 'syncFolder' && path.endsWith('/responder')) return { errno: 'EIO' };
      return errnoOfMark !== undefined && name === 'create' && path.endsWith('/SUSPECT')
        ? { errno: errnoOfMark }
        : undefined;
    };
    return { folder, process };
  }

  it('does nothing more even where the mark cannot be written, and says so', async () => {
    const { folder, process } = await failing('ENOSPC');
    await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'suspect' });
    expect(process.said).toMatchObject([{ level: 'error', event: 'suspect-mark-failed' }]);
    process.fs.at = () => undefined;
    expect(await folder.tree()).not.toContain('exchanges/SUSPECT');
    await expect(process.store.survey(PEER)).rejects.toMatchObject({ code: 'suspect' });
    await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'suspect' });
  });

  it.each(['create', 'write', 'sync'])('makes the mark where its first %s fails', async (step) => {
    const { folder, process } = await failing();
    let refused = 0;
    const { at } = process.fs;
    process.fs.at = (operation) => {
      const { name, path } = operation;
      if (name !== step || !path.endsWith('/SUSPECT') || refused > 0) return at(operation);
      refused += 1;
      return { errno: 'EIO' };
    };
    await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'suspect' });
    expect(refused).toBe(1);
    expect(process.said).toEqual([]);
    await expect(folder.open()).rejects.toMatchObject({ code: 'suspect' });
  });

  it('is content with a mark that another process has made', async () => {
    const { folder, process } = await failing();
    // The mark appears between the look at it and the fsync.
    process.fs.at = ({ name, path }) => {
      if (name !== 'syncFolder' || !path.endsWith('/responder')) return undefined;
      writeFileSync(folder.layout.suspect, 'boot-1');
      return { errno: 'EIO' };
    };
    await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'suspect' });
    expect(process.said).toEqual([]);
  });

  it('does not complete what it had begun to stage', async () => {
    const { folder, process } = await failing();
    const other = exchangeOf({ role: 'responder', id: 'f'.repeat(32), name: 'B_1', index: 1 });
    const staging = await process.store.stage(other);
    await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'suspect' });
    process.fs.at = () => undefined;
    await expect(staging.complete(CONTENT, BETA)).rejects.toMatchObject({ code: 'suspect' });
    expect((await folder.tree()).filter((path) => path.includes('ffff'))).toEqual([]);
  });

  it('is not misled by a close that fails too', async () => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    await committed(process);
    process.fs.at = ({ name, path }) =>
      path.endsWith('/index/0') && (name === 'sync' || name === 'close') ? { errno: 'EIO' } : undefined;
    await expect(process.store.finish(ID)).rejects.toMatchObject({ code: 'suspect' });
  });

  it('does not count a folder that could not be opened as a failed fsync', async () => {
    const { folder, process } = await failing();
    process.fs.at = ({ name, path }) =>
      name === 'syncFolder' && path.endsWith('/responder') ? { errno: 'EMFILE', syscall: 'open' } : undefined;
    await expect(process.store.commit(PEER, ID, BETA)).rejects.toMatchObject({ code: 'storage' });
    expect(await folder.tree()).not.toContain('exchanges/SUSPECT');
  });
});

describe('staging', () => {
  it.each(['initiator', 'responder'] as const)(
    'takes no fsync that fails for more than it is (%s), and leaves nothing that counts',
    async (role) => {
      let turn = 0;
      const codes = new Set<string | undefined>();
      for (; ; turn += 1) {
        const folder = await makeStoreFolder();
        const before = (): Promise<void> => Promise.resolve();
        const act = (process: Process): Promise<void> => stage(process, exchangeOf({ role }));
        const error = await failFsync(folder, { name: '', before, act, harmless: 0 }, turn);
        if (error === undefined) break;
        // A folder of which nobody knows whether it lasts is the next run's business too.
        const code = error instanceof QkdSyncError ? error.code : undefined;
        codes.add(code);
        const { store } = await folder.open({ bootId: code === 'suspect' ? 'boot-2' : 'boot-1' });
        expect(await store.openVotes(PEER, PEER_STATE_ID)).toMatchObject({ inDoubt: [] });
        await store.cleanUp(PEER);
        expect(await store.survey(PEER)).toEqual([]);
        expect(await store.isNameFree(PEER, 'B_0')).toBe(true);
      }
      expect(turn).toBeGreaterThan(5);
      expect([...codes].sort()).toEqual(['storage', 'suspect']);
    },
  );
});

describe('staging, while another run sees an fsync of the same folder fail', () => {
  it.each(['initiator', 'responder'] as const)('leaves nothing that counts (%s)', async (role) => {
    const folder = await makeStoreFolder();
    const process = await folder.open();
    const exchange = exchangeOf({ role });
    process.fs.at = ({ name, path }) => {
      const isStaging = name === 'rename' && /\.tmp-[0-9a-f]+$/.test(path);
      if (isStaging) writeFileSync(folder.layout.suspect, 'boot-1');
      return undefined;
    };
    await expect(stage(process, exchange)).rejects.toMatchObject({ code: 'suspect' });
    const { store } = await folder.open({ bootId: 'boot-2' });
    expect(await store.survey(PEER)).toEqual([]);
  });
});

describe('a new folder whose fsync fails', () => {
  const failing = (errno: string, end: string) => async (): Promise<[StoreFolder, unknown]> => {
    const folder = await makeStoreFolder();
    const process = folder.start({ bootId: 'boot-1' });
    process.fs.at = ({ name, path }) => (name === 'syncFolder' && path.endsWith(end) ? { errno } : undefined);
    const error: unknown = await process.store
      .open()
      .then(() => process.store.preparePeer(PEER))
      .catch((reason: unknown) => reason);
    return [folder, error];
  };

  it.each(['/exchanges', 'HOME'])(
    '%s: nothing is done in it before the machine has been restarted',
    async (which) => {
      const parent = which === 'HOME' ? '' : which;
      const folder = await makeStoreFolder();
      const process = folder.start({ bootId: 'boot-1' });
      const target = parent === '' ? dirname(folder.layout.state) : folder.layout.state;
      process.fs.at = ({ name, path }) =>
        name === 'syncFolder' && path === target ? { errno: 'EIO' } : undefined;
      await expect(process.store.open()).rejects.toMatchObject({ code: 'suspect' });
      process.fs.at = () => undefined;
      await expect(process.store.open()).rejects.toMatchObject({ code: 'suspect' });
      await expect(folder.start({ bootId: 'boot-1' }).store.open()).rejects.toMatchObject({
        code: 'suspect',
      });
      const { store } = await folder.open({ bootId: 'boot-2' });
      await store.preparePeer(PEER);
      expect(await folder.tree(folder.layout.state)).not.toContain('SUSPECT');
    },
  );

  it.each(['ENOSPC', 'EDQUOT', 'EROFS'])(
    'is plain `storage` for %s: such a disk keeps what it was to write',
    async (errno) => {
      const [folder, error] = await failing(errno, '/exchanges')();
      expect(error).toMatchObject({ code: 'storage' });
      expect(await folder.tree()).not.toContain('exchanges/SUSPECT');
    },
  );
});
