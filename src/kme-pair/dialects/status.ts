/** What a KME says of itself: advice at best. */
import type { ApiAnswer } from '../api.js';
import type { Dialect } from './dialect.js';
import { forCall, saying } from './rewrite.js';

function status(name: string, does: string, change: (reply: ApiAnswer) => ApiAnswer): Dialect {
  return { name, topic: 'status', does, wrap: forCall('status', (request, next) => change(next(request))) };
}

/** Changes each field of the status. */
function fields(change: (name: string, value: unknown) => readonly [string, unknown]) {
  return (reply: ApiAnswer): ApiAnswer => ({
    ...reply,
    body: Object.fromEntries(Object.entries(reply.body).map(([name, value]) => change(name, value))),
  });
}

export const STATUS_DIALECTS: readonly Dialect[] = [
  status(
    'status-zeros',
    'says 0 for every number of its status',
    fields((name, value) => [name, typeof value === 'number' ? 0 : value]),
  ),
  status('status-bare', 'leaves every field out of its status', (reply) => ({ ...reply, body: {} })),
  status(
    'status-lower-case',
    'spells the names of its status in lower case',
    fields((name, value) => [name.toLowerCase(), value]),
  ),
  status('status-500', 'fails with 500 when asked for its status', () =>
    saying(500, 'internal server error'),
  ),
  status('status-404', 'has no status', () => saying(404, 'not found')),
  status('status-for-all', 'answers the status of SAEs that it does not know with 200', (reply) =>
    reply.status === 200 ? reply : { status: 200, body: { stored_key_count: 0, key_size: 256 } },
  ),
];
