/** What a KME is that speaks some dialects: its logic with their deviations around it, and how it takes connections. */
import type { Api } from '../api.js';
import { answer, type ServedKme } from '../etsi-014.js';
import { STANDARD_TRANSPORT, type Transport } from '../transport.js';
import type { Dialect } from './dialect.js';

export interface Manner {
  readonly api: Api;
  /** The path before the API's own; empty where there is none. */
  readonly prefix: string;
  readonly transport: Transport;
}

/** Each dialect is put around those before it. */
export function mannerOf(dialects: readonly Dialect[], standard: ServedKme): Manner {
  const kme = dialects.reduce<ServedKme>(
    (so, { limits, nameKey = so.nameKey }) => ({ ...so, limits: { ...so.limits, ...limits }, nameKey }),
    standard,
  );
  const strict: Api = (request) => answer(kme, request);
  return {
    api: dialects.reduce((next, { wrap }) => wrap?.(next, kme) ?? next, strict),
    prefix: dialects.map(({ prefix = '' }) => prefix).join(''),
    transport: dialects.reduce((so, { transport }) => ({ ...so, ...transport }), STANDARD_TRANSPORT),
  };
}
