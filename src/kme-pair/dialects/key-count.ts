/** How many keys come with one request. */
import type { ApiRequest } from '../api.js';
import type { Dialect } from './dialect.js';
import { encPairOf, fieldsOf, forCall, forKeyCalls, posting, saying } from './rewrite.js';

export const KEY_COUNT_DIALECTS: readonly Dialect[] = [
  {
    name: 'one-a-request',
    topic: 'number of keys',
    does: 'delivers at most one key a request and says so in its status: 400 for more',
    limits: { maxKeyPerRequest: 1 },
  },
  {
    name: 'one-a-request-unsaid',
    topic: 'number of keys',
    does: 'delivers at most one key a request, though its status promises more: 400 for more',
    wrap: forKeyCalls((request, next) =>
      countOf(request) > 1 ? saying(400, 'one key a request') : next(request),
    ),
  },
  {
    name: 'fewer',
    topic: 'number of keys',
    does: 'delivers one key with 200 where several were asked for, and keeps the others',
    wrap: forKeyCalls((request, next) => {
      const { number, size, key_IDs: list } = fieldsOf(request);
      if (Array.isArray(list)) return next(posting(request, { key_IDs: list.slice(0, 1) }));
      return typeof number === 'number' ? next(posting(request, { number: 1, size })) : next(request);
    }),
  },
  {
    name: 'discards-earlier',
    topic: 'number of keys',
    does: 'discards the earlier keys of the two SAEs that nobody has fetched when new ones are asked for',
    wrap: forCall('enc_keys', (request, next, { store }) => {
      const pair = encPairOf(request);
      if (pair !== undefined) store.discard(pair);
      return next(request);
    }),
  },
];

/** How many keys are asked for; a GET of dec_keys knows one only. */
function countOf(request: ApiRequest): number {
  const { number, key_IDs: list } = fieldsOf(request);
  if (Array.isArray(list)) return list.length;
  return Number(number ?? new URLSearchParams(request.target.replace(/^[^?]*/, '')).get('number') ?? 1);
}
