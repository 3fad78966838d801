/** The key container and what is around the keys in it. */
import type { Dialect } from './dialect.js';
import { forKeyCalls, rewritingKeys } from './rewrite.js';

export const CONTAINER_DIALECTS: readonly Dialect[] = [
  {
    name: 'keys-object',
    topic: 'container',
    does: 'delivers one key a request, with an object as keys instead of an array',
    limits: { maxKeyPerRequest: 1 },
    wrap: rewritingKeys(([key]) => ({ keys: key })),
  },
  {
    name: 'null-extensions',
    topic: 'container',
    does: 'fills every extension field with null',
    wrap: rewritingKeys((keys) => ({
      keys: keys.map((key) => ({ key_ID_extension: null, ...key, key_extension: null })),
      key_container_extension: null,
    })),
  },
  {
    name: 'unknown-fields',
    topic: 'container',
    does: 'adds fields that no standard knows',
    wrap: rewritingKeys((keys) => ({
      vendor: { model: 'x', firmware: [1, 2] },
      keys: keys.map((key) => ({ ...key, size: 256, created: '2026-01-01T00:00:00Z' })),
    })),
  },
  {
    name: 'malformed-json',
    topic: 'container',
    does: 'breaks its JSON off in the middle, with 200',
    wrap: forKeyCalls((request, next) => {
      const reply = next(request);
      const text = JSON.stringify(reply.body);
      return { ...reply, body: text.slice(0, Math.floor(text.length / 2)) };
    }),
  },
  {
    name: 'html-200',
    topic: 'container',
    does: 'delivers the keys, but a proxy puts its own page in their place, with 200',
    wrap: forKeyCalls((request, next) => ({
      ...next(request),
      status: 200,
      body: '<!doctype html><title>Sign in</title><p>Please sign in.</p>',
      headers: { 'content-type': 'text/html' },
    })),
  },
];
