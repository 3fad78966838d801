/** Key bytes are in key files and nowhere else: not in a log, a report, a frame or a record. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { QkdSyncError } from '../../../src/base/errors.js';
import { NO_FAULT } from '../../support/faulty-file-system.js';
import { spellings } from '../../support/kme-client.js';
import { Link } from '../../support/link.js';
import { once, SOUND_WIRE } from '../../support/memory-network.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test('whatever goes well or wrong', async () => {
  const said: unknown[] = [];
  said.push(await link.exchange({ terms: { count: 2 } }));
  link.network.wire = once('SYN_ACK', 'cut');
  said.push(await link.exchange());
  link.network.wire = once('ACK', 'cut');
  said.push(await link.exchange());
  link.network.wire = SOUND_WIRE;
  for (const site of [link.a, link.b]) {
    site.fault = ({ name, target }) =>
      name === 'write' && target === 'key' ? { code: 'ENOSPC' } : undefined;
    said.push(await link.exchange());
    site.fault = ({ name, target }) =>
      name === 'rename' && target.endsWith('.committed') ? { code: 'EIO' } : undefined;
    said.push(await link.exchange());
    site.fault = NO_FAULT;
  }
  link.b.kme.faults.set('getKeyWithKeyIds', new QkdSyncError('kme-answer', 'no'));
  said.push(await link.exchange());

  const shown = inspect([said, link.a.log.lines, link.b.log.lines, link.network.passed], {
    depth: 20,
    showHidden: true,
    maxStringLength: null,
    maxArrayLength: null,
  });
  const plain = JSON.stringify([said, link.a.log.lines, link.b.log.lines, link.network.passed]);
  expect(link.keyStore.made.size).toBeGreaterThan(5);
  const records: string[] = [];
  for (const { state } of [link.a, link.b]) {
    for (const path of await filesBelow(state)) {
      if (!path.endsWith('/key')) records.push(await readFile(path, 'latin1'));
    }
  }
  for (const key of link.keyStore.made.values()) {
    for (const spelling of spellings(key)) {
      for (const text of [shown, plain, ...records]) expect(text.includes(spelling)).toBe(false);
    }
  }
});

test('the search would find a key', async () => {
  await link.exchange();
  const [key] = [...link.keyStore.made.values()];
  const file = Object.values(await link.a.files(link.b))[0] ?? '';
  expect(spellings(key ?? new Uint8Array()).some((spelling) => file.includes(spelling))).toBe(true);
});

test('keys are overwritten in memory once they are staged, and where they cannot be', async () => {
  await link.exchange();
  link.a.fault = ({ name, target }) =>
    name === 'write' && target === 'key' ? { code: 'ENOSPC' } : undefined;
  await link.exchange();
  link.a.fault = NO_FAULT;
  link.keyStore.nextKeyId = () => 'k'.repeat(252);
  const [a] = await link.exchange({ terms: { naming: 'key-id' } });
  expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'storage' } });

  expect(link.keyStore.handedOut).toHaveLength(4);
  for (const secret of link.keyStore.handedOut)
    expect(Buffer.from(secret.reveal())).toEqual(Buffer.alloc(32));
});
