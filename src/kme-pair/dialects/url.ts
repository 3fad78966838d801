/** Where a KME's methods are. */
import type { Dialect } from './dialect.js';
import { forKeyCalls } from './rewrite.js';

export const URL_DIALECTS: readonly Dialect[] = [
  {
    name: 'path-prefix',
    topic: 'URL',
    does: 'has its methods below /consumer',
    prefix: '/consumer',
  },
  {
    name: 'redirects',
    topic: 'URL',
    does: 'redirects requests for keys to plain http',
    wrap: forKeyCalls(({ target }) => ({
      status: 307,
      body: '',
      headers: { location: `http://127.0.0.1:8080${target}` },
    })),
  },
];
