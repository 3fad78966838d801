/** What the crash tests take for open at a site. */
import { expect, test } from '@jest/globals';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecords } from '../../crash/open-records.js';

async function site(...records: readonly string[]): Promise<{ state: string; peer: 'B' }> {
  const state = await mkdtemp(join(tmpdir(), 'qkd-sync-open-'));
  for (const record of records) {
    const path = join(state, 'B', record);
    await mkdir(record.endsWith('/key') ? join(path, '..') : path, { recursive: true });
    if (record.endsWith('/key')) await writeFile(path, '');
  }
  return { state, peer: 'B' };
}

test.each([
  ['no folder of state', [], []],
  ['a vote', ['responder/1.staged'], ['voted']],
  ['a decision without its key file', ['initiator/1.committed/key'], ['decided']],
  [
    'a decision with its key file',
    ['initiator/1.committed', 'responder/2.committed'],
    ['published', 'published'],
  ],
  ['a tombstone', ['responder/1.done'], ['done']],
  [
    'what needs nobody',
    ['initiator/1.staged/key', 'initiator/2.aborted', 'responder/3.aborted', 'responder/4.tmp-5'],
    [],
  ],
])('%s', async (_what, records, open) => {
  expect(await openRecords(await site(...records))).toEqual(open);
});
