/** What a responder says of its vote where others end it, or where what lies beside it cannot be read. */
import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import type { RunReport } from '../../../src/exchange/outcome.js';
import { eachLink } from '../../support/each-link.js';
import { NO_FAULT } from '../../support/faulty-file-system.js';
import type { Link } from '../../support/link.js';
import { once, SOUND_WIRE, type Wire } from '../../support/memory-network.js';
import type { Run, RunOptions } from '../../support/site.js';
import { expectSettled } from '../../support/truth.js';

let link: Link;
eachLink((made) => {
  link = made;
});

const codeOf = (report: RunReport): [RunReport['outcome'], number] => [report.outcome, exitCodeOf(report)];

/** B has voted, and A is killed: before its decision, or after it has said COMMIT and before it hears FIN. */
async function leave(
  type: 'SYN_ACK' | 'FIN',
  options: RunOptions = {},
): Promise<{ answering: Run; id: string }> {
  const answering = link.b.respond([link.a, link.site('AA')], options);
  const asking = link.a.initiate(link.b);
  link.network.wire = (passing) => {
    if (passing.type === type) asking.kill();
    return 'deliver';
  };
  await link.until(asking.report);
  link.network.wire = SOUND_WIRE;
  const [name = ''] = readdirSync(join(link.b.state, 'A', 'responder'));
  return { answering, id: name.slice(0, 32) };
}

/** An operator of B decides. */
async function decide(id: string, choice: 'commit' | 'abort' | 'forget'): Promise<void> {
  const store = link.b.store();
  const found = await store.find(id);
  if (found === undefined) throw new Error('no record');
  await store.resolve(found, { choice, by: 'op', time: 0 });
}

describe('a vote whose record goes while the run waits', () => {
  test.each([
    ['committed', 'commit'],
    ['aborted', 'discard'],
  ] as const)(
    'another run has heard that it is %s: 11, which says nothing of the file',
    async (_what, how) => {
      const { answering, id } = await leave('SYN_ACK');
      const [store, stateId] = [link.b.store(), await link.a.store().open()];
      if (how === 'commit') {
        const beta = readFileSync(
          join(link.b.state, 'A', 'responder', `${id}.staged`, 'beta'),
          'utf8',
        ).trim();
        expect(await store.commit('A', id, beta)).toBe('done');
        expect(await store.forget('A', id, stateId)).toBe('gone');
      } else {
        expect(await store.discard('A', id, stateId)).toBe('gone');
      }
      const b = await link.until(answering.report);
      expect([codeOf(b), b.open]).toEqual([['in-doubt', 11], []]);
      expect(b.error?.message).toContain('another run of this site');
    },
  );

  test('another run has heard END of what this one has committed: 0', async () => {
    const { answering, id } = await leave('FIN');
    expect(await link.b.store().forget('A', id, await link.a.store().open())).toBe('gone');
    expect(codeOf(await link.until(answering.report))).toEqual(['saved', 0]);
  });

  test('an operator has had it forgotten before END: 13, because nobody knows what A has', async () => {
    const { answering, id } = await leave('FIN');
    await decide(id, 'forget');
    const b = await link.until(answering.report);
    expect(codeOf(b)).toEqual(['alarm', 13]);
    expect(b.error?.message).toContain('resolve --forget');
  });

  test('an operator has committed it and had it forgotten: 13', async () => {
    const { answering, id } = await leave('SYN_ACK');
    await decide(id, 'commit');
    await decide(id, 'forget');
    expect(codeOf(await link.until(answering.report))).toEqual(['alarm', 13]);
  });
});

test('ABORT for what an operator has committed, and the disk takes no mark of it: 13 all the same', async () => {
  const { answering, id } = await leave('SYN_ACK');
  await decide(id, 'commit');
  link.b.fault = ({ path }) => (path.includes(`${id}.resolved/`) ? { code: 'ENOSPC' } : undefined);
  const a = await link.until(link.a.recover(link.b).report);
  link.b.fault = NO_FAULT;
  const b = await link.until(answering.report);
  expect([codeOf(b), b.open]).toMatchObject([['alarm', 13], [{ id, reason: 'contradiction' }]]);
  expect(exitCodeOf(a)).not.toBe(0);
});

describe('after its vote for A', () => {
  test.each([
    ['saved', SOUND_WIRE],
    ['aborted', once('SYN', 'cut')],
  ] as const)(
    'the exchange of another peer, %s, changes nothing of what it says and how long it waits',
    async (outcome, wire) => {
      const { answering, id } = await leave('SYN_ACK', { terms: { ackTimeoutMs: 30_000 } });
      const votedAt = link.clock.monotonic();
      link.network.wire = wire;
      const other = await link.until(link.site('AA').initiate(link.b).report);
      expect(other.outcome).toBe(outcome);
      const b = await link.until(answering.report);
      expect([codeOf(b), b.exchange?.id]).toEqual([['in-doubt', 11], id]);
      expect(link.clock.monotonic() - votedAt).toBe(35_000);
    },
  );
});

describe('where the records of another peer cannot be read', () => {
  const others = [
    { site: 'C', sae: 'sae-C' },
    { site: 'A', sae: 'sae-A' },
  ];

  async function exchange(wire: Wire): Promise<[RunReport, RunReport]> {
    mkdirSync(join(link.b.state, 'C', 'responder', `${'0'.repeat(32)}.done`, 'exchange.json'), {
      recursive: true,
    });
    link.network.wire = wire;
    const answering = link.b.respond([], { peers: others });
    return link.both(link.a.initiate(link.b), answering);
  }

  test('a whole exchange is saved, and ends with 13', async () => {
    const [a, b] = await exchange(SOUND_WIRE);
    expect([codeOf(a), codeOf(b)]).toEqual([
      ['saved', 0],
      ['saved', 13],
    ]);
    expect(b.unread).toMatchObject([{ peer: 'C', error: { code: 'storage' } }]);
    await expectSettled(link);
  });

  test('one cut is mended in the same runs', async () => {
    const [a, b] = await exchange(once('ACK', 'cut'));
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
  });

  test('an exchange that A aborts is said to be aborted', async () => {
    link.a.fault = ({ path }) => (path.endsWith('beta') ? { code: 'ENOSPC' } : undefined);
    const [a, b] = await exchange(SOUND_WIRE);
    expect([a.outcome, b.outcome, b.error?.code]).toEqual(['aborted', 'aborted', 'peer-aborted']);
  });

  test('a run that only settles ends with 74', async () => {
    mkdirSync(join(link.b.state, 'C', 'responder', `${'0'.repeat(32)}.done`, 'exchange.json'), {
      recursive: true,
    });
    const answering = link.b.respond([], { peers: others });
    const [a, b] = await link.both(link.a.recover(link.b), answering);
    expect([codeOf(a), codeOf(b)]).toEqual([
      ['settled', 0],
      ['aborted', 74],
    ]);
  });
});

test('a peer whose folder is none keeps it from answering no other', async () => {
  await link.exchange();
  symlinkSync('nowhere', join(link.b.state, 'C'));
  const peers = [
    { site: 'C', sae: 'sae-C' },
    { site: 'A', sae: 'sae-A' },
  ];
  const [a, b] = await link.both(link.a.initiate(link.b), link.b.respond([], { peers }));
  expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
  expect(link.b.log.all('not-finished')).toMatchObject([{ fields: { peer: 'C' } }]);
});

test('a peer whose folder could not be made at the start is answered once it can', async () => {
  let left = 1;
  link.b.fault = ({ name, path }) =>
    name === 'mkdir' && path === join(link.b.state, 'A') && (left -= 1) >= 0 ? { code: 'EACCES' } : undefined;
  const [a, b] = await link.exchange();
  expect([a.outcome, b.outcome, left]).toEqual(['saved', 'saved', -1]);
  expect(link.b.log.all('not-finished')).toHaveLength(1);
  await expectSettled(link);
});
