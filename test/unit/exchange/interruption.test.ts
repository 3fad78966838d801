/** SIGINT and SIGTERM at each step of both sides. */
import { describe, expect, test } from '@jest/globals';
import type { MessageType } from '../../../src/handshake/message.js';
import type { RunReport } from '../../../src/exchange/outcome.js';
import { eachLink } from '../../support/each-link.js';
import type { Link } from '../../support/link.js';
import { SOUND_WIRE } from '../../support/memory-network.js';
import { expectSettled, expectTrue } from '../../support/truth.js';

let link: Link;
eachLink((made) => {
  link = made;
});

/** One exchange in which `who` is interrupted as the first message of `type` is sent. */
async function interruptedAt(who: 'A' | 'B', type: MessageType): Promise<[RunReport, RunReport]> {
  const answering = link.b.respond([link.a]);
  const asking = link.a.initiate(link.b);
  link.network.wire = (passing) => {
    if (passing.type === type) (who === 'A' ? asking : answering).interrupt();
    return 'deliver';
  };
  const reports = await link.both(asking, answering);
  link.network.wire = SOUND_WIRE;
  await expectTrue(reports[0], link.a, link.b);
  await expectTrue(reports[1], link.b, link.a);
  return reports;
}

async function expectNothing(): Promise<void> {
  expect(await link.a.files(link.b)).toEqual({});
  await expectSettled(link);
}

describe('A', () => {
  test.each(['HELLO', 'STATUS', 'SYN', 'SYN_ACK'] as const)(
    'before its decision (%s): aborts, and nothing is left on either site',
    async (type) => {
      const [a, b] = await interruptedAt('A', type);
      expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'interrupted' } });
      expect(b.outcome).toBe('aborted');
      await expectNothing();
    },
  );

  test('tells B of the abort where B may have voted', async () => {
    const [, b] = await interruptedAt('A', 'SYN');
    expect(link.network.types()).toContain('ABORT');
    expect(b.error?.code).toBe('peer-aborted');
  });

  test.each(['ACK', 'FIN', 'END', 'END_OK'] as const)('after its decision (%s): finishes', async (type) => {
    const [a, b] = await interruptedAt('A', type);
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
    await expectSettled(link);
  });

  test('after its decision, and B gone: finishes within x', async () => {
    const answering = link.b.respond([link.a]);
    const asking = link.a.initiate(link.b);
    link.network.wire = ({ type }) => {
      if (type === 'ACK') {
        answering.kill();
        asking.interrupt();
      }
      return 'deliver';
    };
    const startedAt = link.clock.monotonic();
    const a = await link.until(asking.report);
    await link.until(answering.report);
    expect(a.outcome).toBe('unconfirmed');
    expect(link.clock.monotonic() - startedAt).toBeLessThan(31_000);
  });

  test('while it tries to reach the peer: at once', async () => {
    const asking = link.a.initiate(link.b);
    link.clock.after(1_000, () => {
      asking.interrupt();
    });
    const a = await link.until(asking.report);
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'interrupted' } });
    expect(link.clock.monotonic()).toBe(2_000);
  });

  test('while it waits for the lock: at once', async () => {
    const first = link.a.initiate(link.b);
    const second = link.a.initiate(link.b);
    link.clock.after(1_000, () => {
      second.interrupt();
    });
    expect((await link.until(second.report)).error?.code).toBe('interrupted');
    expect((await link.until(first.report)).error?.code).toBe('peer-unreachable');
  });

  test('while its KME hangs', async () => {
    link.a.kme.faults.set('getKey', 'hang');
    const asking = link.a.initiate(link.b);
    const answering = link.b.respond([link.a]);
    link.clock.after(1_000, () => {
      asking.interrupt();
    });
    const [a, b] = await link.both(asking, answering);
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'interrupted' } });
    expect(b.error?.code).toBe('timeout');
    await expectNothing();
  });

  test('before it has begun', async () => {
    const asking = link.a.initiate(link.b);
    asking.interrupt();
    expect((await link.until(asking.report)).error?.code).toBe('interrupted');
  });
});

describe('B', () => {
  test.each(['HELLO', 'STATUS', 'SYN'] as const)(
    'before its vote (%s): aborts, and nothing is left on either site',
    async (type) => {
      const [a, b] = await interruptedAt('B', type);
      expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'interrupted' }, exchange: undefined });
      expect(a.outcome).toBe('aborted');
      expect(['peer-aborted', 'peer-lost']).toContain(a.error?.code);
      await expectNothing();
    },
  );

  test('after its vote (SYN_ACK): keeps the record, in doubt; the next contact settles it', async () => {
    const [, b] = await interruptedAt('B', 'SYN_ACK');
    expect(b).toMatchObject({ outcome: 'in-doubt', error: { code: 'interrupted' } });
    expect(await link.b.records(link.a)).toEqual(['names/A_0', 'responder/staged']);
    await link.recover();
    await expectSettled(link);
  });

  test.each(['FIN', 'END'] as const)('after it has saved (%s): says so', async (type) => {
    const [a, b] = await interruptedAt('B', type);
    expect(['saved', 'unconfirmed']).toContain(a.outcome);
    expect(['saved', 'unconfirmed']).toContain(b.outcome);
    await link.recover();
    await expectSettled(link);
    expect(Object.keys(await link.b.files(link.a))).toEqual(['A_0']);
  });

  test('while its KME hangs: A is told', async () => {
    link.b.kme.faults.set('getKeyWithKeyIds', 'hang');
    const asking = link.a.initiate(link.b);
    const answering = link.b.respond([link.a]);
    link.clock.after(1_000, () => {
      answering.interrupt();
    });
    const [a, b] = await link.both(asking, answering);
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-aborted' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'interrupted' } });
    await expectNothing();
  });

  test('while nobody has come', async () => {
    const answering = link.b.respond([link.a]);
    link.clock.after(1_000, () => {
      answering.interrupt();
    });
    expect(await link.until(answering.report)).toMatchObject({
      outcome: 'aborted',
      error: { code: 'interrupted' },
    });
    expect(link.network.listens('B')).toBe(false);
  });
});
