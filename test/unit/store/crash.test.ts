/**
 * Every operation of every method fails or is the last of its process, in turn; then a new process tidies and
 * settles as the protocol says. Whatever happened, the key file is there once if the exchange was committed and not
 * at all if it was not, and nothing else is left.
 */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { isChange, type Fault, type Operation, type Plan } from '../../support/scripted-file-system.js';
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

jest.setTimeout(120_000);
afterEach(removeStoreFolders);

/** What is known of the exchange by those who were told. */
interface Told {
  staged: boolean;
  committed: boolean;
  aborted: boolean;
}

interface Scenario {
  readonly name: string;
  /** What goes well before. */
  readonly before: (process: Process, told: Told) => Promise<unknown>;
  /** What the fault strikes; says what it has been told. */
  readonly act: (process: Process, told: Told) => Promise<void>;
  /** Settles with the new process; answers whether the exchange is committed. */
  readonly settle: (process: Process, told: Told) => Promise<boolean>;
}

const VOTE = exchangeOf({ role: 'responder' });
const nothing = (): Promise<void> => Promise.resolve();

const initiate = async (process: Process, told: Told): Promise<void> => {
  await stage(process);
  told.staged = true;
  await decide(process, told);
};

const decide = async (process: Process, told: Told): Promise<void> => {
  const verdict = await process.store.decide(PEER, ID, BETA);
  if (verdict.decided === 'committed') told.committed = true;
  await finish(process);
};

const finish = async ({ store }: Process): Promise<void> => {
  expect(await store.finish(ID)).toBe('forgotten');
};

/** The initiator looks at its record, repeats the decision if it has one, and is told FIN. */
const judged = async ({ store }: Process, told: Told): Promise<boolean> => {
  const [record] = await store.survey(PEER);
  const index = await store.nextIndex(PEER);
  const verdict = await store.judge(ID);
  if (verdict.decided === 'committed') {
    expect(verdict.beta).toBe(BETA);
    expect(record?.published).toBe(true);
    expect(await store.finish(ID)).toBe('forgotten');
    return true;
  }
  // No record: forgotten after it was finished, or never decided. An abort stays until the contact is over.
  expect(record?.place.state ?? 'aborted').toBe('aborted');
  expect(told.committed && index === 0).toBe(false);
  return index === 1;
};

const commit = async (process: Process, told: Told): Promise<void> => {
  expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
  told.committed = true;
  await forget(process);
};

const forget = async ({ store }: Process): Promise<void> => {
  expect(await store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
};

const answer = async (process: Process, told: Told): Promise<void> => {
  await stage(process, VOTE);
  told.staged = true;
  await commit(process, told);
};

const discard = async ({ store }: Process, told: Told): Promise<void> => {
  expect(await store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
  told.aborted = true;
};

/** The initiator has committed if and only if it can have heard the vote. */
const votesSettled = async ({ store }: Process, told: Told): Promise<boolean> => {
  const { inDoubt, done, foreign, alarms } = await store.openVotes(PEER, PEER_STATE_ID);
  expect({ foreign, alarms }).toEqual({ foreign: 0, alarms: 0 });
  if (told.staged && inDoubt.includes(ID)) expect(await store.commit(PEER, ID, BETA)).toBe('done');
  if (!told.staged && inDoubt.includes(ID)) expect(await store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
  if (!told.staged) expect(done).toEqual([]);
  expect(await store.forget(PEER, ID, PEER_STATE_ID)).toBe('gone');
  return told.staged;
};

const votesDiscarded = async ({ store }: Process): Promise<boolean> => {
  expect(await store.discard(PEER, ID, PEER_STATE_ID)).toBe('gone');
  return false;
};

const SCENARIOS: readonly Scenario[] = [
  { name: 'initiate: stage, decide, finish', before: nothing, act: initiate, settle: judged },
  {
    name: 'initiate: stage, drop',
    before: nothing,
    act: async ({ store }) => {
      const staging = await store.stage(exchangeOf());
      await staging.drop();
    },
    settle: judged,
  },
  {
    name: 'initiate: abort of what was staged',
    before: (process) => stage(process),
    act: async ({ store }, told) => {
      const verdict = await store.judge(ID);
      told.aborted = verdict.decided === 'aborted';
    },
    settle: judged,
  },
  {
    name: 'initiate: redo of what was decided',
    before: async (process, told) => {
      await stage(process);
      await process.store.decide(PEER, ID, BETA);
      told.committed = true;
    },
    act: async (process) => {
      await process.store.redo(PEER);
      await process.store.tidy(PEER);
      await finish(process);
    },
    settle: judged,
  },
  { name: 'respond: stage, commit, forget', before: nothing, act: answer, settle: votesSettled },
  {
    name: 'respond: discard of what was voted',
    before: (process) => stage(process, VOTE),
    act: discard,
    settle: votesDiscarded,
  },
  {
    name: 'respond: redo of what was committed',
    before: async (process, told) => {
      await stage(process, VOTE);
      told.staged = true;
      process.fs.at = ({ name }) => (name === 'syncFolder' ? { kill: 'before' } : undefined);
      await expect(process.store.commit(PEER, ID, BETA)).rejects.toThrow('killed');
    },
    act: async (process) => {
      await process.store.redo(PEER);
      await process.store.tidy(PEER);
      await forget(process);
    },
    settle: votesSettled,
  },
];

interface Strike {
  readonly name: string;
  /** What happens at the operation whose turn it is; undefined: nothing that another turn does not show. */
  readonly at: (operation: Operation) => Fault | undefined;
  /** It goes on at all later operations. */
  readonly lasting?: true;
}

const isWritten = (operation: Operation): boolean =>
  isChange(operation) && operation.name !== 'sync' && operation.name !== 'syncFolder';

const STRIKES: readonly Strike[] = [
  { name: 'killed before', at: (operation) => (isChange(operation) ? { kill: 'before' } : undefined) },
  { name: 'killed after', at: (operation) => (isChange(operation) ? { kill: 'after' } : undefined) },
  { name: 'killed within', at: ({ name }) => (name === 'write' ? { kill: 'torn' } : undefined) },
  { name: 'EIO at', at: () => ({ errno: 'EIO' }) },
  {
    name: 'ENOSPC at',
    at: (operation) => (isWritten(operation) ? { errno: 'ENOSPC', torn: true } : undefined),
  },
  {
    name: 'EROFS from',
    at: (operation) => (isWritten(operation) ? { errno: 'EROFS' } : undefined),
    lasting: true,
  },
];

describe.each(SCENARIOS)('$name', (scenario) => {
  it.each(STRIKES)('$name each operation', async (strike) => {
    const { operations } = await run(scenario);
    // Something to strike is in every scenario; a write in most.
    expect(operations.filter(isChange).length).toBeGreaterThan(5);
    for (const operation of operations) {
      if (strike.at(operation) === undefined) continue;
      const { struck } = await run(scenario, (now) => {
        const due =
          strike.lasting === true ? now.number >= operation.number : now.number === operation.number;
        return due ? strike.at(now) : undefined;
      });
      expect(struck).toBe(true);
      await removeStoreFolders();
    }
  });
});

async function run(
  scenario: Scenario,
  plan?: Plan,
): Promise<{ operations: readonly Operation[]; struck: boolean }> {
  const folder = await makeStoreFolder();
  const told: Told = { staged: false, committed: false, aborted: false };
  const first = folder.start({ bootId: 'boot-1', reallySync: false });
  if (scenario.before !== nothing) {
    await first.store.open();
    await scenario.before(first, told);
  }

  const second = folder.start({
    bootId: 'boot-1',
    reallySync: false,
    ...(plan !== undefined && { at: plan }),
  });
  try {
    await second.store.open();
    await second.store.preparePeer(PEER);
    await scenario.act(second, told);
  } catch (error) {
    if (!second.fs.killed && !(second.fs.struck && error instanceof QkdSyncError)) throw error;
  }

  // The machine has been restarted meanwhile: a mark of the earlier boot no longer holds.
  const third = await folder.open({ bootId: 'boot-2', reallySync: false });
  await third.store.redo(PEER);
  await third.store.tidy(PEER);
  const committed = await scenario.settle(third, told);
  await third.store.cleanUp(PEER);
  await expectSettled(folder, [first, second, third], committed, told);
  return { operations: second.fs.done, struck: second.fs.struck };
}

async function expectSettled(
  folder: StoreFolder,
  processes: readonly Process[],
  committed: boolean,
  told: Told,
): Promise<void> {
  if (told.committed) expect(committed).toBe(true);
  if (told.aborted) expect(committed).toBe(false);
  expect(publications(processes, folder.layout)).toBe(committed ? 1 : 0);
  expect(await keyFiles(folder.layout)).toEqual(committed ? { 'B/B_0': CONTENT.toString() } : {});
  const last = processes.at(-1);
  expect(await last?.store.nextIndex(PEER)).toBe(committed ? 1 : 0);
  expect(await last?.store.isNameFree(PEER, 'B_0')).toBe(!committed);
  const left = (await folder.tree(folder.layout.state)).filter((path) => !path.endsWith('/'));
  expect(left).toEqual([...(committed ? ['B/index/0'] : []), 'state-id']);
  expect(await wrongModes(folder.path)).toEqual([]);
}
