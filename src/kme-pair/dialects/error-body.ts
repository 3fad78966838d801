/** What a KME says with a no. Combine with a dialect that says one, as in `dry-503+error-html`. */
import type { ApiAnswer } from '../api.js';
import type { Dialect } from './dialect.js';

function error(
  name: string,
  does: string,
  body: object | string,
  headers: NonNullable<ApiAnswer['headers']> = {},
): Dialect {
  return {
    name,
    topic: 'error body',
    does,
    wrap: (next) => (request) => {
      const reply = next(request);
      return reply.status < 400 ? reply : { ...reply, body, headers: { ...reply.headers, ...headers } };
    },
  };
}

const MESSAGE = 'no key for you now';

export const ERROR_BODY_DIALECTS: readonly Dialect[] = [
  error('error-message', 'explains its errors as message, with nothing else', { message: MESSAGE }),
  error('error-detail', 'explains its errors as detail, a string', { detail: MESSAGE }),
  error('error-detail-list', 'explains its errors as detail, an array of what is wrong where', {
    detail: [{ loc: ['body', 'number'], msg: MESSAGE, type: 'value_error' }],
  }),
  error('error-details-object', 'explains its errors as details, an object', {
    message: 'error',
    details: { reason: MESSAGE, retry: true },
  }),
  error(
    'error-html',
    'explains its errors as an HTML page',
    `<html><body><h1>${MESSAGE}</h1></body></html>`,
    {
      'content-type': 'text/html',
    },
  ),
  error('error-text', 'explains its errors as plain text', MESSAGE, { 'content-type': 'text/plain' }),
  error('error-empty', 'explains nothing: its errors have no body', ''),
  error(
    'error-untyped',
    'sends its errors without Content-Type',
    { message: MESSAGE },
    { 'content-type': undefined },
  ),
  error(
    'error-mistyped',
    'sends its errors as JSON that calls itself HTML',
    { message: MESSAGE },
    {
      'content-type': 'text/html',
    },
  ),
];
