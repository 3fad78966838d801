import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { KeyWatch } from '../../support/key-watch.js';

const KEY = Buffer.from('9f3c'.repeat(16), 'hex');

function leaksOf(text: string | Buffer): string[] {
  const watch = new KeyWatch();
  watch.addKey(KEY);
  watch.addText('somewhere', 'nothing here');
  watch.addText('stderr', text);
  return watch.leaks();
}

it.each<[string, string | Buffer]>([
  ['hex', `key ${KEY.toString('hex')}\n`],
  ['HEX', KEY.toString('hex').toUpperCase()],
  ['base64', `"${KEY.toString('base64')}"`],
  ['base64', Buffer.concat([KEY, Buffer.from('more')]).toString('base64')],
  ['base64url', KEY.toString('base64url')],
  ['raw', Buffer.concat([Buffer.from('x'), KEY, Buffer.from('y')])],
  ['raw as text', KEY.toString('utf8')],
  ['decimal', JSON.stringify([...KEY])],
])('finds a key in %s', (form, text) => {
  expect(leaksOf(text)).toContain(`stderr: ${form}`);
});

it('finds nothing where there is nothing', () => {
  expect(leaksOf(KEY.subarray(1).toString('hex'))).toEqual([]);
});

it('takes what a source of randomness makes for keys, but for key IDs', () => {
  const watch = new KeyWatch();
  const random = watch.watching((count) => randomBytes(count));
  const [key, keyId] = [random(32), random(16)];
  watch.addText('stdout', Buffer.from(key).toString('hex'));
  watch.addText('stderr', Buffer.from(keyId).toString('hex'));
  expect(watch.leaks()).toEqual(['stdout: hex']);
});
