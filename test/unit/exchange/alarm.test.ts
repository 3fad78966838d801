/** What only an operator can settle: records of another state folder, and records that contradict each other. */
import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import type { RunReport } from '../../../src/exchange/outcome.js';
import { eachLink } from '../../support/each-link.js';
import type { Link } from '../../support/link.js';
import { once, SOUND_WIRE, type Wire } from '../../support/memory-network.js';

let link: Link;
eachLink((made) => {
  link = made;
});

/** Leaves B in doubt about an exchange, and A with no more than its staged record. */
async function leaveInDoubt(): Promise<void> {
  const answering = link.b.respond([link.a]);
  const asking = link.a.initiate(link.b);
  link.network.wire = ({ type }) => {
    if (type === 'SYN_ACK') asking.kill();
    return 'deliver';
  };
  await link.both(asking, answering);
  link.network.wire = SOUND_WIRE;
}

/** Leaves A with a decision that B has no record of. */
async function leaveUnknown(): Promise<RunReport> {
  link.network.wire = ({ type }) => {
    if (type === 'ACK') {
      const folder = join(link.b.state, 'A', 'responder');
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    }
    return 'deliver';
  };
  const asking = link.a.initiate(link.b);
  const answering = link.b.respond([link.a], { serve: true });
  const a = await link.until(asking.report);
  answering.interrupt();
  await link.until(answering.report);
  link.network.wire = SOUND_WIRE;
  return a;
}

describe('a vote that names another state folder of A', () => {
  const elsewhere = (): string => join(link.a.state, '..', 'restored');

  test('is counted and said on both sides, and stays as it is', async () => {
    await leaveInDoubt();
    const answering = link.b.respond([link.a]);
    const [a, b] = await link.both(link.a.recover(link.b, { state: elsewhere() }), answering);
    // They lie at B: to A they are the peer's, and to B they are not.
    expect(a).toMatchObject({ outcome: 'alarm', peerAlarms: 1, foreign: 0 });
    expect(b).toMatchObject({ outcome: 'alarm', peerAlarms: 0, foreign: 1 });
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);
    expect(link.network.types().filter((type) => type === 'ABORT')).toEqual([]);
    expect(await link.b.records(link.a)).toEqual(['names/A_0', 'responder/staged']);
    expect(link.b.log.all('foreign')).not.toEqual([]);
  });

  test('is settled by the state folder that it names', async () => {
    await leaveInDoubt();
    const answering = link.b.respond([link.a]);
    await link.both(link.a.recover(link.b, { state: elsewhere() }), answering);
    const [a, b] = await link.recover();
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([0, 0]);
    expect(await link.b.records(link.a)).toEqual([]);
  });

  test('is not forgotten over a later contact of another peer', async () => {
    await leaveInDoubt();
    const other = link.site('AA');
    const answering = link.b.respond([link.a, other], { serve: true });
    await link.until(link.a.recover(link.b, { state: elsewhere() }).report);
    await link.until(other.initiate(link.b).report);
    answering.interrupt();
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ foreign: 1 });
    expect(exitCodeOf(b)).toBe(13);
  });

  test('is not forgotten over a later connection that says nothing', async () => {
    await leaveInDoubt();
    const answering = link.b.respond([link.a], { serve: true });
    await link.until(link.a.recover(link.b, { state: elsewhere() }).report);
    const channel = await link.until(link.network.dial('A', 'B')(new AbortController().signal));
    await link.until(channel.close());
    answering.interrupt();
    expect(await link.until(answering.report)).toMatchObject({ foreign: 1 });
  });
});

describe('new exchanges go on while an operator has not looked', () => {
  test('at B: the number that the alarm holds is passed over on both sites', async () => {
    await leaveInDoubt();
    const state = join(link.a.state, '..', 'restored');
    for (let exchange = 1; exchange <= 2; exchange += 1) {
      const [a, b] = await link.both(link.a.initiate(link.b, { state }), link.b.respond([link.a]));
      expect([a, b]).toMatchObject([
        { outcome: 'saved', peerAlarms: 1, foreign: 0, exchange: { index: exchange } },
        { outcome: 'saved', peerAlarms: 0, foreign: 1, exchange: { index: exchange } },
      ]);
      expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);
    }
    expect(Object.keys(await link.b.files(link.a))).toEqual(['A_1', 'A_2']);
    expect(await link.b.records(link.a)).toEqual(['names/A_0', 'responder/staged']);
  });

  test('at A: B takes a number above its own, hears of the alarm and says so', async () => {
    await leaveUnknown();
    const [a, b] = await link.exchange();
    expect([a, b]).toMatchObject([
      { outcome: 'saved', exchange: { index: 1 }, open: [{ reason: 'unknown-to-peer' }], peerAlarms: 0 },
      { outcome: 'saved', exchange: { index: 1 }, peerAlarms: 1 },
    ]);
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);
    expect(Object.keys(await link.a.files(link.b))).toEqual(['B_1']);
  });

  test('though a record at A cannot be read', async () => {
    await leaveUnknown();
    const folder = join(link.a.state, 'B', 'initiator');
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name, 'exchange.json'), '');
    const [a] = await link.both(
      link.a.initiate(link.b, { index: 1 }),
      link.b.respond([link.a], { index: 1 }),
    );
    expect(a).toMatchObject({ outcome: 'saved', open: [{ reason: 'unreadable' }], peerAlarms: 0 });
    expect(exitCodeOf(a)).toBe(13);
  });

  test('though a record at B cannot be read that A has committed: both sites have an alarm', async () => {
    link.network.wire = once('ACK', 'vanish');
    await link.both(link.a.initiate(link.b, { terms: { ackTimeoutMs: 0 } }), link.b.respond([link.a]));
    link.network.wire = SOUND_WIRE;
    const folder = join(link.b.state, 'A', 'responder');
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name, 'exchange.json'), '');
    const [a] = await link.both(link.a.initiate(link.b), link.b.respond([link.a], { index: 1 }));
    expect(a).toMatchObject({
      outcome: 'saved',
      open: [{ reason: 'contradiction' }],
      exchange: { index: 1 },
    });
  });
});

describe('a record of A that a backup has taken back', () => {
  test('is an alarm, not a file that only B has: both records stay', async () => {
    link.network.wire = once('FIN', 'vanish');
    await link.exchange();
    link.network.wire = SOUND_WIRE;
    const folder = join(link.a.state, 'B', 'initiator');
    for (const name of readdirSync(folder)) {
      renameSync(join(folder, name), join(folder, name.replace('.committed', '.staged')));
    }

    for (let contact = 1; contact <= 2; contact += 1) {
      const [a] = await link.recover();
      expect(a).toMatchObject({ outcome: 'alarm', open: [{ standing: 'alarm', reason: 'contradiction' }] });
      expect(exitCodeOf(a)).toBe(13);
      expect(await link.a.records(link.b)).toContain('initiator/aborted');
      expect(await link.b.records(link.a)).toContain('responder/done');
    }
  });
});

describe('a decision of A that B has no record of', () => {
  test('is an alarm at A: its record stays, nothing is published', async () => {
    const a = await leaveUnknown();
    expect(a).toMatchObject({
      outcome: 'alarm',
      open: [{ standing: 'alarm', reason: 'unknown-to-peer' }],
      peerAlarms: 0,
    });
    expect(exitCodeOf(a)).toBe(13);
    expect(a.published).toEqual([]);
    expect(await link.a.files(link.b)).toEqual({});
    expect(await link.a.records(link.b)).toEqual(['initiator/committed', 'names/B_0']);

    const again = await link.until(link.a.recover(link.b, { connectWaitMs: 0 }).report);
    expect(again.open).toMatchObject([{ standing: 'alarm' }]);
    expect(await link.a.files(link.b)).toEqual({});
  });

  test('is an alarm at B too, which has heard of the commit and not of an abort', async () => {
    link.network.wire = takingRecordAway('ACK');
    const [a, b] = await link.exchange();
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);
    expect(b).toMatchObject({ outcome: 'alarm', error: { code: 'alarm' } });
    expect(b.error?.message).toContain('has committed');
  });
});

/** B's records go while this message is on its way. */
function takingRecordAway(message: string): Wire {
  return ({ type }) => {
    if (type === message) {
      const folder = join(link.b.state, 'A', 'responder');
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    }
    return 'deliver';
  };
}

test('a vote whose record has gone, and of which nothing was heard, is not said to be aborted by the initiator', async () => {
  link.network.wire = ({ type }) => {
    takingRecordAway('SYN_ACK')({ type, from: 'B', connection: 1, nth: 1, text: '' });
    return type === 'SYN_ACK' ? 'cut' : 'deliver';
  };
  const answering = link.b.respond([link.a]);
  const [, b] = await link.both(link.a.initiate(link.b), answering);
  expect(b.error?.message).not.toContain('the initiator');
});

describe('a key file whose name is taken at B after the decision', () => {
  async function takeName(): Promise<[RunReport, RunReport, number]> {
    link.network.wire = ({ type }) => {
      if (type === 'ACK') {
        mkdirSync(join(link.b.keys, 'A'), { recursive: true });
        writeFileSync(join(link.b.keys, 'A', 'A_0'), 'alien');
      }
      return 'deliver';
    };
    const answering = link.b.respond([link.a], { serve: true });
    await link.until(link.b.log.nth('listening'));
    const startedAt = link.clock.monotonic();
    const asking = link.a.initiate(link.b);
    const a = await link.until(asking.report);
    const tookMs = link.clock.monotonic() - startedAt;
    answering.interrupt();
    const b = await link.until(answering.report);
    link.network.wire = SOUND_WIRE;
    return [a, b, tookMs];
  }

  test("is the peer's alarm: A saves at once, tells it no second time, and says who must act", async () => {
    const [a, b, tookMs] = await takeName();
    expect(a).toMatchObject({ outcome: 'unconfirmed', peerAlarms: 1, error: { code: 'alarm' } });
    expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([10, 13]);
    expect(a.error?.hint).toContain("'qkd-sync status' there");
    expect(Object.keys(await link.a.files(link.b))).toEqual(['B_0']);
    expect(tookMs).toBe(0);
    expect(link.network.types().filter((type) => type === 'ACK')).toHaveLength(1);
  });

  test('is an alarm of the run that only settles', async () => {
    await takeName();
    const [a] = await link.recover();
    expect(a).toMatchObject({
      outcome: 'alarm',
      exchange: undefined,
      peerAlarms: 1,
      error: { code: 'alarm' },
    });
    expect(exitCodeOf(a)).toBe(13);
  });

  test('is told no third time on the connection that tells it again', async () => {
    link.network.wire = once('ACK', 'cut');
    const answering = link.b.respond([link.a], { serve: true });
    const asking = link.a.initiate(link.b);
    await link.until(link.b.log.nth('contact-failed'));
    mkdirSync(join(link.b.keys, 'A'), { recursive: true });
    writeFileSync(join(link.b.keys, 'A', 'A_0'), 'alien');
    const a = await link.until(asking.report);
    expect(a).toMatchObject({ outcome: 'unconfirmed', peerAlarms: 1 });
    expect(link.network.types().filter((type) => type === 'ACK')).toHaveLength(2);
    answering.interrupt();
    await link.until(answering.report);
  });
});

test('a record that B cannot read any more after FIN is an alarm at A, which has none', async () => {
  link.network.wire = ({ type }) => {
    if (type === 'END') {
      const folder = join(link.b.state, 'A', 'responder');
      for (const name of readdirSync(folder)) writeFileSync(join(folder, name, 'exchange.json'), '');
    }
    return 'deliver';
  };
  const [a, b] = await link.exchange();
  expect(a).toMatchObject({ outcome: 'saved', open: [], peerAlarms: 1 });
  expect([exitCodeOf(a), exitCodeOf(b)]).toEqual([13, 13]);
});

test('a record in alarm that lies in the folder of a peer that has another name now counts', async () => {
  await leaveInDoubt();
  // The peer was called OLD when A made its record, which only now is found to be damaged.
  renameSync(join(link.a.state, 'B'), join(link.a.state, 'OLD'));
  const folder = join(link.a.state, 'OLD', 'initiator');
  for (const name of readdirSync(folder)) {
    rmSync(join(folder, name, 'beta'), { force: true });
    writeFileSync(join(folder, name, 'beta'), 'damaged');
    renameSync(join(folder, name), join(folder, name.replace('staged', 'committed')));
  }
  const [a] = await link.recover();
  expect(a).toMatchObject({ outcome: 'alarm', peerAlarms: 0, open: [{ peer: 'OLD', standing: 'alarm' }] });
  expect(exitCodeOf(a)).toBe(13);
});
