import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { Link } from '../../support/link.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

/** Each key of the store, as the hex file has it. */
const madeKeys = (): string[] =>
  [...link.keyStore.made.values()].map((key) => `${Buffer.from(key).toString('hex')}\n`);

describe('before a key is drawn', () => {
  test('an unreachable peer: A keeps trying for connectWait and draws nothing', async () => {
    const startedAt = link.clock.monotonic();
    const { report } = link.a.initiate(link.b, { connectWaitMs: 10_000 });
    const a = await link.until(report);

    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-unreachable' }, exchange: undefined });
    expect(link.clock.monotonic() - startedAt).toBeGreaterThan(9_000);
    expect(link.clock.monotonic() - startedAt).toBeLessThanOrEqual(10_000);
    expect(link.a.kme.calls).toEqual([]);
    expect(link.locks.held.size).toBe(0);
  });

  test('a peer that comes late is reached', async () => {
    const asking = link.a.initiate(link.b);
    const answering = new Promise<void>((resolve) => {
      link.clock.after(5_000, resolve);
    }).then(() => link.b.respond([link.a]).report);
    const [a, b] = await link.until(Promise.all([asking.report, answering]));
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
  });

  test('the wrong role, at A: B initiates towards A', async () => {
    const a = await link.until(link.b.initiate(link.a).report);
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'role' } });
    expect(a.error?.hint).toContain("'qkd-sync initiate --peer B' at A");
    expect(link.network.dials).toBe(0);
  });

  test('the wrong role, at B: A responds to B', async () => {
    const b = await link.until(link.a.respond([link.b]).report);
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'role' } });
    expect(b.error?.hint).toContain("'qkd-sync initiate --peer B' here");
    expect(link.network.listens('A')).toBe(false);
  });

  test('--any-role on both sites lets B initiate', async () => {
    const answering = link.a.respond([link.b], { anyRole: true });
    const [b, a] = await link.both(link.b.initiate(link.a, { anyRole: true }), answering);
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
    expect(await link.b.files(link.a)).toEqual({ A_0: madeKeys()[0] });
    expect(await link.a.files(link.b)).toEqual({ B_0: madeKeys()[0] });
  });

  test('--any-role at the initiator alone is refused by the other site', async () => {
    const c = link.site('C');
    const answering = link.b.respond([link.a, c]);
    const [report] = await link.both(c.initiate(link.b, { anyRole: true }), answering);
    expect(report).toMatchObject({ outcome: 'aborted', error: { code: 'role' } });
    expect(c.kme.calls).toEqual([]);
  });

  test.each([
    ['count', { count: 2 }],
    ['size', { size: 512 }],
    ['naming', { naming: 'key-id' }],
  ] as const)('sites that disagree about %s', async (_what, terms) => {
    const [a, b] = await link.exchange({}, { terms });
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'disagreement' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'disagreement' } });
    expect(link.a.kme.count('getKey')).toBe(0);
    expect(link.locks.held.size).toBe(0);
  });

  test('another SAE than the configured one', async () => {
    const [a] = await link.exchange({ sae: 'sae-X' }, {});
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-refused' } });
    expect(link.a.kme.count('getKey')).toBe(0);
  });

  test("B's KME cannot be reached", async () => {
    link.b.kme.faults.set('status', new QkdSyncError('kme-unreachable', 'no answer'));
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'kme-unreachable' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'kme-unreachable' } });
    expect(link.a.kme.count('getKey')).toBe(0);
  });

  test("a status that B's KME will not tell stands in nobody's way", async () => {
    link.b.kme.faults.set('status', new QkdSyncError('kme-refused', 'no'));
    const [a, b] = await link.exchange();
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
  });
});
