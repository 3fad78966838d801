/**
 * How KMEs in the field differ from the standard and from each other, and what the client does about it: one entry for
 * each row of docs/kme.md's table, in its order and its words. The rest of the client calls these and knows no KME.
 *
 * Pure; nothing throws.
 */
import type { KeyId } from '../base/key.js';
import { isLoopbackHost } from '../base/loopback.js';
import { isObject } from './json.js';
import type { JsonObject } from './json.js';
import type { KeyRequest } from './kme.js';

/** The last segment of a method's path; also its name in messages. */
export type KmeCall = 'status' | 'enc_keys' | 'dec_keys';

/** Extension parameters of *Get key* (ETSI GS QKD 014, section 6.2). */
export interface Extensions {
  readonly mandatory?: readonly JsonObject[] | undefined;
  readonly optional?: readonly JsonObject[] | undefined;
}

// request: always `number` and `size`, as integers, nothing else unless configured. `null` or text there is refused
// by some, a request without one of them by others.

export function encKeysBody({ number, size }: KeyRequest, { mandatory, optional }: Extensions): string {
  return JSON.stringify({
    number,
    size,
    ...(mandatory && { extension_mandatory: mandatory }),
    ...(optional && { extension_optional: optional }),
  });
}

/** The settings let only scalars through here. */
export function encKeysQuery({ number, size }: KeyRequest, { mandatory, optional }: Extensions): string {
  const query = [['number', number] as const, ['size', size] as const];
  const more = [...(mandatory ?? []), ...(optional ?? [])].flatMap((entry) => Object.entries(entry));
  return [...query, ...more]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
}

// method: GET only, POST only, or GET for one call and POST for the other. Never switched by itself: an answer of 405
// is a wrong setting.

export type KeyMethod = 'post' | 'get';

export function isWrongMethod(status: number): boolean {
  return status === 405;
}

// empty POST: refused by some without a body and its type, so both are always there.

export const POST_HEADERS = { 'content-type': 'application/json' } as const;

// key length: half of what was asked for, leading zeros dropped, bits read as bytes. It must be `size`, on both sides.

export function hasSize(keyBytes: number, sizeBits: number): boolean {
  return keyBytes * 8 === sizeBits;
}

// key_ID: opaque, kept to the letter; encoded where it is part of a URL, a plus sign too.

export function keyIdQuery(keyId: KeyId): string {
  return `key_ID=${encodeURIComponent(keyId)}`;
}

// dec_keys body: the only shape that all accept.

export function decKeysBody(keyIds: readonly KeyId[]): string {
  return JSON.stringify({ key_IDs: keyIds.map((keyId) => ({ key_ID: keyId })) });
}

// number of keys: some give one a request, some fewer than asked for, some none at all with 200, which is a no.

/** The most keys to ask for at once where the operator names no limit: an answer has to fit into memory, hostile or not. */
const REQUEST_MAX_KEYS = 4_096;

/**
 * How many keys to ask for at once. By GET the standard knows one key ID only.
 * @param own `kme.maxPerRequest`
 * @param advised what the KME's status says; zero means nothing
 */
export function keysPerRequest(own = REQUEST_MAX_KEYS, advised = 0): number {
  return advised < 1 ? own : Math.min(own, advised);
}

// order: dec_keys answers in the KME's order, so keys are found by their IDs.

/** The values of `keyIds` in their order, or undefined where one of them is missing. */
export function inOrderOf<T>(keyIds: readonly KeyId[], found: ReadonlyMap<KeyId, T>): T[] | undefined {
  const ordered = keyIds.flatMap((keyId) => found.get(keyId) ?? []);
  return ordered.length === keyIds.length ? ordered : undefined;
}

// keys: an array, or one object where there is one key; unknown and null fields everywhere, which are not looked at.

export function keyEntries({ keys }: JsonObject): readonly unknown[] | undefined {
  if (Array.isArray(keys)) return keys as readonly unknown[];
  return isObject(keys) ? [keys] : undefined;
}

// out of keys: 503, 400 ("depleted"), 404. unknown key ID: 400, 401, 404, 422, 500, 503. So any HTTP error is a
// definite no, whatever its number: asked again within the wait, and of another KME where that may know better.

export function isNo(status: number): boolean {
  return status >= 400;
}

/** Whether another KME may answer otherwise. A request that is wrong in itself is wrong everywhere. */
export function mayDifferElsewhere(call: KmeCall, status: number, words: string): boolean {
  if (call === 'dec_keys' || status >= 500) return true;
  return [401, 403, 404, 429].includes(status) || (status === 400 && OUT_OF_KEYS.test(words));
}

const OUT_OF_KEYS =
  /deplet|exhaust|insufficient|not enough|out of keys?|no (?:more |available )?keys?\b|unavailable|(?:not|un)[ _-]?(?:found|known)|empty|try again|later/i;

/** Whether the KME says in words that it does not know one of the SAEs. */
export function isUnknownSae(status: number, words: string): boolean {
  return (
    (status === 400 || status === 404) &&
    /\bSAEs?\b|SAE_?ID/i.test(words) &&
    /unknown|unregistered|invalid|no such|not? (?:be )?(?:found|known|registered|exist|configured|valid)/i.test(
      words,
    )
  );
}

/** Whether a proxy has turned our certificate down after a good TLS handshake, as nginx does. */
export function isCertificateRefusal(status: number, words: string): boolean {
  return status === 400 && /no required SSL certificate was sent|the SSL certificate error/i.test(words);
}

/** When to come again, in milliseconds from now (RFC 9110, section 10.2.3): seconds, or a date of the wall clock. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000;
  const date = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(date - nowMs, 0);
}

// lost answer: a delivered key is removed at the KME and asking again fails on most. Only a request of which no byte
// went out, or whose answer was a no, is ever repeated: see `Sending` in http.ts.

// outstanding keys: a KME that discards an earlier key when a new one is asked for needs `kme.parallel: 1`.

// error body: JSON of several kinds, HTML, text, nothing, with any Content-Type, which is not looked at.

/** What an error says in JSON, `message` by the standard, `detail` by many frameworks; undefined where it says nothing. */
export function wordsOf(answer: JsonObject): string | undefined {
  const { message, detail } = answer;
  if (typeof message === 'string' && message.trim() !== '') return message;
  if (typeof detail === 'string' && detail.trim() !== '') return detail;
  if (!Array.isArray(detail)) return undefined;
  const texts = detail.flatMap((one: unknown) =>
    isObject(one) && typeof one['msg'] === 'string' ? one['msg'] : [],
  );
  return texts.length === 0 ? undefined : texts.join('; ');
}

// status: zeros, absent fields, lower-case names; advice only, never a condition.

export function statusCount(answer: JsonObject, name: string): number | undefined {
  const value = Object.entries(answer).find(([key]) => key.toLowerCase() === name)?.[1];
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

// TLS: 1.2 only, or 1.3 only.

export const TLS_VERSIONS = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

/** Server certificates without SAN, whose CN is the KME's ID: then the CN counts, whatever characters it has. */
export function isNamedByCnAlone(
  certificate: { readonly subjectaltname?: string | undefined; readonly subject?: { readonly CN?: unknown } },
  name: string,
): boolean {
  return certificate.subjectaltname === undefined && certificate.subject?.CN === name;
}

// URL: a port, a path prefix; a slash at the end is 404 on some. Redirects, to plain http even, are refused.

export function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

// HTTP: 1.1 only, and some close each connection or hang for ever: a connection and a deadline for each request, and
// a bound on each body: see agentOptions in tls.ts and http.ts.

export const ERROR_BODY_MAX_BYTES = 64 * 1024;

/** The longest answer with these keys: base64, and what the rest of an entry may take. */
export function containerMaxBytes({ number, size }: KeyRequest): number {
  return ERROR_BODY_MAX_BYTES + number * (Math.ceil(size / 6) + 1024);
}

// plain http: lab mocks. Only on loopback, or said out loud.

export function isPlainBeyondLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isLoopbackHost(hostname);
}

// SAE IDs: free text, integers.

export function saeSegment(sae: string): string {
  return encodeURIComponent(sae);
}
