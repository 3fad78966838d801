/** Which keys dec_keys delivers, and in which order. */
import type { Dialect } from './dialect.js';
import { rewritingDecKeys, type KeyEntry } from './rewrite.js';

function ordering(name: string, does: string, change: (keys: readonly KeyEntry[]) => object): Dialect {
  return { name, topic: 'order', does, wrap: rewritingDecKeys(change) };
}

export const ORDER_DIALECTS: readonly Dialect[] = [
  ordering('store-order', "answers dec_keys in its store's order, here by key_ID", (keys) => ({
    keys: keys.toSorted((one, other) => (one.key_ID < other.key_ID ? -1 : 1)),
  })),
  ordering('reverse-order', 'answers dec_keys in the reverse of the order asked for', (keys) => ({
    keys: keys.toReversed(),
  })),
  ordering('missing-key', 'leaves the last key out of the answer to dec_keys and keeps no copy', (keys) => ({
    keys: keys.slice(0, -1),
  })),
  ordering('duplicate-key', 'repeats the first key in the place of the last in dec_keys', (keys) => ({
    keys: [...keys.slice(0, -1), ...keys.slice(0, 1)],
  })),
  ordering('foreign-key', 'gives the last key of dec_keys an ID that nobody asked for', (keys) => ({
    keys: keys.map((key, at) =>
      at === keys.length - 1 ? { ...key, key_ID: '00000000-0000-4000-8000-000000000000' } : key,
    ),
  })),
];
