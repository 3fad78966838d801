/** Which HTTP methods a KME takes for the calls that deliver keys. */
import type { ApiCall } from '../api.js';
import type { Dialect } from './dialect.js';
import { callOf, forKeyCalls, saying } from './rewrite.js';

function only(name: string, does: string, methods: Readonly<Partial<Record<ApiCall, string>>>): Dialect {
  return {
    name,
    topic: 'method',
    does,
    wrap: forKeyCalls((request, next) => {
      const allow = methods[callOf(request) ?? 'status'];
      if (allow === undefined || request.method === allow) return next(request);
      return { ...saying(405, 'method not allowed'), headers: { allow } };
    }),
  };
}

export const METHOD_DIALECTS: readonly Dialect[] = [
  only('get-only', 'takes GET only: 405 for a POST', { enc_keys: 'GET', dec_keys: 'GET' }),
  only('post-only', 'takes POST only: 405 for a GET of keys', { enc_keys: 'POST', dec_keys: 'POST' }),
  only('get-enc-post-dec', 'takes GET for enc_keys and POST for dec_keys: 405 for the others', {
    enc_keys: 'GET',
    dec_keys: 'POST',
  }),
];
