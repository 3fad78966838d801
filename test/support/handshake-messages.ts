/** Arbitrary legal messages. */
import fc from 'fast-check';
import { clean } from '../../src/base/errors.js';
import { isKeyId } from '../../src/base/key.js';
import { isSiteId } from '../../src/base/site.js';
import {
  COUNT_MAX,
  NAK_CODES,
  REASON_MAX,
  STATUS_MAX_IDS,
  type Message,
  type Want,
} from '../../src/handshake/message.js';

const ids = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const nonces = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(String);
const naturals = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const indices = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 });
const siteIds = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }),
  )
  .filter(isSiteId);
/** Half of them of characters that JSON must escape, or that have many bytes. */
const keyIds = fc
  .oneof(
    fc.uuid(),
    fc.string({
      unit: fc.constantFrom('"', '\\', '/', 'é', '€', '😀', ' ', 'a'),
      minLength: 1,
      maxLength: 64,
    }),
  )
  .filter(isKeyId);
const reasons = fc
  .string({ unit: 'grapheme', maxLength: REASON_MAX })
  .filter((text) => text.length <= REASON_MAX && clean(text, REASON_MAX) === text);
const idLists = fc.uniqueArray(ids, { maxLength: STATUS_MAX_IDS });

const sizes = { count: fc.integer({ min: 1, max: COUNT_MAX }), size: fc.integer({ min: 8, max: 1_048_576 }) };
const wants: fc.Arbitrary<Want> = fc.oneof(
  fc.record({ ...sizes, naming: fc.constant('index' as const), index: indices }),
  fc.record({ ...sizes, naming: fc.constant('key-id' as const) }),
);

const hellos = fc.record(
  {
    type: fc.constant('HELLO' as const),
    version: fc.integer({ min: 1, max: 1_000_000 }),
    site: siteIds,
    sae: siteIds,
    stateId: ids,
    alarms: naturals,
    want: wants,
  },
  { requiredKeys: ['type', 'version', 'site', 'sae', 'stateId', 'alarms'] },
);
const statuses = fc.record({
  type: fc.constant('STATUS' as const),
  stateId: ids,
  inDoubt: idLists,
  done: idLists,
  resolved: fc.array(fc.record({ id: ids, decision: fc.constantFrom('commit' as const, 'abort' as const) }), {
    maxLength: STATUS_MAX_IDS,
  }),
  more: fc.boolean(),
  foreign: naturals,
  alarms: naturals,
  nextIndex: naturals,
  ready: fc.boolean(),
  deadlineMs: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
});
const syns = fc.record({
  type: fc.constant('SYN' as const),
  id: ids,
  keyIds: fc.uniqueArray(keyIds, { minLength: 1, maxLength: 100 }),
  alpha: nonces,
});
const naks = fc.record(
  { type: fc.constant('NAK' as const), id: ids, code: fc.constantFrom(...NAK_CODES), reason: reasons },
  { requiredKeys: ['type', 'code', 'reason'] },
);
const words = fc.record({
  type: fc.constantFrom(
    'FIN' as const,
    'ABORT' as const,
    'ABORT_OK' as const,
    'END' as const,
    'END_OK' as const,
    'UNKNOWN' as const,
  ),
  id: ids,
});

export const messages: fc.Arbitrary<Message> = fc.oneof(
  hellos,
  statuses,
  syns,
  fc.record({ type: fc.constant('SYN_ACK' as const), id: ids, alpha: nonces, beta: nonces }),
  naks,
  fc.record({ type: fc.constant('ACK' as const), id: ids, beta: nonces }),
  words,
);
