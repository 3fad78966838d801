/**
 * Keys that a KME has handed out, or may have, and that nobody will use: said each time and by ID where that is known,
 * so that the keys drawn are those used and those that the log calls lost.
 */
import { clean } from '../base/errors.js';
import type { Key, KeyId } from '../base/key.js';
import type { Log } from '../base/log.js';

export interface LostKeys {
  readonly call: 'enc_keys' | 'dec_keys';
  readonly keys: number;
  /** Where they are known. */
  readonly keyIds?: readonly KeyId[] | undefined;
  /** Nobody knows whether the KME handed them out. */
  readonly perhaps?: boolean;
  readonly why: string;
}

export function sayLost(log: Log, { call, keys, keyIds, perhaps = false, why }: LostKeys): void {
  if (keys === 0) return;
  const count = keys === 1 ? '1 key' : `${keys} keys`;
  const message = `${count} of ${call} ${perhaps ? 'perhaps lost' : 'lost'}: ${clean(why)}`;
  log('warn', 'keys-lost', message, { call, keys, perhaps, keyIds });
}

/** Overwrites keys that will not be used, and says so. */
export function loseKeys(log: Log, call: LostKeys['call'], keys: readonly Key[], why: string): void {
  for (const { secret } of keys) secret.wipe();
  sayLost(log, { call, keys: keys.length, keyIds: keys.map(({ keyId }) => keyId), why });
}
