import { describe, expect, it } from '@jest/globals';
import { certificateName, dialAddress, duration, file, integer } from '../../../src/config/shape.js';
import {
  extensions,
  kmeUrls,
  listenAddress,
  oneOf,
  peerOrHost,
  quote,
  siteId,
} from '../../../src/config/shape.js';
import { trueOrFalse } from '../../../src/config/shape.js';
import type { Shape } from '../../../src/config/shape.js';

const PLACE = { folder: '/etc/qkd-sync', home: '/home/q' };

const CASES: readonly (readonly [
  string,
  Shape<unknown>,
  readonly (readonly [string, unknown])[],
  readonly string[],
])[] = [
  [
    'true or false',
    trueOrFalse,
    [
      ['true', true],
      ['false', false],
    ],
    ['yes', 'True', '1', ''],
  ],
  ['post or get', oneOf('post', 'get'), [['get', 'get']], ['GET', 'put', '']],
  ['hex (nothing else yet)', oneOf('hex'), [['hex', 'hex']], ['raw']],
  [
    'an integer from 1 to 65536',
    integer(1, 65_536),
    [
      ['1', 1],
      ['65536', 65_536],
    ],
    ['0', '65537', '1.5', '-1', '0x10', '1e3', ' 1', ''],
  ],
  [
    'a multiple of 8 from 64 to 4096',
    integer(64, 4_096, 8),
    [
      ['64', 64],
      ['4096', 4_096],
    ],
    ['56', '65', '4104'],
  ],
  [
    'a duration such as 10s, from 1ms to 1h',
    duration('1ms', '1h'),
    [
      ['1ms', 1],
      ['1h', 3_600_000],
      ['1.5s', 1_500],
    ],
    ['10', '0s', '61m', '1d', '-1s', ''],
  ],
  [
    'the name of a file',
    file,
    [
      ['a.pem', '/etc/qkd-sync/a.pem'],
      ['../a.pem', '/etc/a.pem'],
      ['/x/./a.pem', '/x/a.pem'],
      ['~/a.pem', '/home/q/a.pem'],
      ['~', '/home/q'],
      ['~other/a.pem', '/etc/qkd-sync/~other/a.pem'],
    ],
    ['', 'a\0b', 'a\nb'],
  ],
  [siteId.expected, siteId, [['Site 1', 'Site 1']], ['', ' A', 'A\n', 'x'.repeat(65)]],
  [certificateName.expected, certificateName, [['QKD site A', 'QKD site A']], ['', 'x'.repeat(65)]],
  [peerOrHost.expected, peerOrHost, [['B:7000', 'B:7000']], ['']],
  [dialAddress.expected, dialAddress, [['b:1', { host: 'b', port: 1 }]], ['b:0']],
  [listenAddress.expected, listenAddress, [['7000', { port: 7_000 }]], ['b']],
  [
    kmeUrls.expected,
    kmeUrls,
    [
      ['https://kme-a.example:8443/prefix/', ['https://kme-a.example:8443/prefix/']],
      ['http://[::1]:1', ['http://[::1]:1']],
      ['http://kme-a.example', ['http://kme-a.example']],
      ['https://a, https://b/p', ['https://a', 'https://b/p']],
    ],
    [
      'https://a,',
      'https://a,https://a',
      'https://a https://b',
      Array.from({ length: 17 }, (_, at) => `https://kme-${at}`).join(),
      'ftp://localhost',
      'https:kme-a',
      'kme-a.example:8443',
      'https://u@kme-a.example',
      'https://:p@kme-a.example',
      'https://kme-a.example/?a=b',
      'https://kme-a.example/#a',
      'https://',
      '',
    ],
  ],
  [
    extensions.expected,
    extensions,
    [['[{"a":1},{"b":{"c":null}}]', [{ a: 1 }, { b: { c: null } }]]],
    ['', '{}', '{"a":1}', '[]', '[1]', '[null]', '[[]]', '[{}]', '[{"a":1}', 'a=1'],
  ],
];

describe.each(CASES)('%s', (expected, shape, good, bad) => {
  it('says what it expects', () => {
    expect(shape.expected).toBe(expected);
  });

  it.each(good)('reads "%s"', (text, value) => {
    expect(shape.parse(text, PLACE)).toEqual(value);
  });

  it.each(bad)('refuses "%s"', (text) => {
    expect(shape.parse(text, PLACE)).toBeUndefined();
  });
});

describe('what a message shows of a value', () => {
  it.each([
    ['', 'empty'],
    ['10', '"10"'],
    ['a\nb\u001b', '"a\\nb\\u001b"'],
    ['-----BEGIN PRIVATE KEY-----\nsecret', 'PEM text (not shown)'],
    ['https://user:secret@kme', 'a URL with a user name (not shown)'],
    ['x'.repeat(100), `"${'x'.repeat(78)}…"`],
  ])('is, for %j, %s', (text, shown) => {
    expect(quote(text)).toBe(shown);
  });
});
