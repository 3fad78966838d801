/** Every key that A's KME has given is in a key file, or the log calls it lost: whatever happens, none just vanishes. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { NO_FAULT } from '../../support/faulty-file-system.js';
import { Link } from '../../support/link.js';
import { once, SOUND_WIRE } from '../../support/memory-network.js';
import type { TestSite } from '../../support/site.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

function lost(site: TestSite, call: string): string[] {
  return site.log
    .all('keys-lost')
    .filter(({ level, fields }) => level === 'warn' && fields['call'] === call)
    .flatMap(({ fields }) => {
      const { keyIds, keys } = fields;
      expect(keyIds).toHaveLength(Number(keys));
      return Array.isArray(keyIds) ? (keyIds as string[]) : [];
    });
}

/** The IDs of the keys in A's key files. */
async function used(): Promise<string[]> {
  const lines = Object.values(await link.a.files(link.b)).flatMap((text) => text.trim().split('\n'));
  const made = [...link.keyStore.made].map(([keyId, bytes]) => [Buffer.from(bytes).toString('hex'), keyId]);
  const byContent = new Map(made as [string, string][]);
  return lines.map((line) => byContent.get(line) ?? 'foreign');
}

async function expectAccounted(): Promise<void> {
  const accounted = [...(await used()), ...lost(link.a, 'enc_keys')];
  expect(accounted.sort()).toEqual([...link.keyStore.made.keys()].sort());
}

const TERMS = { terms: { count: 2 } };

test('none is lost where both save', async () => {
  const [a] = await link.exchange(TERMS);
  expect(a.outcome).toBe('saved');
  expect(lost(link.a, 'enc_keys')).toEqual([]);
  await expectAccounted();
});

test("B's KME says no", async () => {
  link.b.kme.faults.set('getKeyWithKeyIds', new QkdSyncError('kme-empty', 'no such key'));
  const [a] = await link.exchange(TERMS);
  expect(a.outcome).toBe('aborted');
  expect(link.a.log.all('keys-lost')).toMatchObject([
    { message: expect.stringMatching(/^2 keys of enc_keys lost: the peer refused: no such key$/) },
  ]);
  await expectAccounted();
});

test("A's disk fails after the keys have come", async () => {
  link.a.fault = ({ name, target }) =>
    name === 'write' && target === 'key' ? { code: 'ENOSPC' } : undefined;
  await link.exchange(TERMS);
  expect(lost(link.a, 'enc_keys')).toHaveLength(2);
  await expectAccounted();
});

test("B's disk fails after the keys have come: both lose them", async () => {
  link.b.fault = ({ name, target }) =>
    name === 'write' && target === 'key' ? { code: 'ENOSPC' } : undefined;
  await link.exchange(TERMS);
  expect(lost(link.b, 'dec_keys')).toEqual(lost(link.a, 'enc_keys'));
  expect(lost(link.b, 'dec_keys')).toHaveLength(2);
  link.b.fault = NO_FAULT;
  await link.exchange(TERMS);
  await expectAccounted();
});

test('A is interrupted after its SYN and says ABORT: both lose them', async () => {
  const answering = link.b.respond([link.a], TERMS);
  const asking = link.a.initiate(link.b, TERMS);
  link.network.wire = ({ type }) => {
    if (type === 'SYN') asking.interrupt();
    return 'deliver';
  };
  const [a] = await link.both(asking, answering);
  expect(a.outcome).toBe('aborted');
  expect(lost(link.a, 'enc_keys')).toHaveLength(2);
  await expectAccounted();
});

test.each(['SYN', 'SYN_ACK', 'ACK', 'FIN'] as const)('the connection breaks at %s', async (type) => {
  link.network.wire = once(type, 'cut');
  await link.exchange(TERMS);
  link.network.wire = SOUND_WIRE;
  await link.exchange(TERMS);
  await expectAccounted();
});

test('A is killed after its SYN: the next run calls its keys lost', async () => {
  const answering = link.b.respond([link.a], { ...TERMS, timeoutMs: 1_000 });
  const asking = link.a.initiate(link.b, TERMS);
  link.network.wire = ({ type }) => {
    if (type === 'SYN_ACK') asking.kill();
    return 'deliver';
  };
  await link.both(asking, answering);
  link.network.wire = SOUND_WIRE;
  link.a.log.lines.splice(0);
  const [a] = await link.exchange(TERMS);
  expect(a.outcome).toBe('saved');
  expect(link.a.log.all('keys-lost')).toMatchObject([
    { message: '2 keys of enc_keys lost: an earlier run ended before its decision' },
  ]);
  await expectAccounted();
});

test('A is killed after its SYN, and the next run fails right after the abort: it calls the keys lost all the same', async () => {
  const asking = link.a.initiate(link.b, TERMS);
  link.network.wire = ({ type }) => {
    if (type === 'SYN_ACK') asking.kill();
    return 'deliver';
  };
  await link.both(asking, link.b.respond([link.a], { ...TERMS, timeoutMs: 1_000 }));
  link.network.wire = SOUND_WIRE;
  link.a.log.lines.splice(0);
  let aborted = false;
  link.a.fault = ({ name, path, target }) => {
    aborted ||= name === 'rename' && target.endsWith('.aborted');
    return aborted && name === 'syncFolder' && path.endsWith('/initiator') ? { code: 'ENOSPC' } : undefined;
  };
  const a = await link.until(link.a.recover(link.b, TERMS).report);
  expect(a.error?.code).toBe('storage');
  expect(lost(link.a, 'enc_keys')).toHaveLength(2);
  link.a.fault = NO_FAULT;
  await link.exchange(TERMS);
  await expectAccounted();
});

test("our certificate is refused by B's KME: A draws nothing", async () => {
  const refused = new QkdSyncError('kme-refused', 'not our certificate', { cause: new Error('alert') });
  link.b.kme.faults.set('status', refused);
  const [a, b] = await link.exchange(TERMS);
  expect([a.outcome, b.error?.code]).toEqual(['aborted', 'kme-refused']);
  expect(link.keyStore.made.size).toBe(0);
});

test('any answer of its KME about the status lets B go on', async () => {
  link.b.kme.faults.set('status', new QkdSyncError('kme-refused', 'HTTP 403'));
  expect((await link.exchange(TERMS))[0].outcome).toBe('saved');
});
