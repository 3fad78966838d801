/**
 * The key delivery API of ETSI GS QKD 014 v1.1.1 as a function from request to answer, strict to the standard;
 * sockets are kme-server.ts's affair. How real KMEs deviate is in dialects/, as wrappers around `answer`.
 *
 * Nothing throws: a fault of the client is an answer 400, 401, 404 or 405, lack of keys is 503.
 */
import { clean } from '../base/errors.js';
import type { Key, KeyId } from '../base/key.js';
import type { Random } from '../base/random.js';
import type { ApiAnswer, ApiCall, ApiRequest } from './api.js';
import {
  parseBody,
  parseEmptyQuery,
  parseKeyIdsQuery,
  parseKeyRequestQuery,
  toKeyIds,
  toKeyRequest,
  type Parsed,
  type Refusal,
} from './key-request.js';
import type { KeyStore, SaePair } from './key-store.js';
import type { Limits } from './limits.js';

/** A KME and the SAEs that are registered with it. */
export interface KmeIdentity {
  readonly id: string;
  readonly saes: readonly string[];
}

/** One KME, and the one at the other end of its link. */
export interface ServedKme {
  readonly self: KmeIdentity;
  readonly target: KmeIdentity;
  readonly limits: Limits;
  readonly store: KeyStore;
  /** How this KME names the keys that it makes; UUIDs where it is left out. */
  readonly nameKey?: ((random: Random) => KeyId) | undefined;
}

const PATH = /^\/api\/v1\/keys\/([^/]+)\/(status|enc_keys|dec_keys)$/;

const ALLOWED: Readonly<Record<ApiCall, readonly string[]>> = {
  status: ['GET'],
  enc_keys: ['GET', 'POST'],
  dec_keys: ['GET', 'POST'],
};

/** Which call `target` names, and the SAE in its path; undefined where it is no path of the API. */
export function route(target: string): { call: ApiCall; sae: string; query: string } | undefined {
  const at = target.indexOf('?');
  const match = PATH.exec(at < 0 ? target : target.slice(0, at));
  const [, segment, call] = match ?? [];
  if (segment === undefined || !isCall(call)) return undefined;
  try {
    return { call, sae: decodeURIComponent(segment), query: at < 0 ? '' : target.slice(at + 1) };
  } catch {
    return undefined; // malformed percent-encoding
  }
}

/** What `kme` answers. */
export function answer(kme: ServedKme, request: ApiRequest): ApiAnswer {
  const to = route(request.target);
  if (to === undefined) return refusal(404, { message: 'no such path' });
  const allow = ALLOWED[to.call];
  if (!allow.includes(request.method))
    return {
      ...refusal(405, { message: `${to.call} takes ${allow.join(' or ')}` }),
      headers: { allow: allow.join(', ') },
    };
  const { sae } = request;
  if (sae === undefined || !kme.self.saes.includes(sae))
    return refusal(401, { message: `this SAE is not registered with ${kme.self.id}` });
  if (!kme.target.saes.includes(to.sae))
    return refusal(400, { message: `no SAE ${clean(to.sae, 64)} at the other end, ${kme.target.id}` });

  switch (to.call) {
    case 'status':
      return getStatus(kme, { masterSae: sae, slaveSae: to.sae }, to.query);
    case 'enc_keys':
      return getKey(kme, { masterSae: sae, slaveSae: to.sae }, to.query, request);
    case 'dec_keys':
      return getKeyWithKeyIds(kme, { masterSae: to.sae, slaveSae: sae }, to.query, request);
  }
}

/** *Get status* (section 5.1). */
function getStatus({ self, target, limits, store }: ServedKme, pair: SaePair, query: string): ApiAnswer {
  const checked = parseEmptyQuery(query);
  if (!checked.ok) return refusal(400, checked.refusal);
  return {
    status: 200,
    body: {
      source_KME_ID: self.id,
      target_KME_ID: target.id,
      master_SAE_ID: pair.masterSae,
      slave_SAE_ID: pair.slaveSae,
      key_size: limits.keySize,
      stored_key_count: store.available(pair),
      max_key_count: limits.maxKeyCount,
      max_key_per_request: limits.maxKeyPerRequest,
      max_key_size: limits.maxKeySize,
      min_key_size: limits.minKeySize,
      max_SAE_ID_count: 0,
    },
  };
}

/** *Get key* (section 5.2), by the master SAE. */
function getKey(
  { limits, store, nameKey }: ServedKme,
  pair: SaePair,
  query: string,
  request: ApiRequest,
): ApiAnswer {
  const fields = fieldsOf(request, query, parseKeyRequestQuery);
  if (!fields.ok) return refusal(400, fields.refusal);
  const order = toKeyRequest(fields.value, limits);
  if (!order.ok) return refusal(400, order.refusal);

  const keys = store.make(pair, order.value.number, order.value.size, nameKey);
  if (keys === undefined)
    return refusal(503, {
      message: 'not enough keys, try again later',
      details: [{ stored_key_count: String(store.available(pair)) }],
    });
  return container(keys);
}

/** *Get key with key IDs* (section 5.3), by the slave SAE. */
function getKeyWithKeyIds(
  { limits, store }: ServedKme,
  pair: SaePair,
  query: string,
  request: ApiRequest,
): ApiAnswer {
  const fields = fieldsOf(request, query, parseKeyIdsQuery);
  if (!fields.ok) return refusal(400, fields.refusal);
  const keyIds = toKeyIds(fields.value, limits);
  if (!keyIds.ok) return refusal(400, keyIds.refusal);

  const taking = store.take(pair, keyIds.value);
  switch (taking.outcome) {
    case 'delivered': {
      const delivered = container(taking.keys);
      for (const key of taking.keys) key.secret.wipe();
      return delivered;
    }
    case 'not-yours':
      return refusal(401, {
        message: 'these keys were made for another SAE',
        details: named(taking.keyIds),
      });
    case 'unknown':
      return refusal(400, {
        message: 'one or more keys specified are not found on KME',
        details: named(taking.keyIds),
      });
  }
}

/** A GET has its parameters in the query, a POST in its body and none in the query. */
function fieldsOf(
  { method, contentType, body }: ApiRequest,
  query: string,
  parseQuery: (query: string) => Parsed<Readonly<Record<string, unknown>>>,
): Parsed<Readonly<Record<string, unknown>>> {
  if (method === 'GET') return parseQuery(query);
  const checked = parseEmptyQuery(query);
  return checked.ok ? parseBody(contentType, body) : checked;
}

/** The *Key container* (section 6.3). */
function container(keys: readonly Key[]): ApiAnswer {
  return {
    status: 200,
    body: {
      keys: keys.map(({ keyId, secret }) => ({
        key_ID: keyId,
        key: Buffer.from(secret.reveal()).toString('base64'),
      })),
    },
    delivered: keys.map(({ keyId }) => keyId),
  };
}

function refusal(status: 400 | 401 | 404 | 405 | 503, body: Refusal): ApiAnswer {
  return { status, body };
}

function named(keyIds: readonly string[]): readonly Readonly<Record<string, string>>[] {
  return keyIds.map((keyId) => ({ key_ID: clean(keyId, 64) }));
}

function isCall(text: string | undefined): text is ApiCall {
  return text !== undefined && Object.hasOwn(ALLOWED, text);
}
