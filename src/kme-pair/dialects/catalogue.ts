/**
 * All dialects, and the way in which users name some of them.
 *
 * Errors: `usage`, for a name that is none.
 */
import { QkdSyncError, clean } from '../../base/errors.js';
import { CONTAINER_DIALECTS } from './container.js';
import type { Dialect } from './dialect.js';
import { ERROR_BODY_DIALECTS } from './error-body.js';
import { HTTP_DIALECTS } from './http.js';
import { KEY_COUNT_DIALECTS } from './key-count.js';
import { KEY_ID_DIALECTS } from './key-id.js';
import { KEY_LENGTH_DIALECTS } from './key-length.js';
import { LOST_ANSWER_DIALECTS } from './lost-answer.js';
import { METHOD_DIALECTS } from './method.js';
import { ORDER_DIALECTS } from './order.js';
import { OUT_OF_KEYS_DIALECTS } from './out-of-keys.js';
import { REQUEST_DIALECTS } from './request.js';
import { SAE_DIALECTS } from './sae.js';
import { STATUS_DIALECTS } from './status.js';
import { TLS_DIALECTS } from './tls.js';
import { UNKNOWN_KEY_DIALECTS } from './unknown-key.js';
import { URL_DIALECTS } from './url.js';

/** The KME that is strict to the standard; it is no deviation and combines with none. */
export const STANDARD = 'standard';

/** In the order of their topics. */
export const DIALECTS: readonly Dialect[] = [
  ...REQUEST_DIALECTS,
  ...METHOD_DIALECTS,
  ...KEY_LENGTH_DIALECTS,
  ...KEY_ID_DIALECTS,
  ...KEY_COUNT_DIALECTS,
  ...ORDER_DIALECTS,
  ...CONTAINER_DIALECTS,
  ...OUT_OF_KEYS_DIALECTS,
  ...UNKNOWN_KEY_DIALECTS,
  ...LOST_ANSWER_DIALECTS,
  ...ERROR_BODY_DIALECTS,
  ...STATUS_DIALECTS,
  ...SAE_DIALECTS,
  ...TLS_DIALECTS,
  ...URL_DIALECTS,
  ...HTTP_DIALECTS,
];

/** `NAME` or `NAME+NAME`: each is put around those before it. None for `standard`. */
export function parseDialects(text: string): readonly Dialect[] {
  if (text === STANDARD) return [];
  return text.split('+').map((name) => {
    const dialect = DIALECTS.find((candidate) => candidate.name === name);
    if (dialect !== undefined) return dialect;
    throw new QkdSyncError('usage', `--dialect: there is no dialect ${clean(name, 64)}`, {
      hint: `choose among ${[STANDARD, ...DIALECTS.map((known) => known.name)].join(', ')}`,
    });
  });
}

/** `NAMES` or `NAMES,NAMES`: that of site A's KME and that of B's; one for both. */
export function parseDialectPair(text: string): readonly [readonly Dialect[], readonly Dialect[]] {
  const [a = STANDARD, b = a, ...rest] = text.split(',');
  if (rest.length > 0)
    throw new QkdSyncError('usage', `--dialect ${clean(text, 64)}: expected at most two, A's and B's`);
  return [parseDialects(a), parseDialects(b)];
}
