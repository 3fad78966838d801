/** How a KME names the keys that it makes. */
import { uuid } from '../key-store.js';
import type { Dialect } from './dialect.js';

export const KEY_ID_DIALECTS: readonly Dialect[] = [
  {
    name: 'id-v8',
    topic: 'key ID',
    does: 'names keys by UUIDs of version 8',
    nameKey: (random) => uuid(random, 8),
  },
  {
    name: 'id-joined',
    topic: 'key ID',
    does: 'names keys by two UUIDs that are joined by +',
    nameKey: (random) => `${uuid(random)}+${uuid(random)}`,
  },
  {
    name: 'id-dashless',
    topic: 'key ID',
    does: 'names keys by UUIDs without dashes',
    nameKey: (random) => uuid(random).replaceAll('-', ''),
  },
  {
    name: 'id-mixed-case',
    topic: 'key ID',
    does: 'names keys by letters whose case matters',
    // In lower case it would be the ID of another key.
    nameKey: (random) => `Key${Buffer.from(random(16)).toString('base64url').replaceAll(/[-_]/g, 'Q')}`,
  },
];
