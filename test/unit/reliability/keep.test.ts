/** What `npm run reliability -- --keep` goes on with is what ended well, and what was asked for. */
import { expect, test } from '@jest/globals';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeIn, Keep } from '../../reliability/keep.js';

const ORDER = { seeds: '20000', full: [], code: 'a' };

async function makeKeep(): Promise<Keep> {
  const keep = new Keep(join(await mkdtemp(join(tmpdir(), 'qkd-sync-keep-')), 'kept'));
  await keep.open(ORDER);
  return keep;
}

const never = (): Promise<void> => Promise.reject(new Error('run again'));

test('what ended well is not run again', async () => {
  const keep = await makeKeep();
  expect(await keep.get('crash.json', (file) => writeFile(file, '{}'))).toBe('{}');
  expect(await keep.get('crash.json', never)).toBe('{}');
});

test('what has failed after it had written its result is run again', async () => {
  const keep = await makeKeep();
  const failing = async (file: string): Promise<void> => {
    await writeFile(file, '{"failures":1}');
    throw new Error('test:crash has failed');
  };
  await expect(keep.get('crash.json', failing)).rejects.toThrow('test:crash has failed');
  await expect(keep.get('crash.json', never)).rejects.toThrow('run again');
  // A suite that skips itself next time has nothing of what failed.
  expect(await keep.get('crash.json', () => Promise.resolve())).toBeUndefined();
});

test('nothing is taken for what another order has asked for', async () => {
  const keep = await makeKeep();
  await keep.open(ORDER);
  await expect(keep.open({ ...ORDER, seeds: '1000000' })).rejects.toThrow('is of another order');
  await expect(keep.open({ ...ORDER, full: ['crash'] })).rejects.toThrow('is of another order');
  await expect(keep.open({ ...ORDER, code: 'b' })).rejects.toThrow('is of another order');
});

test('any other code is another order', async () => {
  const project = await mkdtemp(join(tmpdir(), 'qkd-sync-keep-'));
  for (const folder of ['bin', 'src/store', 'test']) await mkdir(join(project, folder), { recursive: true });
  await writeFile(join(project, 'src/store/a.ts'), '1');
  const before = await codeIn(project);
  expect(await codeIn(project)).toBe(before);
  await writeFile(join(project, 'src/store/a.ts'), '2');
  expect(await codeIn(project)).not.toBe(before);
});
