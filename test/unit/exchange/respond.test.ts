/** When a responder stops, and what it does with several connections. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QkdSyncError } from '../../../src/base/errors.js';
import { encodeMessage } from '../../../src/handshake/codec.js';
import type { Channel } from '../../../src/peer/channel.js';
import { eachLink } from '../../support/each-link.js';
import type { Link } from '../../support/link.js';
import { once, SOUND_WIRE } from '../../support/memory-network.js';
import type { Run, TestSite } from '../../support/site.js';
import { expectSettled } from '../../support/truth.js';

let link: Link;
eachLink((made) => {
  link = made;
});
afterEach(() => {
  expect(link.network.listens('B')).toBe(false);
});

const now = (): number => link.clock.monotonic();

async function pass(ms: number): Promise<void> {
  await link.until(new Promise<void>((resolve) => void link.clock.after(ms, resolve)));
}

/** Says HELLO, and nothing after it. */
async function greet(site: TestSite): Promise<Channel> {
  const channel = await link.network.dial(site.id, 'B')(new AbortController().signal);
  const { id, sae } = site;
  const want = { count: 1, size: 256, naming: 'index', index: 0 } as const;
  const stateId = '0'.repeat(32);
  channel.send(encodeMessage({ type: 'HELLO', version: 1, site: id, sae, stateId, alarms: 0, want }));
  return channel;
}

/** Comes at once and then at each of these intervals, whether it is answered or not, until it is told to stop. */
function comeAgain(everyMs: number, come: () => Promise<unknown>): () => void {
  let cancel: () => void = () => undefined;
  // As many as show it, so that a responder that is held ends all the same.
  let left = 40;
  const next = (): void => {
    left -= 1;
    if (left === 0) return;
    come().catch(() => undefined);
    cancel = link.clock.after(everyMs, next);
  };
  next();
  return () => {
    cancel();
  };
}

/** Leaves a responder that has voted, and whose initiator has been killed. */
async function leaveInDoubt(
  peers: readonly TestSite[],
  ackTimeoutMs: number,
  deadlineMs = 600_000,
): Promise<{ answering: Run; brokeAt: number }> {
  const answering = link.b.respond(peers, { terms: { ackTimeoutMs, deadlineMs } });
  const asking = link.a.initiate(link.b);
  link.network.wire = ({ type }) => {
    if (type === 'SYN_ACK') asking.kill();
    return 'deliver';
  };
  await link.until(asking.report);
  link.network.wire = SOUND_WIRE;
  return { answering, brokeAt: now() };
}

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

  test('is not held by a connection that never says HELLO', async () => {
    const answering = link.b.respond([link.a], { timeoutMs: 1_000 });
    await link.until(link.b.log.nth('listening'));
    const startedAt = now();
    const [, b] = await link.until(
      Promise.all([link.network.dial('A', 'B')(new AbortController().signal), answering.report]),
    );
    expect(b.error?.code).toBe('timeout');
    expect(now() - startedAt).toBe(1_000);
  });

  test('is not held by a client that comes again and again and says nothing', async () => {
    const answering = link.b.respond([link.a], { timeoutMs: 2_000 });
    await link.until(link.b.log.nth('listening'));
    const startedAt = now();
    const stop = comeAgain(1_500, () => link.network.dial('A', 'B')(new AbortController().signal));
    const b = await link.until(answering.report);
    stop();
    expect(b.error?.code).toBe('timeout');
    expect(now() - startedAt).toBe(2_000);
  });

  test('waits beyond --timeout for a peer that has greeted, for no longer than exchange.deadline', async () => {
    const answering = link.b.respond([link.a], { timeoutMs: 2_000, terms: { deadlineMs: 5_000 } });
    await link.until(link.b.log.nth('listening'));
    const startedAt = now();
    const stop = comeAgain(1_500, () => greet(link.a));
    const b = await link.until(answering.report);
    stop();
    expect(b.error?.code).toBe('timeout');
    expect(now() - startedAt).toBe(5_000);
  });

  test('takes a SYN that comes after --timeout', async () => {
    const answering = link.b.respond([link.a], { timeoutMs: 2_000 });
    await link.until(link.b.log.nth('listening'));
    const status = link.b.log.nth('sent');
    const channel = await link.until(greet(link.a));
    await link.until(status);
    await pass(3_000);
    const id = '1'.repeat(32);
    const { keyId } = link.keyStore.make(256);
    channel.send(encodeMessage({ type: 'SYN', id, keyIds: [keyId], alpha: '1' }));
    expect((await link.until(link.b.log.nth('sent', 2))).message).toBe('sent SYN_ACK');
    await link.until(channel.close());
    expect(await link.until(answering.report)).toMatchObject({ outcome: 'in-doubt', exchange: { id } });
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
    const { answering, brokeAt } = await leaveInDoubt([link.a], 30_000);
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
    const { answering, brokeAt } = await leaveInDoubt([link.a, other], 30_000);
    await pass(20_000);
    expect((await link.until(other.recover(link.b).report)).outcome).toBe('settled');
    expect(await link.until(answering.report)).toMatchObject({ outcome: 'in-doubt' });
    expect(now() - brokeAt).toBe(35_000);
  });

  test('lingers no longer over another peer that says HELLO and no more', async () => {
    const other = link.site('AA');
    const { answering, brokeAt } = await leaveInDoubt([link.a, other], 1_000);
    await pass(2_000);
    await link.until(greet(other));
    expect(await link.until(answering.report)).toMatchObject({ outcome: 'in-doubt' });
    expect(now() - brokeAt).toBe(6_000);
  });

  test('lets another peer in the middle of its vote come to its end', async () => {
    const other = link.site('AA');
    const { answering } = await leaveInDoubt([link.a, other], 1_000);
    link.network.wire = once('SYN_ACK', 'lose');
    const asking = other.initiate(link.b, { terms: { deadlineMs: 8_000 } });
    expect(await link.until(asking.report)).toMatchObject({
      outcome: 'aborted',
      error: { code: 'peer-lost' },
    });
    expect(link.network.types()).toContain('ABORT_OK');
    await link.until(answering.report);
  });

  test('lingers for no longer than exchange.deadline over an initiator that breaks off again and again', async () => {
    const { answering, brokeAt } = await leaveInDoubt([link.a], 1_000, 20_000);
    const stop = comeAgain(1_500, () => greet(link.a));
    expect(await link.until(answering.report)).toMatchObject({ outcome: 'in-doubt' });
    stop();
    expect(now() - brokeAt).toBeLessThanOrEqual(26_000);
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
