/** A KME that does not find the keys that it is asked for: never, or not yet. */
import type { ApiAnswer } from '../api.js';
import type { Dialect, Wrap } from './dialect.js';
import { forCall, saying } from './rewrite.js';

/** How many dec_keys come too early for a KME that lags behind the other. */
const TOO_EARLY = 2;

const STATUSES = [400, 401, 404, 422, 500, 503] as const;

const REFUSALS: readonly { readonly as: string; readonly does: string; readonly reply: ApiAnswer }[] = [
  ...STATUSES.map((status) => ({
    as: String(status),
    does: String(status),
    reply: saying(status, 'key not found'),
  })),
  { as: 'empty', does: '200 and keys: []', reply: { status: 200, body: { keys: [] } } },
];

function lagging(reply: ApiAnswer): Wrap {
  return (next, kme) => {
    let early = TOO_EARLY;
    return forCall('dec_keys', (request) => {
      early -= 1;
      return early < 0 ? next(request) : reply;
    })(next, kme);
  };
}

export const UNKNOWN_KEY_DIALECTS: readonly Dialect[] = [
  ...REFUSALS.map(({ as, does, reply }): Dialect => ({
    name: `unknown-${as}`,
    topic: 'unknown key',
    does: `knows none of the keys that dec_keys asks for, and answers with ${does}`,
    wrap: forCall('dec_keys', () => reply),
  })),
  ...REFUSALS.map(({ as, does, reply }): Dialect => ({
    name: `late-${as}`,
    topic: 'unknown key',
    does: `is behind the other KME: answers the first ${TOO_EARLY} dec_keys with ${does}`,
    wrap: lagging(reply),
  })),
];
