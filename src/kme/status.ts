/**
 * The status of ETSI GS QKD 014 (section 6.1): advice worth showing, never a condition.
 *
 * Errors: QkdSyncError `kme-answer` where the body is no JSON object. A field that is missing or of another type than
 * the standard's is left out: KMEs in the field omit many of them.
 */
import { QkdSyncError } from '../base/errors.js';
import { statusCount } from './dialect.js';
import { parseObject } from './json.js';
import type { KmeStatus } from './kme.js';
import { describeAnswer } from './malformed.js';

const FIELDS = {
  storedKeyCount: 'stored_key_count',
  maxKeyCount: 'max_key_count',
  maxKeyPerRequest: 'max_key_per_request',
  keySize: 'key_size',
  minKeySize: 'min_key_size',
  maxKeySize: 'max_key_size',
} as const satisfies Record<keyof KmeStatus, string>;

/** The status in the body of a 200 answer. */
export function readStatus(body: Uint8Array): KmeStatus {
  const answer = parseObject(body);
  if (answer === undefined) {
    const looks = describeAnswer(body);
    throw new QkdSyncError('kme-answer', `the KME's status is unusable: it is not a JSON object; ${looks}`);
  }
  const known = Object.entries(FIELDS).map(([field, name]) => [field, statusCount(answer, name)] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}
