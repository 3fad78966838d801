import { describe, expect, it } from '@jest/globals';
import { isHostName, parseDialAddress, parseListenAddress, splitPeer } from '../../../src/config/address.js';

describe('an address to dial', () => {
  it.each([
    ['b.example', { host: 'b.example' }],
    ['b.example:7001', { host: 'b.example', port: 7001 }],
    ['192.0.2.1:1', { host: '192.0.2.1', port: 1 }],
    ['[::1]', { host: '::1' }],
    ['[2001:db8::1]:65535', { host: '2001:db8::1', port: 65_535 }],
  ])('reads %s', (text, address) => {
    expect(parseDialAddress(text)).toEqual(address);
  });

  it.each([
    '',
    ':7000',
    'b:0',
    'b:65536',
    'b:x',
    'b:',
    '::1',
    '2001:db8::1',
    '[b]:7000',
    '[::1',
    'a b',
    '-b',
    'a..b',
  ])('refuses "%s"', (text) => {
    expect(parseDialAddress(text)).toBeUndefined();
  });
});

describe('an address to listen on', () => {
  it.each([
    ['7000', { port: 7000 }],
    ['0', { port: 0 }],
    ['127.0.0.1:7000', { host: '127.0.0.1', port: 7000 }],
    ['[::]:0', { host: '::', port: 0 }],
  ])('reads %s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  it.each(['', 'localhost', ':7000', '65536', '-1', '7000:', '::1:7000', '[::1]'])('refuses "%s"', (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });
});

describe('a peer with a port', () => {
  it.each([
    ['B', { name: 'B' }],
    ['B:7001', { name: 'B', port: 7001 }],
    ['site one:7001', { name: 'site one', port: 7001 }],
    ['B:99999', { name: 'B:99999' }],
  ])('splits %s', (text, parts) => {
    expect(splitPeer(text)).toEqual(parts);
  });
});

it('takes no host name beyond 253 characters', () => {
  const longest = `${'a'.repeat(50)}.`.repeat(4) + 'b'.repeat(49);
  expect(longest).toHaveLength(253);
  expect(isHostName(longest)).toBe(true);
  expect(isHostName(`${longest}b`)).toBe(false);
});
