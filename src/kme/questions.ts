/** What is asked of a KME, and how its answers are read: one question for each method of ETSI GS QKD 014, section 5. */
import type { Key, KeyId } from '../base/key.js';
import { callUrl } from './address.js';
import type { Question } from './asking.js';
import {
  containerMaxBytes,
  decKeysBody,
  encKeysBody,
  encKeysQuery,
  ERROR_BODY_MAX_BYTES,
  keyIdQuery,
} from './dialect.js';
import type { Extensions, KeyMethod } from './dialect.js';
import { readKeys, readKeysWithKeyIds } from './key-container.js';
import type { KeyRequest, KmeStatus } from './kme.js';
import { readStatus } from './status.js';

/** How keys are asked for; status is always GET. */
export interface Manner {
  readonly encMethod: KeyMethod;
  readonly decMethod: KeyMethod;
  /** Added to `enc_keys`; with GET scalars only. */
  readonly extensions: Extensions;
  /** How long to go on asking a KME that says no, in milliseconds, for each request. */
  readonly waitMs: number;
}

/** Asked once: it is advice. */
export function aboutStatus(peerSae: string): Question<KmeStatus> {
  return {
    call: 'status',
    request: (base) => {
      return { method: 'GET', url: callUrl(base, 'status', peerSae), maxBytes: ERROR_BODY_MAX_BYTES };
    },
    read: readStatus,
    keys: 0,
    waitMs: 0,
  };
}

export function aboutEncKeys(
  slaveSae: string,
  asked: KeyRequest,
  { encMethod, extensions, waitMs }: Manner,
): Question<Key[]> {
  return {
    call: 'enc_keys',
    request: (base) => {
      const url = callUrl(base, 'enc_keys', slaveSae);
      const maxBytes = containerMaxBytes(asked);
      if (encMethod === 'post') {
        return { method: 'POST', url, maxBytes, body: encKeysBody(asked, extensions) };
      }
      url.search = encKeysQuery(asked, extensions);
      return { method: 'GET', url, maxBytes };
    },
    read: (body) => some(readKeys(body, asked)),
    keys: asked.number,
    waitMs,
  };
}

/** By GET for one key ID only. */
export function aboutDecKeys(
  masterSae: string,
  keyIds: readonly KeyId[],
  size: number,
  { decMethod, waitMs }: Manner,
): Question<Key[]> {
  return {
    call: 'dec_keys',
    request: (base) => {
      const url = callUrl(base, 'dec_keys', masterSae);
      const maxBytes = containerMaxBytes({ number: keyIds.length, size });
      if (decMethod === 'post') return { method: 'POST', url, maxBytes, body: decKeysBody(keyIds) };
      url.search = keyIds.map(keyIdQuery).join('&');
      return { method: 'GET', url, maxBytes };
    },
    read: (body) => some(readKeysWithKeyIds(body, keyIds, size)),
    keys: keyIds.length,
    keyIds,
    waitMs,
  };
}

function some(keys: Key[]): Key[] | undefined {
  return keys.length === 0 ? undefined : keys;
}
