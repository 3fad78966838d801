/** What only an operator can settle: records of another state folder, and records that contradict each other. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import type { RunReport } from '../../../src/exchange/outcome.js';
import { Link } from '../../support/link.js';
import { once, SOUND_WIRE } from '../../support/memory-network.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(async () => {
  expect(link.locks.held.size).toBe(0);
  expect(link.clock.pending).toBe(0);
  await link.remove();
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
    expect(a).toMatchObject({ peerAlarms: 1 });
    expect(b).toMatchObject({ peerAlarms: 1 });
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
    expect(b).toMatchObject({ peerAlarms: 1 });
    expect(exitCodeOf(b)).toBe(13);
  });

  test('is not forgotten over a later connection that says nothing', async () => {
    await leaveInDoubt();
    const answering = link.b.respond([link.a], { serve: true });
    await link.until(link.a.recover(link.b, { state: elsewhere() }).report);
    const channel = await link.until(link.network.dial('A', 'B')(new AbortController().signal));
    await link.until(channel.close());
    answering.interrupt();
    expect(await link.until(answering.report)).toMatchObject({ peerAlarms: 1 });
  });
});

describe('new exchanges go on while an operator has not looked', () => {
  test('at B: the number that the alarm holds is passed over on both sites', async () => {
    await leaveInDoubt();
    const state = join(link.a.state, '..', 'restored');
    for (let exchange = 1; exchange <= 2; exchange += 1) {
      const [a, b] = await link.both(link.a.initiate(link.b, { state }), link.b.respond([link.a]));
      expect([a, b]).toMatchObject([
        { outcome: 'saved', peerAlarms: 1, exchange: { index: exchange } },
        { outcome: 'saved', peerAlarms: 1, exchange: { index: exchange } },
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
      { outcome: 'saved', exchange: { index: 1 }, open: [{ reason: 'unknown-to-peer' }] },
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
    expect(a).toMatchObject({ outcome: 'saved', open: [{ reason: 'unreadable' }] });
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
    expect(a).toMatchObject({ outcome: 'alarm', open: [{ standing: 'alarm', reason: 'unknown-to-peer' }] });
    expect(exitCodeOf(a)).toBe(13);
    expect(a.published).toEqual([]);
    expect(await link.a.files(link.b)).toEqual({});
    expect(await link.a.records(link.b)).toEqual(['initiator/committed', 'names/B_0']);

    const again = await link.until(link.a.recover(link.b, { connectWaitMs: 0 }).report);
    expect(again.open).toMatchObject([{ standing: 'alarm' }]);
    expect(await link.a.files(link.b)).toEqual({});
  });
});
