import { describe, expect, it } from '@jest/globals';
import type { Random } from '../../../src/base/random.js';
import { KeyStore } from '../../../src/kme-pair/key-store.js';

/** Each call has other bytes than the one before: all 1, all 2, … */
const counting = (): Random => {
  let calls = 0;
  return (count) => new Uint8Array(count).fill((calls += 1));
};
const PAIR = { masterSae: 'm', slaveSae: 's' };

describe('KeyStore', () => {
  it('takes IDs and keys from the randomness that it is given', () => {
    const [key] = new KeyStore({ random: counting(), maxKeyCount: 1 }).make(PAIR, 1, 64) ?? [];
    expect(key?.keyId).toBe('01010101-0101-4101-8101-010101010101');
    expect(key?.secret.reveal()).toEqual(new Uint8Array(8).fill(2));
  });

  it('makes no key where there are not enough, by the stock or by those that wait', () => {
    const store = new KeyStore({ random: counting(), maxKeyCount: 3, stock: 4 });
    expect(store.make(PAIR, 4, 64)).toBeUndefined();
    expect(store.available(PAIR)).toBe(3);
    expect(store.make(PAIR, 3, 64)).toHaveLength(3);
    expect(store.available(PAIR)).toBe(0);
    const other = { masterSae: 's', slaveSae: 'm' };
    expect(store.available(other)).toBe(1);
    expect(store.make(other, 2, 64)).toBeUndefined();
    expect(store.make(other, 1, 64)).toHaveLength(1);
    expect(store.available(other)).toBe(0);
  });

  it('counts again what was taken or discarded', () => {
    const store = new KeyStore({ random: counting(), maxKeyCount: 3 });
    const other = { masterSae: 's', slaveSae: 'm' };
    const [first, second] = store.make(PAIR, 2, 64) ?? [];
    store.make(other, 1, 64);
    store.take(PAIR, [first?.keyId ?? '']);
    expect([store.available(PAIR), store.available(other)]).toEqual([2, 2]);
    store.take(PAIR, [first?.keyId ?? '']);
    expect(store.available(PAIR)).toBe(2);
    store.discard(PAIR);
    expect([store.available(PAIR), store.available(other)]).toEqual([3, 2]);
    expect(second?.secret.reveal()).toEqual(new Uint8Array(8));
    expect(store.take(PAIR, [second?.keyId ?? ''])).toMatchObject({ outcome: 'unknown' });
  });

  it('overwrites what is left when it is cleared', () => {
    const store = new KeyStore({ random: counting(), maxKeyCount: 1 });
    const [key] = store.make(PAIR, 1, 64) ?? [];
    store.clear();
    expect(key?.secret.reveal()).toEqual(new Uint8Array(8));
    expect(store.take(PAIR, [key?.keyId ?? ''])).toMatchObject({ outcome: 'unknown' });
  });
});
