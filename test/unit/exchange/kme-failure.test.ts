import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { QkdSyncError, type ErrorCode } from '../../../src/base/errors.js';
import { NO_FAULT } from '../../support/faulty-file-system.js';
import { Link } from '../../support/link.js';
import { expectSettled } from '../../support/truth.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

const fault = (code: ErrorCode): QkdSyncError => new QkdSyncError(code, `the KME says ${code}`);

const CODES = ['kme-unreachable', 'kme-refused', 'kme-empty', 'kme-answer'] as const;

/** Nothing of the exchange is left anywhere, and the next one gets the same number. */
async function expectNothing(): Promise<void> {
  expect(await link.a.files(link.b)).toEqual({});
  expect(await link.b.files(link.a)).toEqual({});
  expect(link.locks.held.size).toBe(0);
  await expectSettled(link);
  link.a.kme.faults.clear();
  link.b.kme.faults.clear();
  const [a, b] = await link.exchange();
  expect([a.outcome, a.exchange?.index, b.outcome]).toEqual(['saved', 0, 'saved']);
}

describe("A's KME", () => {
  test.each(CODES)('ends in %s: A says so, B hears nothing of it', async (code) => {
    link.a.kme.faults.set('getKey', fault(code));
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code }, exchange: undefined, open: [] });
    expect(b).toMatchObject({
      outcome: 'aborted',
      error: { code: 'timeout' },
      exchange: undefined,
      open: [],
    });
    expect(link.network.types()).toEqual(['HELLO', 'STATUS']);
    await expectNothing();
  });

  test('hangs: B ends the contact at its deadline, and nobody has been interrupted', async () => {
    link.a.kme.faults.set('getKey', 'hang');
    const startedAt = link.clock.monotonic();
    const [a, b] = await link.exchange({ terms: { deadlineMs: 120_000 } });
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-lost' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'timeout' } });
    expect(link.clock.monotonic() - startedAt).toBeLessThan(121_000);
    await expectNothing();
  });
});

describe("B's KME", () => {
  test('fails, and then the disk fails over what has to be taken back: both sites hear of the KME', async () => {
    link.b.kme.faults.set('getKeyWithKeyIds', fault('kme-empty'));
    link.b.fault = ({ name, path }) =>
      name === 'unlink' && path.includes('/names/') ? { code: 'EIO' } : undefined;
    const [a, b] = await link.exchange({}, { timeoutMs: 1_000 });
    expect([a.error?.code, b.error?.code]).toEqual(['kme-empty', 'kme-empty']);
    link.b.fault = NO_FAULT;
    await link.recover();
    await expectNothing();
  });

  test("hangs: A waits no longer than B's own limit, which STATUS names", async () => {
    link.b.kme.faults.set('getKeyWithKeyIds', 'hang');
    const startedAt = link.clock.monotonic();
    const terms = { deadlineMs: 30_000 };
    const [a] = await link.exchange({ timeoutMs: 1_000 }, { terms, timeoutMs: 1_000 });
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-lost' } });
    expect(link.clock.monotonic() - startedAt).toBeLessThan(45_000);
    await expectNothing();
  });

  test.each([
    ['kme-unreachable', 'kme-unreachable'],
    ['kme-refused', 'peer-aborted'],
    ['kme-empty', 'kme-empty'],
    ['kme-answer', 'peer-aborted'],
  ] as const)('ends in %s: A hears of it as %s', async (code, heard) => {
    link.b.kme.faults.set('getKeyWithKeyIds', fault(code));
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: heard }, open: [] });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code }, exchange: undefined, open: [] });
    expect(link.network.types()).toEqual(['HELLO', 'STATUS', 'SYN', 'NAK']);
    await expectNothing();
  });

  test('hangs: A ends the contact at its deadline', async () => {
    link.b.kme.faults.set('getKeyWithKeyIds', 'hang');
    const [a, b] = await link.exchange({ terms: { deadlineMs: 120_000 } });
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-lost' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'timeout' } });
    expect(link.network.types()).toEqual(['HELLO', 'STATUS', 'SYN', 'ABORT']);
    await expectNothing();
  });

  test('hangs over its status: A ends the contact at its deadline and has drawn nothing', async () => {
    link.b.kme.faults.set('status', 'hang');
    const [a, b] = await link.exchange({ terms: { deadlineMs: 120_000 } });
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-lost' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'timeout' } });
    expect(link.a.kme.count('getKey')).toBe(0);
    await expectNothing();
  });
});
