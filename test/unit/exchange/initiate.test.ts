import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Link } from '../../support/link.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

/** Each key of the store, as the hex file has it. */
const madeKeys = (): string[] =>
  [...link.keyStore.made.values()].map((key) => `${Buffer.from(key).toString('hex')}\n`);

describe('a healthy exchange', () => {
  test('saves the same file on both sites, and forgets the exchange', async () => {
    const [a, b] = await link.exchange();

    expect(a).toMatchObject({
      outcome: 'saved',
      role: 'initiator',
      peer: 'B',
      open: [],
      peerAlarms: 0,
      error: undefined,
    });
    expect(b).toMatchObject({
      outcome: 'saved',
      role: 'responder',
      peer: 'A',
      open: [],
      peerAlarms: 0,
      error: undefined,
    });
    expect(b.exchange?.id).toBe(a.exchange?.id);
    expect(a.exchange).toMatchObject({ keyIds: ['key-0000'], name: 'B_0', index: 0, progress: 'committed' });
    expect(b.exchange).toMatchObject({ keyIds: ['key-0000'], name: 'A_0', index: 0, progress: 'committed' });
    expect(await link.a.files(link.b)).toEqual({ B_0: madeKeys()[0] });
    expect(await link.b.files(link.a)).toEqual({ A_0: madeKeys()[0] });
    expect(await link.a.records(link.b)).toEqual([]);
    expect(await link.b.records(link.a)).toEqual([]);
    expect(await link.a.store().nextIndex('B')).toBe(1);
    expect(await link.b.store().nextIndex('A')).toBe(1);
  });

  test('says what was published, once on each side', async () => {
    const [a, b] = await link.exchange();
    expect(a.published).toMatchObject([
      { id: a.exchange?.id, role: 'initiator', peer: 'B', index: 0, keyIds: ['key-0000'] },
    ]);
    expect(a.published[0]?.path).toBe(`${link.a.keys}/B/B_0`);
    expect(b.published).toMatchObject([{ id: a.exchange?.id, role: 'responder', peer: 'A', index: 0 }]);
  });

  test('is said message by message, and nothing is warned of', async () => {
    await link.exchange();
    expect(link.network.types()).toEqual([
      'HELLO',
      'STATUS',
      'SYN',
      'SYN_ACK',
      'ACK',
      'FIN',
      'END',
      'END_OK',
    ]);
    const loud = [...link.a.log.lines, ...link.b.log.lines].filter(
      ({ level }) => level === 'warn' || level === 'error',
    );
    expect(loud).toEqual([]);
  });

  test('does not wait for x', async () => {
    const startedAt = link.clock.monotonic();
    await link.exchange();
    // One redial, because both sites begin at the same instant, and nothing else.
    expect(link.clock.monotonic() - startedAt).toBeLessThanOrEqual(250);
    expect(link.a.log.all('ack-to-exit')).toHaveLength(1);
  });

  test('asks each KME once, for the peer', async () => {
    await link.exchange();
    expect(link.a.kme.calls).toEqual([{ method: 'getKey', peerSae: 'sae-B' }]);
    expect(link.b.kme.calls).toEqual([
      { method: 'status', peerSae: 'sae-A' },
      { method: 'getKeyWithKeyIds', peerSae: 'sae-A' },
    ]);
  });

  test.each([0o000, 0o077])('makes files 0600 and folders 0700 under umask %o', async (mask) => {
    const before = process.umask(mask);
    try {
      await link.exchange();
    } finally {
      process.umask(before);
    }
    for (const [site, peer, name] of [
      [link.a, 'B', 'B_0'],
      [link.b, 'A', 'A_0'],
    ] as const) {
      expect(await site.mode(site.keys, peer, name)).toBe(0o600);
      for (const folder of [site.keys, `${site.keys}/${peer}`, site.state, `${site.state}/${peer}`]) {
        expect(await site.mode(folder)).toBe(0o700);
      }
    }
  });

  test('leaves no lock, no timer and no listener behind', async () => {
    await link.exchange();
    expect(link.locks.held.size).toBe(0);
    expect(link.clock.pending).toBe(0);
    expect(link.network.listens('B')).toBe(false);
  });

  test('twenty in a row', async () => {
    for (let n = 0; n < 20; n += 1) {
      const [a, b] = await link.exchange();
      expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
      expect(a.exchange?.index).toBe(n);
    }
    const files = await link.a.files(link.b);
    expect(Object.keys(files)).toHaveLength(20);
    for (let n = 0; n < 20; n += 1) expect(files[`B_${n}`]).toBe(madeKeys()[n]);
    const atB = await link.b.files(link.a);
    expect(Object.values(atB).sort()).toEqual(Object.values(files).sort());
    expect(await link.a.records(link.b)).toEqual([]);
    expect(await link.b.records(link.a)).toEqual([]);
  });

  test('several keys, in the order of SYN', async () => {
    const [a] = await link.exchange({ terms: { count: 3 } });
    expect(a.exchange?.keyIds).toEqual(['key-0000', 'key-0001', 'key-0002']);
    expect(await link.a.files(link.b)).toEqual({ B_0: madeKeys().join('') });
    expect(await link.b.files(link.a)).toEqual({ A_0: madeKeys().join('') });
  });

  test('files named by key ID, percent-encoded', async () => {
    link.keyStore.nextKeyId = () => '../ä/1';
    const [a, b] = await link.exchange({ terms: { naming: 'key-id' } });
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
    expect(a.exchange?.index).toBeUndefined();
    const name = '%2E.%2F%C3%A4%2F1.hex';
    expect(Object.keys(await link.a.files(link.b))).toEqual([name]);
    expect(Object.keys(await link.b.files(link.a))).toEqual([name]);
    expect(await link.a.store().nextIndex('B')).toBe(0);
    expect(await link.a.records(link.b)).toEqual([]);
  });
});
