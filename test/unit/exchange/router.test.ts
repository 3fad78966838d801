/** The key routers of both sites read the same keys, each once, whatever happened between two exchanges. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import type { MessageType } from '../../../src/handshake/message.js';
import { Link } from '../../support/link.js';
import { once, SOUND_WIRE } from '../../support/memory-network.js';
import { keysOf, RouterReader, SHIPPED_SIZES, type RouterSizes } from '../../support/router-reader.js';
import type { RunOptions, TestSite } from '../../support/site.js';
import { expectSettled } from '../../support/truth.js';

const LOTS = 8;

/** Where the crash is, matters; how many keys a file has, does not. */
const SMALL_SIZES: RouterSizes = { ...SHIPPED_SIZES, lotKeys: 4, fileKeys: 16 };

let link: Link;
let sizes = SHIPPED_SIZES;
beforeEach(async () => {
  link = await Link.make();
  sizes = SHIPPED_SIZES;
});
afterEach(() => link.remove());

/** A file such as the router expects. */
const block = (): RunOptions => ({ terms: { count: sizes.fileKeys } });

async function saveBlock(): Promise<void> {
  const [a, b] = await link.exchange(block());
  expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
}

/** One exchange in which a process is killed as the first message of `type` is about to be sent. */
async function killAt(type: MessageType, victim: 'A' | 'B'): Promise<void> {
  const answering = link.b.respond([link.a], block());
  const asking = link.a.initiate(link.b, block());
  link.network.wire = (passing) => {
    if (passing.type === type) (victim === 'A' ? asking : answering).kill();
    return 'deliver';
  };
  await link.both(asking, answering);
  link.network.wire = SOUND_WIRE;
}

async function settle(): Promise<void> {
  const [a, b] = await link.recover();
  expect([a.outcome, b.outcome]).toEqual(['settled', 'settled']);
}

async function allKeys(site: TestSite, peer: TestSite): Promise<string[]> {
  const reader = new RouterReader(site.keys, peer.id, sizes);
  const keys: string[] = [];
  for (let lot = 0; lot < LOTS; lot += 1) keys.push(...keysOf(await reader.read()));
  await expect(reader.read()).rejects.toMatchObject({ code: 'ENOENT' });
  return keys;
}

async function expectSameKeys(): Promise<void> {
  await expectSettled(link);
  expect(Object.keys(await link.a.files(link.b))).toEqual(['B_0', 'B_1']);
  expect(Object.keys(await link.b.files(link.a))).toEqual(['A_0', 'A_1']);
  const [atA, atB] = [await allKeys(link.a, link.b), await allKeys(link.b, link.a)];
  expect(atA).toHaveLength(LOTS * sizes.lotKeys);
  expect(new Set(atA).size).toBe(LOTS * sizes.lotKeys);
  // Not as a whole: a difference would be shown.
  expect(atA.every((key, at) => key === atB[at])).toBe(true);
  const made = new Set([...link.keyStore.made.values()].map((key) => Buffer.from(key).toString('hex')));
  expect(atA.every((key) => made.has(key))).toBe(true);
}

describe('8192 keys of two exchanges are the same on both sites', () => {
  test('one after the other', async () => {
    await saveBlock();
    await saveBlock();
    await expectSameKeys();
  });

  test("with an abort in between, by B's KME", async () => {
    await saveBlock();
    link.b.kme.faults.set('getKeyWithKeyIds', new QkdSyncError('kme-answer', 'the KME has lost them'));
    const [a, b] = await link.exchange(block());
    expect([a.outcome, b.outcome]).toEqual(['aborted', 'aborted']);
    link.b.kme.faults.clear();
    await saveBlock();
    await expectSameKeys();
  });

  test('with an abort before the first of them', async () => {
    link.a.kme.faults.set('getKey', new QkdSyncError('kme-empty', 'the KME has no keys'));
    const [a] = await link.exchange(block());
    expect(a.outcome).toBe('aborted');
    expect(await link.a.files(link.b)).toEqual({});
    link.a.kme.faults.clear();
    await saveBlock();
    await saveBlock();
    await expectSameKeys();
  });

  test('with a crash in between, before the decision', async () => {
    await saveBlock();
    await killAt('SYN_ACK', 'A');
    await saveBlock();
    await expectSameKeys();
  });

  test('with a crash in the second of them, after the decision', async () => {
    await saveBlock();
    await killAt('ACK', 'B');
    await settle();
    await expectSameKeys();
  });

  test('with the first of them settled only by the contact of the second', async () => {
    link.network.wire = once('ACK', 'mute');
    const [a, b] = await link.exchange(block());
    expect([a.outcome, b.outcome]).toEqual(['unconfirmed', 'in-doubt']);
    expect(Object.keys(await link.b.files(link.a))).toEqual([]);
    link.network.wire = SOUND_WIRE;
    await saveBlock();
    await expectSameKeys();
  });
});

describe('so are those of two small files', () => {
  beforeEach(() => {
    sizes = SMALL_SIZES;
  });

  test.each([
    ['SYN', 'A'],
    ['SYN', 'B'],
    ['SYN_ACK', 'B'],
  ] as const)('with a crash in between, before the decision: at %s %s dies', async (type, victim) => {
    await saveBlock();
    await killAt(type, victim);
    await saveBlock();
    await expectSameKeys();
  });

  test.each([
    ['ACK', 'A'],
    ['FIN', 'A'],
    ['FIN', 'B'],
  ] as const)('with a crash in the second, after the decision: at %s %s dies', async (type, victim) => {
    await saveBlock();
    await killAt(type, victim);
    await settle();
    await expectSameKeys();
  });
});
