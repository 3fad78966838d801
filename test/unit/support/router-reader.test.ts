/** The reader does with files of each shape what the key router was seen to do. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keysOf, RouterReader, SHIPPED_SIZES } from '../../support/router-reader.js';

let keys: string;

beforeEach(async () => {
  keys = await mkdtemp(join(tmpdir(), 'qkd-sync-router-'));
  await mkdir(join(keys, 'B'));
});

afterEach(() => rm(keys, { recursive: true }));

const line = (number: number, digits = 64): string => number.toString(16).padStart(digits, '0');
const write = (number: number, lines: readonly string[]): Promise<void> =>
  writeFile(join(keys, 'B', `B_${number}`), lines.map((one) => `${one}\n`).join(''));

const lines = (count: number, digits?: number): string[] =>
  Array.from({ length: count }, (_, at) => line(at + 1, digits));

describe('whole blocks', () => {
  it('are read from the first to the last, 1024 keys at a time', async () => {
    await write(0, lines(4_096));
    await write(1, lines(4_096).reverse());
    const reader = new RouterReader(keys, 'B');
    const read: string[] = [];
    for (let lot = 0; lot < 8; lot += 1) read.push(...keysOf(await reader.read()));
    expect(read).toEqual([...lines(4_096), ...lines(4_096).reverse()]);
    await expect(reader.read()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('may end within a lot', async () => {
    await write(0, lines(3));
    await write(1, lines(3));
    const reader = new RouterReader(keys, 'B', { ...SHIPPED_SIZES, lotKeys: 2, fileKeys: 3 });
    expect(keysOf(await reader.read())).toEqual([line(1), line(2)]);
    expect(keysOf(await reader.read())).toEqual([line(3), line(1)]);
  });
});

describe('a file of another shape', () => {
  it('of one line gives the same key 1024 times', async () => {
    await write(0, lines(1));
    expect(keysOf(await new RouterReader(keys, 'B').read())).toEqual(Array<string>(1_024).fill(line(1)));
  });

  it('of 100 lines gives 100 different keys, again and again', async () => {
    await write(0, lines(100));
    const read = keysOf(await new RouterReader(keys, 'B').read());
    expect(new Set(read).size).toBe(100);
    expect(read.slice(100, 200)).toEqual(read.slice(0, 100));
  });

  it('without a line never comes to an end', async () => {
    await write(0, []);
    const read = new RouterReader(keys, 'B').read().then(() => 'an end');
    const later = new Promise((resolve) => setTimeout(resolve, 50, 'none yet'));
    expect(await Promise.race([read, later])).toBe('none yet');
  });

  it('of 32 characters a line leaves half of all zero', async () => {
    await write(0, lines(4_096, 32));
    const lot = await new RouterReader(keys, 'B').read();
    expect(keysOf(lot)[0]).toBe(`${line(1, 32)}${'0'.repeat(32)}`);
  });

  it('of 128 characters a line is an exception', async () => {
    await write(0, lines(4_096, 128));
    await expect(new RouterReader(keys, 'B').read()).rejects.toThrow(RangeError);
  });

  it('that is missing stops it', async () => {
    await write(1, lines(4_096));
    await expect(new RouterReader(keys, 'B').read()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
