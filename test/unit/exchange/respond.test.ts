/** When a responder stops, and what it does with several connections. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QkdSyncError } from '../../../src/base/errors.js';
import { Link } from '../../support/link.js';
import { once, SOUND_WIRE } from '../../support/memory-network.js';
import { expectSettled } from '../../support/truth.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(async () => {
  expect(link.locks.held.size).toBe(0);
  expect(link.clock.pending).toBe(0);
  expect(link.network.listens('B')).toBe(false);
  await link.remove();
});

const now = (): number => link.clock.monotonic();

describe('a one-shot responder', () => {
  test('ends after --timeout where nobody comes', async () => {
    const startedAt = now();
    const b = await link.until(link.b.respond([link.a], { timeoutMs: 7_000 }).report);
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'timeout' } });
    expect(now() - startedAt).toBe(7_000);
  });

  test('ends with a contact that only settles', async () => {
    const [a, b] = await link.recover();
    expect(a).toMatchObject({ outcome: 'settled', error: undefined, exchange: undefined });
    expect(b).toMatchObject({ outcome: 'settled', error: undefined, exchange: undefined });
  });

  test('passes over a connection that says nothing, and ends with 75', async () => {
    const answering = link.b.respond([link.a]);
    await link.until(link.b.log.nth('listening'));
    const knock = async (): Promise<void> => {
      const channel = await link.network.dial('A', 'B')(new AbortController().signal);
      await channel.close();
    };
    const [, b] = await link.until(Promise.all([knock(), answering.report]));
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'timeout' } });
  });

  test('ends a connection that never says HELLO', async () => {
    const answering = link.b.respond([link.a], { timeoutMs: 1_000 });
    await link.until(link.b.log.nth('listening'));
    const startedAt = now();
    const [, b] = await link.until(
      Promise.all([link.network.dial('A', 'B')(new AbortController().signal), answering.report]),
    );
    expect(b.error?.code).toBe('timeout');
    expect(now() - startedAt).toBe(10_000);
  });

  test('goes on after a contact that fails before the vote, and takes the next one', async () => {
    link.b.kme.faults.set('status', new QkdSyncError('kme-unreachable', 'no answer'));
    const answering = link.b.respond([link.a]);
    const first = await link.until(link.a.initiate(link.b).report);
    expect(first.outcome).toBe('aborted');
    link.b.kme.faults.clear();
    const [second, b] = await link.both(link.a.initiate(link.b), answering);
    expect([second.outcome, b.outcome, b.error]).toEqual(['saved', 'saved', undefined]);
  });

  test('lingers x and 5 s after its vote, in doubt', async () => {
    const answering = link.b.respond([link.a]);
    const asking = link.a.initiate(link.b);
    link.network.wire = ({ type }) => {
      if (type === 'SYN_ACK') asking.kill();
      return 'deliver';
    };
    await link.until(asking.report);
    const brokeAt = now();
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ outcome: 'in-doubt', error: { code: 'peer-lost' } });
    expect(now() - brokeAt).toBe(35_000);
  });

  test('lingers x and 5 s after a lost END, unconfirmed', async () => {
    link.network.wire = once('END', 'cut');
    const answering = link.b.respond([link.a], { terms: { ackTimeoutMs: 2_000 } });
    const a = await link.until(link.a.initiate(link.b).report);
    expect(a.outcome).toBe('saved');
    const savedAt = now();
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ outcome: 'unconfirmed' });
    expect(now() - savedAt).toBe(7_000);
  });

  test('lingers no longer over the contacts of another peer', async () => {
    const other = link.site('AA');
    const answering = link.b.respond([link.a, other]);
    const asking = link.a.initiate(link.b);
    link.network.wire = ({ type }) => {
      if (type === 'SYN_ACK') asking.kill();
      return 'deliver';
    };
    await link.until(asking.report);
    link.network.wire = SOUND_WIRE;
    const brokeAt = now();
    await link.until(new Promise<void>((resolve) => void link.clock.after(20_000, resolve)));
    expect((await link.until(other.recover(link.b).report)).outcome).toBe('settled');
    expect(await link.until(answering.report)).toMatchObject({ outcome: 'in-doubt' });
    expect(now() - brokeAt).toBe(35_000);
  });

  test('takes the initiator back while it lingers', async () => {
    const answering = link.b.respond([link.a]);
    const killed = link.a.initiate(link.b);
    link.network.wire = ({ type }) => {
      if (type === 'SYN_ACK') killed.kill();
      return 'deliver';
    };
    await link.until(killed.report);
    link.network.wire = SOUND_WIRE;
    const [a, b] = await link.both(link.a.recover(link.b), answering);
    expect(a.outcome).toBe('settled');
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'peer-aborted' } });
    await expectSettled(link);
  });

  test('cannot listen: says so', async () => {
    const serving = link.b.respond([link.a], { serve: true });
    await link.until(link.b.log.nth('listening'));
    const b = await link.until(link.b.respond([link.a]).report);
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'config' } });
    serving.interrupt();
    await link.until(serving.report);
  });
});

describe('connections', () => {
  test('a new one of the same peer supersedes the old one, which holds the lock', async () => {
    const answering = link.b.respond([link.a]);
    link.a.kme.faults.set('getKey', 'hang');
    const stuck = link.a.initiate(link.b);
    await link.until(link.b.log.nth('sent'));
    const elsewhere = await mkdtemp(join(tmpdir(), 'qkd-sync-state-'));
    try {
      const [second, b] = await link.both(link.a.recover(link.b, { state: elsewhere }), answering);
      expect(link.b.log.all('superseded')).toHaveLength(1);
      expect(second.outcome).toBe('settled');
      expect(b.outcome).toBe('settled');
      expect(await link.until(stuck.report)).toMatchObject({
        outcome: 'aborted',
        error: { code: 'peer-lost' },
      });
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  test('two initiators at once, one responder: one exchange, the other goes unanswered', async () => {
    const answering = link.b.respond([link.a]);
    const runs = [link.a.initiate(link.b), link.a.initiate(link.b)];
    const reports = await link.until(Promise.all(runs.map(({ report }) => report)));
    const b = await link.until(answering.report);
    expect([...reports.map(({ outcome }) => outcome), b.outcome].sort()).toEqual([
      'aborted',
      'saved',
      'saved',
    ]);
    expect(reports.find(({ outcome }) => outcome === 'aborted')?.error?.code).toBe('peer-unreachable');
    expect(Object.keys(await link.a.files(link.b))).toEqual(['B_0']);
    await expectSettled(link);
  });

  test('two initiators at once, and the first holds the lock for long: the other is busy', async () => {
    const options = { connectWaitMs: 30_000, lockWaitMs: 10_000 };
    const runs = [link.a.initiate(link.b, options), link.a.initiate(link.b, options)];
    const reports = await link.until(Promise.all(runs.map(({ report }) => report)));
    expect(reports.map(({ error }) => error?.code).sort()).toEqual(['busy', 'peer-unreachable']);
  });

  test('two initiators at once, a serving responder: both are done, one after the other', async () => {
    const answering = link.b.respond([link.a], { serve: true });
    const runs = [link.a.initiate(link.b), link.a.initiate(link.b)];
    const reports = await link.until(Promise.all(runs.map(({ report }) => report)));
    expect(reports.map(({ outcome }) => outcome)).toEqual(['saved', 'saved']);
    expect(reports.map(({ exchange }) => exchange?.index).sort()).toEqual([0, 1]);
    answering.interrupt();
    await link.until(answering.report);
    await expectSettled(link);
  });
});

describe('--serve', () => {
  test('answers one after the other until it is told to stop, and then it ends well', async () => {
    const answering = link.b.respond([link.a], { serve: true, timeoutMs: 1_000 });
    for (let n = 0; n < 3; n += 1) {
      const a = await link.until(link.a.initiate(link.b).report);
      expect(a).toMatchObject({ outcome: 'saved', exchange: { index: n } });
      link.clock.advance(5_000);
    }
    answering.interrupt();
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ outcome: 'settled', error: undefined, exchange: undefined });
    expect(b.published.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  test('answers several peers', async () => {
    const a2 = link.site('AA');
    const answering = link.b.respond([link.a, a2], { serve: true });
    const reports = await link.until(
      Promise.all([link.a.initiate(link.b).report, a2.initiate(link.b).report]),
    );
    expect(reports.map(({ outcome }) => outcome)).toEqual(['saved', 'saved']);
    answering.interrupt();
    await link.until(answering.report);
    expect(Object.keys(await link.b.files(a2))).toEqual(['AA_0']);
    expect(await link.b.files(a2)).toEqual({ AA_0: (await a2.files(link.b))['B_0'] });
  });

  test('says that an exchange is open when it is told to stop', async () => {
    const answering = link.b.respond([link.a], { serve: true });
    const asking = link.a.initiate(link.b);
    link.network.wire = ({ type }) => {
      if (type === 'SYN_ACK') asking.kill();
      return 'deliver';
    };
    await link.until(asking.report);
    answering.interrupt();
    const b = await link.until(answering.report);
    expect(b).toMatchObject({ outcome: 'in-doubt', open: [{ standing: 'in-doubt', role: 'responder' }] });
  });
});
