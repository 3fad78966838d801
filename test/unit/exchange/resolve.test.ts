/** An operator decides where the peer is lost for good, and the peer comes back after all. */
import { describe, expect, test } from '@jest/globals';
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import type { Decided, KnownExchange, ResolveRequest } from '../../../src/exchange/resolve.js';
import { consequenceOf, resolve } from '../../../src/exchange/resolve.js';
import type { Store } from '../../../src/store/store.js';
import type { SurveyedRecord } from '../../../src/store/survey.js';
import { NO_FAULT } from '../../support/faulty-file-system.js';
import { eachLink } from '../../support/each-link.js';
import type { Link } from '../../support/link.js';
import { exchangeOf } from '../../support/store-folder.js';
import { SOUND_WIRE } from '../../support/memory-network.js';
import type { TestSite } from '../../support/site.js';
import { expectSettled } from '../../support/truth.js';

let link: Link;
eachLink((made) => {
  link = made;
});

/** B has voted; A is killed before its decision, or right after it. */
async function leaveInDoubt(decided: boolean): Promise<void> {
  const answering = link.b.respond([link.a]);
  const asking = link.a.initiate(link.b, { terms: { ackTimeoutMs: 0 } });
  link.network.wire = ({ type }) => {
    if (type === 'SYN_ACK' && !decided) asking.kill();
    return type === 'ACK' ? 'vanish' : 'deliver';
  };
  await link.both(asking, answering);
  link.network.wire = SOUND_WIRE;
}

function openAt(site: TestSite, peer: TestSite, role: string): string {
  const [name] = readdirSync(join(site.state, peer.id, role));
  return name?.slice(0, 32) ?? '';
}

async function decide(
  site: TestSite,
  id: string,
  choice: ResolveRequest['choice'],
  confirm: (known: KnownExchange, consequence: string) => boolean = () => true,
): Promise<KnownExchange | undefined> {
  const { after, unfinished } = await tryToDecide(site, id, choice, confirm);
  expect(unfinished).toBeUndefined();
  return after;
}

async function tryToDecide(
  site: TestSite,
  id: string,
  choice: ResolveRequest['choice'],
  confirm: (known: KnownExchange, consequence: string) => boolean = () => true,
  withStore: (store: Store) => Store = (store) => store,
): Promise<Decided> {
  const request: ResolveRequest = {
    id,
    choice,
    by: 'op',
    lockWaitMs: 0,
    confirm: (...asked) => Promise.resolve(confirm(...asked)),
  };
  const ports = {
    lock: link.locks.lock(link.clock),
    clock: link.clock,
    log: site.log.log,
    signal: new AbortController().signal,
  };
  return link.until(resolve(request, { ...ports, store: withStore(site.store()) }));
}

describe('an operator of B', () => {
  test.each([
    ['commit', true, ['saved', 'A_0']],
    ['abort', false, ['nothing', undefined]],
  ] as const)('who decides %s as A did: both settle, nothing is left', async (choice, decided, [, file]) => {
    await leaveInDoubt(decided);
    expect(await decide(link.b, openAt(link.b, link.a, 'responder'), choice)).toMatchObject({
      state: 'resolved',
    });
    const [a, b] = await link.recover();
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([0, 0]);
    expect(Object.keys(await link.b.files(link.a))).toEqual(file === undefined ? [] : [file]);
    await expectSettled(link);
  });

  test.each([
    ['commit', false],
    ['abort', true],
  ] as const)(
    'who decides %s otherwise than A: 13 on both sites until both have forgotten',
    async (choice, decided) => {
      await leaveInDoubt(decided);
      const id = openAt(link.b, link.a, 'responder');
      await decide(link.b, id, choice);
      for (let contact = 1; contact <= 2; contact += 1) {
        const startedAt = link.clock.monotonic();
        const [a, b] = await link.recover();
        expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);
        // A one-shot responder has been answered: it does not wait for somebody else.
        expect(link.clock.monotonic() - startedAt).toBeLessThan(1_000);
      }
      // New exchanges go on, with another number.
      const [a, b] = await link.exchange();
      expect([a, b]).toMatchObject([
        { outcome: 'saved', exchange: { index: 1 } },
        { outcome: 'saved', exchange: { index: 1 } },
      ]);
      expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);

      expect(await decide(link.b, id, 'forget')).toBeUndefined();
      expect(await decide(link.a, id, 'forget')).toBeUndefined();
      const [after] = await link.exchange();
      expect([exitCodeOf(after), after.exchange?.index]).toEqual([0, 2]);
      expect([await link.a.records(link.b), await link.b.records(link.a)]).toEqual([[], []]);
    },
  );

  test('who decides commit after A has forgotten that it had given up: 13 on both sites at once', async () => {
    await leaveInDoubt(false);
    await link.until(link.a.recover(link.b).report);
    expect(await link.a.records(link.b)).toEqual([]);
    const id = openAt(link.b, link.a, 'responder');
    await decide(link.b, id, 'commit');
    // The contact that finds out about it is the one that wants a new exchange, which gets another number.
    const [a, b] = await link.exchange();
    expect([a, b]).toMatchObject([
      { outcome: 'saved', exchange: { index: 1 } },
      { outcome: 'saved', exchange: { index: 1 } },
    ]);
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);

    await decide(link.b, id, 'forget');
    const [after] = await link.exchange();
    expect([exitCodeOf(after), after.exchange?.index]).toEqual([0, 2]);
  });

  test('who decides while A has a new folder of state: settled, and no number is lost', async () => {
    await leaveInDoubt(false);
    const state = join(link.a.state, '..', 'new');
    const before = await link.both(link.a.recover(link.b, { state }), link.b.respond([link.a]));
    expect(exitCodeOf(before[0])).toBe(13);
    await decide(link.b, openAt(link.b, link.a, 'responder'), 'abort');
    const [a, b] = await link.both(link.a.initiate(link.b, { state }), link.b.respond([link.a]));
    expect([exitCodeOf(a), exitCodeOf(b), a.exchange?.index]).toEqual([0, 0, 0]);
  });
});

describe('a folder of state of A that has been moved, so that it has a new ID', () => {
  const moved = (): string => join(link.a.state, '..', 'moved');
  const recover = async (): Promise<number[]> => {
    const ends = await link.both(link.a.recover(link.b, { state: moved() }), link.b.respond([link.a]));
    return ends.map(exitCodeOf);
  };

  test('ends an exchange that A still has a record of', async () => {
    await leaveInDoubt(true);
    cpSync(link.a.state, moved(), { recursive: true });
    rmSync(join(moved(), 'state-id'));
    // The peer counts it as foreign until it has heard of it.
    expect(await recover()).toEqual([13, 0]);
    expect(await recover()).toEqual([0, 0]);
    expect(await link.b.records(link.a)).toEqual([]);
    expect(await link.b.files(link.a)).toEqual({ A_0: (await link.a.files(link.b))['B_0'] });
  });

  test('knows nothing of one that A has finished: an operator of B forgets it', async () => {
    link.network.wire = ({ type }) => (type === 'END' ? 'vanish' : 'deliver');
    await link.exchange();
    link.network.wire = SOUND_WIRE;
    const id = openAt(link.b, link.a, 'responder');
    expect(await link.b.records(link.a)).toContain('responder/done');
    for (let contact = 1; contact <= 2; contact += 1) expect(await recover()).toEqual([13, 13]);
    expect(await decide(link.b, id, 'forget')).toBeUndefined();
    expect(await recover()).toEqual([0, 0]);
    expect(Object.keys(await link.b.files(link.a))).toEqual(['A_0']);
    expect(await link.b.store().nextIndex(link.a.id)).toBe(1);
  });
});

describe('an operator of A', () => {
  test('gives up what was staged', async () => {
    await leaveInDoubt(false);
    const known = await decide(link.a, openAt(link.a, link.b, 'initiator'), 'abort');
    expect(known).toMatchObject({ state: 'aborted', standing: undefined });
    const [a, b] = await link.recover();
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([0, 0]);
    await expectSettled(link);
  });

  test('may not abort what is committed, nor forget it before it is in alarm', async () => {
    await leaveInDoubt(true);
    const id = openAt(link.a, link.b, 'initiator');
    for (const choice of ['abort', 'forget'] as const) {
      await expect(decide(link.a, id, choice)).rejects.toMatchObject({ code: 'usage' });
    }
    expect(await decide(link.a, id, 'commit')).toMatchObject({ state: 'committed', published: true });
    await link.recover();
    await expectSettled(link);
  });

  test('who forgets a damaged record hears what to do at B first, and then both have the file', async () => {
    await leaveInDoubt(true);
    const id = openAt(link.a, link.b, 'initiator');
    await decide(link.a, id, 'commit');
    writeFileSync(join(link.a.state, link.b.id, 'initiator', `${id}.committed/beta`), '');
    await decide(link.b, id, 'commit');
    await decide(link.b, id, 'forget');
    let said = '';
    const confirm = (known: KnownExchange, consequence: string): boolean => {
      expect(known.published).toBe(true);
      said = consequence;
      return true;
    };
    await decide(link.a, id, 'forget', confirm);
    expect(said).toBe(
      `the record is removed; the key file B_0 stays as it is; if B is still in doubt, it will be told to abort, and will not have its key file (number 0): where 'qkd-sync status' there says so, first run 'qkd-sync resolve ${id}' there with --commit, then with --forget`,
    );
    const [a, b] = await link.recover();
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([0, 0]);
    await expectSettled(link);
  });

  test('forgets what B has no record of, once it is in alarm', async () => {
    await leaveInDoubt(true);
    const id = openAt(link.a, link.b, 'initiator');
    await decide(link.b, id, 'commit');
    await decide(link.b, id, 'forget');
    const [a] = await link.recover();
    expect(a.open).toMatchObject([{ reason: 'unknown-to-peer' }]);
    await decide(link.a, id, 'forget');
    const [again] = await link.exchange();
    expect(exitCodeOf(again)).toBe(0);
    await expectSettled(link);
  });
});

describe('a choice that stands and cannot be carried out', () => {
  test('to commit: the file is put in place by the same choice once more, or by the next run', async () => {
    for (const again of ['the same choice', 'the next run']) {
      await leaveInDoubt(true);
      const id = openAt(link.b, link.a, 'responder');
      link.b.fault = ({ name, path }) =>
        name === 'rename' && path.endsWith('/key') ? { code: 'ENOSPC' } : undefined;
      expect(await tryToDecide(link.b, id, 'commit')).toMatchObject({
        after: { state: 'resolved', resolution: 'commit', standing: 'pending', published: false },
        unfinished: { code: 'storage' },
      });
      // It is no choice any more.
      await expect(tryToDecide(link.b, id, 'abort')).rejects.toMatchObject({ code: 'usage' });
      link.b.fault = NO_FAULT;
      if (again === 'the same choice') {
        expect(await decide(link.b, id, 'commit')).toMatchObject({
          published: true,
          standing: 'unconfirmed',
        });
        await expect(decide(link.b, id, 'commit')).rejects.toMatchObject({ code: 'usage' });
      }
      const ends = await link.recover();
      expect(ends.map(exitCodeOf)).toEqual([0, 0]);
      await expectSettled(link);
    }
  });

  test('to abort: the key is still there, and the next run destroys it', async () => {
    await leaveInDoubt(false);
    const id = openAt(link.b, link.a, 'responder');
    link.b.fault = ({ name, path }) =>
      name === 'unlink' && path.endsWith('/key') ? { code: 'EACCES' } : undefined;
    expect(await tryToDecide(link.b, id, 'abort')).toMatchObject({
      after: { state: 'resolved', resolution: 'abort', standing: undefined },
      unfinished: { code: 'storage' },
    });
    const folder = join(link.b.state, link.a.id, 'responder', `${id}.resolved`);
    expect(readdirSync(folder)).toContain('key');
    link.b.fault = NO_FAULT;
    await link.b.store().redo(link.a.id);
    expect(readdirSync(folder)).not.toContain('key');
    await link.recover();
    await expectSettled(link);
  });

  test.each([
    ['commit', 'pending'],
    ['abort', undefined],
  ] as const)('to %s, because its fsync has failed: the choice is told', async (choice, standing) => {
    await leaveInDoubt(choice === 'commit');
    const id = openAt(link.b, link.a, 'responder');
    link.b.fault = ({ name, target }) =>
      name === 'syncFolder' && target.endsWith('.resolved') ? { code: 'EIO' } : undefined;
    expect(await tryToDecide(link.b, id, choice)).toMatchObject({
      after: { state: 'resolved', resolution: choice, standing },
      unfinished: { code: 'suspect' },
    });
  });

  test.each([
    ['a', 'abort', { state: 'aborted', standing: undefined }],
    ['b', 'abort', { state: 'resolved', resolution: 'abort', standing: undefined }],
    ['b', 'commit', { state: 'resolved', resolution: 'commit', standing: 'pending' }],
  ] as const)(
    'of %s to %s, and another run finds the disk to fail right after it',
    async (at, choice, after) => {
      await leaveInDoubt(false);
      const [site, peer, role] =
        at === 'a' ? ([link.a, link.b, 'initiator'] as const) : ([link.b, link.a, 'responder'] as const);
      const thenSuspect = (store: Store): Store => ({
        ...store,
        resolve: async (...which) => {
          const isDone = await store.resolve(...which);
          writeFileSync(join(site.state, 'SUSPECT'), site.bootId);
          return isDone;
        },
      });
      const id = openAt(site, peer, role);
      expect(await tryToDecide(site, id, choice, () => true, thenSuspect)).toMatchObject({
        after,
        unfinished: { code: 'suspect' },
      });
    },
  );

  test('is none where it could not be written down', async () => {
    await leaveInDoubt(false);
    const id = openAt(link.b, link.a, 'responder');
    link.b.fault = ({ name, path }) =>
      name === 'syncFolder' && path.endsWith('/resolutions') ? { code: 'ENOSPC' } : undefined;
    for (const choice of ['commit', 'abort'] as const)
      await expect(tryToDecide(link.b, id, choice)).rejects.toMatchObject({ code: 'storage' });
    expect(await link.b.records(link.a)).toContain('responder/staged');
  });

  test('of A: what it has committed stays committed', async () => {
    await leaveInDoubt(true);
    const id = openAt(link.a, link.b, 'initiator');
    link.a.fault = ({ path }) => (path.endsWith('/resolutions') ? { code: 'ENOSPC' } : undefined);
    expect(await tryToDecide(link.a, id, 'commit')).toMatchObject({
      after: { state: 'committed' },
      unfinished: { code: 'storage' },
    });
  });
});

describe('the keys that go into no file are named once', () => {
  const lost = (site: TestSite): unknown[] =>
    site.log.all('keys-lost').map(({ fields: { call, keyIds } }) => ({ call, keyIds }));
  const keyIds = (): string[] => [...link.keyStore.made.keys()];

  /** Nothing has been said by whoever was killed. */
  const leaveStaged = async (): Promise<void> => {
    await leaveInDoubt(false);
    link.a.log.lines.length = 0;
  };

  test('where A gives up what it has staged', async () => {
    await leaveStaged();
    await decide(link.a, openAt(link.a, link.b, 'initiator'), 'abort');
    const named = [{ call: 'enc_keys', keyIds: keyIds() }];
    expect(lost(link.a)).toEqual(named);
    await link.recover();
    expect(lost(link.a)).toEqual(named);
  });

  test('where B gives up a vote, and forgets it', async () => {
    await leaveStaged();
    const id = openAt(link.b, link.a, 'responder');
    await decide(link.b, id, 'abort');
    await decide(link.b, id, 'forget');
    expect(lost(link.b)).toEqual([{ call: 'dec_keys', keyIds: keyIds() }]);
  });

  test('where a record is forgotten with the key in it, and not where the file is saved', async () => {
    await leaveStaged();
    const id = openAt(link.a, link.b, 'initiator');
    writeFileSync(join(link.a.state, link.b.id, 'initiator', `${id}.staged/exchange.json`), '');
    await decide(link.a, id, 'forget');
    expect(lost(link.a)).toEqual([{ call: 'enc_keys', keyIds: keyIds() }]);
    await decide(link.b, id, 'commit');
    await decide(link.b, id, 'forget');
    expect(lost(link.b)).toEqual([]);
  });
});

describe('nothing is changed', () => {
  test('where there is no such exchange', async () => {
    await expect(decide(link.a, '0'.repeat(32), 'abort')).rejects.toMatchObject({ code: 'usage' });
  });

  test('where the operator does not confirm', async () => {
    await leaveInDoubt(false);
    const id = openAt(link.b, link.a, 'responder');
    await expect(decide(link.b, id, 'abort', () => false)).rejects.toMatchObject({ code: 'interrupted' });
    expect(await link.b.records(link.a)).toContain('responder/staged');
  });

  test('where the exchange has moved on while the operator thought about it', async () => {
    await leaveInDoubt(true);
    const id = openAt(link.b, link.a, 'responder');
    const confirm = async (): Promise<boolean> => {
      await link.recover();
      return true;
    };
    const ports = {
      lock: link.locks.lock(link.clock),
      clock: link.clock,
      log: link.b.log.log,
      signal: new AbortController().signal,
    };
    const request = { id, choice: 'abort', by: 'op', lockWaitMs: 0, confirm } as const;
    await expect(resolve(request, { ...ports, store: link.b.store() })).rejects.toMatchObject({
      code: 'busy',
    });
    await expectSettled(link);
  });
});

describe('the choices that a record allows', () => {
  const record = (
    role: 'initiator' | 'responder',
    state: SurveyedRecord['place']['state'],
    more: Partial<SurveyedRecord> = {},
  ): SurveyedRecord => {
    const place = { peer: 'B', role, id: 'x', state };
    return { place, exchange: undefined, published: false, alarm: undefined, resolution: undefined, ...more };
  };
  const allowed = (surveyed: SurveyedRecord): string[] =>
    (['commit', 'abort', 'forget'] as const).filter((choice) => {
      try {
        return consequenceOf(surveyed, choice) !== '';
      } catch {
        return false;
      }
    });

  test.each([
    [record('initiator', 'staged'), ['abort']],
    [record('initiator', 'committed'), ['commit']],
    [record('initiator', 'committed', { alarm: 'name-taken' }), ['commit', 'forget']],
    [record('initiator', 'committed', { alarm: 'unknown-to-peer' }), ['forget']],
    [record('initiator', 'aborted'), []],
    [record('initiator', 'aborted', { alarm: 'contradiction' }), ['forget']],
    [record('responder', 'staged'), ['commit', 'abort']],
    [record('responder', 'staged', { alarm: 'unreadable' }), ['forget']],
    [record('responder', 'committed'), []],
    [record('responder', 'committed', { alarm: 'name-taken' }), ['commit', 'forget']],
    [record('responder', 'done', { published: true }), ['forget']],
    [record('responder', 'resolved', { resolution: 'commit' }), ['commit', 'forget']],
    [record('responder', 'resolved', { resolution: 'commit', alarm: 'name-taken' }), ['commit', 'forget']],
    [record('responder', 'resolved', { resolution: 'commit', published: true }), ['forget']],
    [record('responder', 'resolved', { resolution: 'abort' }), ['forget']],
    [record('responder', 'resolved', { resolution: 'abort', alarm: 'contradiction' }), ['forget']],
  ])('%j', (surveyed, choices) => {
    expect(allowed(surveyed)).toEqual(choices);
  });
});

describe('the operator who forgets hears', () => {
  const exchange = exchangeOf({ name: 'B_7', index: 7 });
  const DESTROYED =
    'the record is removed, and the key in it, if there is one, is destroyed; B may have saved its key file (number 7): see that it is deleted there too';
  const committed = { published: false, alarm: 'name-taken', resolution: undefined, exchange } as const;

  test.each(['initiator', 'responder'] as const)(
    'that the peer may have saved what is committed, and not in place here: %s',
    (role) => {
      const place = { peer: 'B', role, id: 'x', state: 'committed' } as const;
      expect(consequenceOf({ ...committed, place }, 'forget')).toBe(DESTROYED);
    },
  );

  test.each(['commit', 'abort'] as const)('the same of a vote that was resolved to %s', (resolution) => {
    const place = { peer: 'B', role: 'responder', id: 'x', state: 'resolved' } as const;
    expect(consequenceOf({ ...committed, alarm: undefined, resolution, place }, 'forget')).toBe(DESTROYED);
  });

  test('that nobody knows, where it cannot be read what was decided', () => {
    const place = { peer: 'B', role: 'responder', id: 'x', state: 'resolved' } as const;
    expect(consequenceOf({ ...committed, alarm: 'unreadable', place }, 'forget')).toBe(
      'the record is removed, and the key in it, if there is one, is destroyed; nobody can read whether B_7 was put in place here, and B may have saved its key file (number 7): see that neither site has what the other has not',
    );
  });

  test('that the peer may not have saved what is saved here', () => {
    const place = { peer: 'B', role: 'responder', id: 'x', state: 'done' } as const;
    const done = { ...committed, alarm: undefined, published: true, place };
    expect(consequenceOf(done, 'forget')).toBe(
      'the record is removed; the key file B_7 stays as it is; if B has not finished the exchange, it will say alarm (unknown-to-peer), and may not have saved its key file (number 7)',
    );
    const { index, ...unnumbered } = exchangeOf({ name: 'abc.hex' });
    const named = { ...done, exchange: unnumbered };
    expect(index).toBeDefined();
    expect(consequenceOf(named, 'forget')).toContain('(abc.hex, whatever its extension)');
  });
});

describe('what A and an operator of B have both decided', () => {
  test.each([
    ['commit', 'ACK'],
    ['commit', 'FIN'],
    ['commit', 'END'],
    ['commit', 'END_OK'],
    ['abort', 'ABORT'],
    ['abort', 'ABORT_OK'],
  ] as const)('to %s is settled by the contact after one that is cut at %s', async (choice, cut) => {
    await leaveInDoubt(choice === 'commit');
    await decide(link.b, openAt(link.b, link.a, 'responder'), choice);
    link.network.wire = ({ type }) => (type === cut ? 'cut' : 'deliver');
    await link.recover();
    link.network.wire = SOUND_WIRE;
    const ends = await link.recover();
    expect(ends.map(exitCodeOf)).toEqual([0, 0]);
    expect(Object.keys(await link.b.files(link.a))).toEqual(choice === 'commit' ? ['A_0'] : []);
    await expectSettled(link);
  });

  test('to commit is settled although A is killed between the removal of its record and END', async () => {
    await leaveInDoubt(true);
    await decide(link.b, openAt(link.b, link.a, 'responder'), 'commit');
    const asking = link.a.recover(link.b);
    link.network.wire = ({ type }) => {
      if (type === 'END') asking.kill();
      return type === 'END' ? 'vanish' : 'deliver';
    };
    await link.both(asking, link.b.respond([link.a]));
    link.network.wire = SOUND_WIRE;
    const ends = await link.recover();
    expect(ends.map(exitCodeOf)).toEqual([0, 0]);
    await expectSettled(link);
  });
});
