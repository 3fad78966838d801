/** HTTP as some speak it. */
import type { Conduct } from '../api.js';
import type { Dialect } from './dialect.js';
import { conducting } from './rewrite.js';

function always(name: string, does: string, conduct: Conduct): Dialect {
  return {
    name,
    topic: 'HTTP',
    does,
    wrap: (next) => (request) => ({ ...next(request), conduct }),
  };
}

export const HTTP_DIALECTS: readonly Dialect[] = [
  always('closes', 'closes the connection after each answer', 'closing'),
  always('slow', 'takes 200 ms to send an answer, in four pieces', 'slow'),
  always('dead', 'takes connections and requests of every kind and never answers', 'silent'),
  {
    name: 'continues',
    topic: 'HTTP',
    does: 'sends 100 Continue before the answer to a POST, though nobody asked for it',
    wrap: (next) => (request) => {
      const answer = next(request);
      return request.method === 'POST' ? { ...answer, conduct: 'continuing' } : answer;
    },
  },
  {
    name: 'floods-headers',
    topic: 'HTTP',
    does: 'sends headers without end in the place of keys',
    wrap: conducting('flooding-headers'),
  },
  {
    name: 'floods-body',
    topic: 'HTTP',
    does: 'sends a body without end in the place of keys',
    wrap: conducting('flooding-body'),
  },
];
