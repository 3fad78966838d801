import { describe, expect, test } from '@jest/globals';
import { pskCredential, pskIdentity } from '../../../src/peer/credentials.js';
import { PskTable } from '../../../src/peer/psk-table.js';
import { newPsk } from '../../support/site-channel.js';

test('the identity names both sites, in the direction of the exchange', () => {
  expect(pskIdentity('A', 'B')).toBe('qkd-sync.v1|A|B');
});

describe('pskCredential', () => {
  test.each([31, 513])('refuses a key of %i bytes, and says where it is configured', (bytes) => {
    expect(() => pskCredential({ site: 'B', name: 'B', psk: newPsk(bytes) }, 'A', 'B')).toThrow(
      expect.objectContaining({ code: 'config', hint: expect.stringContaining('peers.B.pskFile') }),
    );
  });

  test('refuses an identity that OpenSSL would cut', () => {
    const [a, b] = ['é'.repeat(61), 'ü'.repeat(61)];
    expect(() => pskCredential({ site: b, name: b, psk: newPsk() }, a, b)).toThrow(
      expect.objectContaining({ code: 'config' }),
    );
  });

  test('has nothing for a peer without a key', () => {
    expect(pskCredential({ site: 'B', name: 'B' }, 'A', 'B')).toBeUndefined();
  });
});

describe('PskTable', () => {
  const psk = newPsk();
  const table = new PskTable('B', [
    { site: 'A', name: 'A', psk },
    { site: 'C', name: 'C', psk: newPsk() },
    { site: 'D', name: 'D' },
  ]);

  test('finds the dialling peer by its identity', () => {
    expect(table.size).toBe(2);
    expect(table.find('qkd-sync.v1|A|B')).toMatchObject({ peer: { site: 'A' }, psk: psk.reveal() });
  });

  test.each(['qkd-sync.v1|B|A', 'qkd-sync.v1|D|B', 'qkd-sync.v1|A|B ', 'qkd-sync.v1|a|B', ''])(
    'finds nobody for %j',
    (identity) => {
      expect(table.find(identity)).toBeUndefined();
    },
  );
});
