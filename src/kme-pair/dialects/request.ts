/** What a KME takes for a request. */
import type { ApiRequest } from '../api.js';
import type { Dialect } from './dialect.js';
import { fieldsOf, forCall, forKeyCalls, posting, saying } from './rewrite.js';

/** Strict about types, as frameworks are that validate a request before the KME sees it. */
function strictTypes(name: string, status: number, message: string): Dialect {
  return {
    name,
    topic: 'request',
    does: `answers a number or size that is null or a string with ${status}`,
    wrap: forCall('enc_keys', (request, next) => {
      const { number = 1, size = 1 } = fieldsOf(request);
      return Number.isInteger(number) && Number.isInteger(size) ? next(request) : saying(status, message);
    }),
  };
}

export const REQUEST_DIALECTS: readonly Dialect[] = [
  strictTypes('strict-422', 422, 'value is not a valid integer'),
  strictTypes('strict-500', 500, 'internal server error'),
  {
    name: 'needs-both',
    topic: 'request',
    does: 'answers a POST without both number and size with 400',
    wrap: forCall('enc_keys', (request, next) => {
      const { number, size } = fieldsOf(request);
      const lacks = request.method === 'POST' && (number === undefined || size === undefined);
      return lacks ? saying(400, 'number and size are required') : next(request);
    }),
  },
  {
    name: 'no-extras',
    topic: 'request',
    does: 'answers every parameter but number, size and key_IDs with 400',
    wrap: forKeyCalls((request, next) => {
      const known = ['number', 'size', 'key_IDs'];
      const extra = Object.keys(fieldsOf(request)).some((name) => !known.includes(name));
      return extra ? saying(400, 'unknown parameter') : next(request);
    }),
  },
  {
    name: 'get-ignores-size',
    topic: 'request',
    does: 'answers a GET of enc_keys with one key of 4 bytes, whatever number and size say',
    limits: { minKeySize: 32 },
    wrap: forCall('enc_keys', (request, next) =>
      next(request.method === 'GET' ? posting(request, { number: 1, size: 32 }) : request),
    ),
  },
  {
    name: 'needs-body',
    topic: 'request',
    does: 'answers a POST without a body or without Content-Type: application/json with 415',
    wrap: forKeyCalls((request, next) =>
      isBare(request) ? saying(415, 'unsupported media type') : next(request),
    ),
  },
  {
    name: 'plain-ids-500',
    topic: 'request',
    does: 'fails with 500 where key_IDs are plain strings instead of objects',
    wrap: forCall('dec_keys', (request, next) => {
      const { key_IDs: list } = fieldsOf(request);
      const plain = Array.isArray(list) && list.some((entry) => typeof entry === 'string');
      return plain ? saying(500, 'internal server error') : next(request);
    }),
  },
];

function isBare({ method, contentType, body }: ApiRequest): boolean {
  return method === 'POST' && (body.byteLength === 0 || contentType !== 'application/json');
}
