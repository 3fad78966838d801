/** Answers that deliver keys and never arrive. */
import type { Dialect, Wrap } from './dialect.js';
import { conducting, forKeyCalls } from './rewrite.js';

const cuttingOnce: Wrap = (next, kme) => {
  let first = true;
  return forKeyCalls((request) => {
    const reply = next(request);
    if (!first) return reply;
    first = false;
    return { ...reply, conduct: 'cutting' };
  })(next, kme);
};

export const LOST_ANSWER_DIALECTS: readonly Dialect[] = [
  {
    name: 'lost-once',
    topic: 'lost answer',
    does: 'delivers the first keys, removes them and cuts the connection; asking for them again fails',
    wrap: cuttingOnce,
  },
  {
    name: 'cuts',
    topic: 'lost answer',
    does: 'cuts the connection in the place of each answer with keys',
    wrap: conducting('cutting'),
  },
  {
    name: 'tears',
    topic: 'lost answer',
    does: 'cuts the connection in the middle of each body with keys',
    wrap: conducting('tearing'),
  },
  {
    name: 'hangs',
    topic: 'lost answer',
    does: 'takes requests for keys and never answers',
    wrap: conducting('silent'),
  },
  {
    name: 'stalls',
    topic: 'lost answer',
    does: 'sends half of each body with keys, then nothing more',
    wrap: conducting('stalling'),
  },
  {
    name: 'trickles',
    topic: 'lost answer',
    does: 'sends one byte of a body with keys every 250 ms',
    wrap: conducting('trickling'),
  },
];
