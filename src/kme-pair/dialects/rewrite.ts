/** What the dialects are made of: requests and answers, rewritten on their way. */
import type { ApiAnswer, ApiCall, ApiRequest, Api, Conduct } from '../api.js';
import { route, type ServedKme } from '../etsi-014.js';
import type { SaePair } from '../key-store.js';
import type { Wrap } from './dialect.js';

/** One key of a *Key container* (ETSI GS QKD 014, section 6.3). */
export interface KeyEntry {
  readonly key_ID: string;
  readonly key: string;
}

/** Requests of this call go to `instead`, all others pass. */
export function forCall(
  call: ApiCall,
  instead: (request: ApiRequest, next: Api, kme: ServedKme) => ApiAnswer,
): Wrap {
  return (next, kme) => (request) => (callOf(request) === call ? instead(request, next, kme) : next(request));
}

/** The same for both calls that deliver keys. */
export function forKeyCalls(instead: (request: ApiRequest, next: Api) => ApiAnswer): Wrap {
  return (next) => (request) => {
    const call = callOf(request);
    return call === 'enc_keys' || call === 'dec_keys' ? instead(request, next) : next(request);
  };
}

/** Rewrites what is in the containers of both calls that deliver keys. */
export function rewritingKeys(change: (keys: readonly KeyEntry[]) => object): Wrap {
  return forKeyCalls((request, next) => changed(next(request), change));
}

/** The same for dec_keys alone. */
export function rewritingDecKeys(change: (keys: readonly KeyEntry[]) => object): Wrap {
  return forCall('dec_keys', (request, next) => changed(next(request), change));
}

/** Delivers keys as ever, but the answer goes out like this. */
export function conducting(conduct: Conduct): Wrap {
  return forKeyCalls((request, next) => ({ ...next(request), conduct }));
}

export function callOf({ target }: ApiRequest): ApiCall | undefined {
  return route(target)?.call;
}

/** Whose keys an enc_keys asks for. */
export function encPairOf({ target, sae }: ApiRequest): SaePair | undefined {
  const slaveSae = route(target)?.sae;
  return sae === undefined || slaveSae === undefined ? undefined : { masterSae: sae, slaveSae };
}

/** The request's JSON body; empty where there is none. */
export function fieldsOf({ body }: ApiRequest): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The request as a POST of these fields. */
export function posting(request: ApiRequest, fields: object): ApiRequest {
  return {
    ...request,
    method: 'POST',
    target: request.target.replace(/\?.*$/, ''),
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(fields)),
  };
}

export function saying(status: number, message: string): ApiAnswer {
  return { status, body: { message } };
}

function changed(reply: ApiAnswer, change: (keys: readonly KeyEntry[]) => object): ApiAnswer {
  if (reply.status !== 200 || typeof reply.body === 'string' || !('keys' in reply.body)) return reply;
  return { ...reply, body: change(reply.body.keys as readonly KeyEntry[]) };
}
