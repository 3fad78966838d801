/** What only an operator can settle: records of another state folder, and records that contradict each other. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
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

    expect(a).toMatchObject({ outcome: 'alarm', open: [{ standing: 'alarm', reason: 'unknown-to-peer' }] });
    expect(exitCodeOf(a)).toBe(13);
    expect(a.published).toEqual([]);
    expect(await link.a.files(link.b)).toEqual({});
    expect(await link.a.records(link.b)).toEqual(['initiator/committed', 'names/B_0']);

    link.network.wire = SOUND_WIRE;
    const again = await link.until(link.a.recover(link.b, { connectWaitMs: 0 }).report);
    expect(again.open).toMatchObject([{ standing: 'alarm' }]);
    expect(await link.a.files(link.b)).toEqual({});
  });
});
