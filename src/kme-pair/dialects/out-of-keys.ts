/** A KME that has no key, for ever or for a while. */
import type { ApiAnswer } from '../api.js';
import type { Dialect, Wrap } from './dialect.js';
import { forCall, saying } from './rewrite.js';

/** How many requests are turned down before there are keys. */
const TURNED_DOWN = 2;

interface Refusal {
  /** The end of the dialect's name. */
  readonly as: string;
  readonly does: string;
  readonly reply: ApiAnswer;
}

const REFUSALS: readonly Refusal[] = [
  { as: '503', does: '503', reply: saying(503, 'not enough keys, try again later') },
  { as: '400', does: '400 ("depleted")', reply: saying(400, 'key pool depleted, try again later') },
  { as: '404', does: '404', reply: saying(404, 'no key available') },
  { as: 'empty', does: '200 and keys: []', reply: { status: 200, body: { keys: [] } } },
];

/** Keys come once `TURNED_DOWN` requests for them have been turned down. */
function atFirst(reply: ApiAnswer): Wrap {
  return (next, kme) => {
    let left = TURNED_DOWN;
    return forCall('enc_keys', (request) => {
      left -= 1;
      return left < 0 ? next(request) : reply;
    })(next, kme);
  };
}

export const OUT_OF_KEYS_DIALECTS: readonly Dialect[] = [
  ...REFUSALS.map(({ as, does, reply }): Dialect => ({
    name: `dry-${as}`,
    topic: 'out of keys',
    does: `is out of keys, and answers enc_keys with ${does}`,
    wrap: forCall('enc_keys', () => reply),
  })),
  ...REFUSALS.map(({ as, does, reply }): Dialect => ({
    name: `refilling-${as}`,
    topic: 'out of keys',
    does: `answers the first ${TURNED_DOWN} enc_keys with ${does}, then has keys again`,
    wrap: atFirst(reply),
  })),
  {
    name: 'retry-after',
    topic: 'out of keys',
    does: `answers the first ${TURNED_DOWN} enc_keys with 503 and Retry-After: 1`,
    wrap: atFirst({ ...saying(503, 'busy'), headers: { 'retry-after': '1' } }),
  },
];
