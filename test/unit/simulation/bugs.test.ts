/** Each bug that the simulator plants still finds the code that it is to spoil. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { BUGS } from '../../simulation/bugs/all.js';

const ROOT = join(__dirname, '../../..');

test('names are told apart', () => {
  expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
});

test.each(BUGS)('$name', async ({ changes, shield }) => {
  for (const { file, find, replace } of [...changes, ...(shield?.changes ?? [])]) {
    const text = await readFile(join(ROOT, file), 'utf8');
    expect({ file, occurrences: text.split(find).length - 1 }).toEqual({ file, occurrences: 1 });
    expect(replace).not.toBe(find);
  }
});
