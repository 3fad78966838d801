import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FORMATS } from '../../../src/base/format.js';
import { main } from '../../../src/cli/main.js';
import { EXTENSIONS } from '../../../src/exchange/key-file-name.js';
import { recordingStreams } from '../../support/recording-streams.js';

async function formats(): Promise<string> {
  const streams = recordingStreams(['formats']);
  expect(await main(streams)).toBe(0);
  expect(streams.said.stderr()).toBe('');
  return streams.said.stdout();
}

/** The lines that are examples: they stand further to the right than all others. */
const examplesIn = (text: string): string[] =>
  text.split('\n').flatMap((line) => /^ {4}(.*)$/.exec(line)?.[1] ?? []);

test('each format is explained by an example, who reads it and its extension', async () => {
  const text = await formats();
  for (const format of FORMATS) {
    expect(text).toContain(`\n${format}: `);
    expect(text).toContain(`<first key ID>.${EXTENSIONS[format]}\n`);
  }
  for (const reader of ['WireGuard', 'strongSwan', 'OpenSSL', 'qkd-net']) expect(text).toContain(reader);
  expect(examplesIn(text)).toEqual([
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
    '00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f',
    '10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f',
    expect.stringMatching(/^\{"keys":\[\{"key_ID":".*","key":"AAEC.*="\}\]\}$/),
  ]);
});

test('docs/formats.md has the same examples and extensions', async () => {
  const page = await readFile(join(__dirname, '../../../docs/formats.md'), 'utf8');
  const fenced = [...page.matchAll(/```\n([^`]*)\n```/g)].flatMap(([, block = '']) => block.split('\n'));
  expect(fenced).toEqual(examplesIn(await formats()));
  for (const format of FORMATS)
    expect(page).toMatch(new RegExp(`\\| \`${format}\` +\\| \`${EXTENSIONS[format]}\``));
});
