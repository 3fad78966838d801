import { describe, expect, test } from '@jest/globals';
import { isIPv6 } from 'node:net';
import { authority, isLoopback } from '../../../src/peer/address.js';

describe('isLoopback', () => {
  const at = (address: string): boolean => isLoopback({ address, family: isIPv6(address) ? 6 : 4 });

  test.each(['127.0.0.1', '127.255.0.9', '::1', '::1%lo', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])(
    '%s stays here',
    (address) => {
      expect(at(address)).toBe(true);
    },
  );

  test.each(['0.0.0.0', '128.0.0.1', '192.0.2.1', '::', '::2', 'fe80::1%eth0', '::ffff:192.0.2.1'])(
    '%s does not',
    (address) => {
      expect(at(address)).toBe(false);
    },
  );
});

test('authority brackets IPv6 and shows IPv4 as itself', () => {
  expect(authority('b.example', 7000)).toBe('b.example:7000');
  expect(authority('::1', 7000)).toBe('[::1]:7000');
  expect(authority('::ffff:127.0.0.1', 7000)).toBe('127.0.0.1:7000');
});
