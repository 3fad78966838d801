/**
 * What went wrong between us and the KME, in words that name the cause and the setting to look at.
 *
 * The foreign error itself never goes on: an HTTP parser's error carries what it had read, key bytes perhaps. Its
 * code and, as long as no answer had begun, its message go into a plain error in its place.
 */
import { clean, describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { ErrorCode } from '../base/errors.js';

/** How far a request had come: once an answer has begun its text may be in the error. */
export type Stage = 'asking' | 'reading';

interface Trouble {
  readonly text: string;
  readonly hint: string;
}

const HINT_URL = 'check kme.url, and that the KME runs';
const HINT_CA = 'set kme.ca to the certificate of the CA that signed the KME';
const HINT_CERT = 'check kme.cert and kme.key (or kme.pkcs12), and that the KME accepts them';
const HINT_NAME = "set kme.serverName to the name in the KME's certificate";
const HINT_CONTINUE =
  'set kme.method to get, if the KME takes it and says 100 Continue to a POST alone, or keep a proxy before it from passing that on';
const HINT_TIME = "check this machine's clock, or have the KME's certificate renewed";

const UNKNOWN_CA: Trouble = { text: "the KME's certificate comes from an unknown CA", hint: HINT_CA };
const NO_HOST: Trouble = { text: "the KME's host name cannot be resolved (DNS)", hint: HINT_URL };
const NO_ROUTE: Trouble = { text: "there is no route to the KME's network", hint: HINT_URL };
const NO_TLS: Trouble = { text: 'the KME does not speak TLS there', hint: HINT_URL };
const NO_VERSION: Trouble = { text: 'the KME offers neither TLS 1.2 nor 1.3', hint: HINT_URL };
const TIME_OUT: Trouble = { text: 'connecting to the KME timed out', hint: HINT_URL };
const BROKEN: Trouble = {
  text: 'the KME broke the connection',
  hint: 'check that the KME accepts kme.cert, if its log does not say why',
};

/** A port that speaks TLS hangs up on a plain request. */
const BROKEN_PLAIN: Trouble = { text: BROKEN.text, hint: 'check kme.url: the KME may want https:// there' };

const TROUBLES: ReadonlyMap<string, Trouble> = new Map([
  ['CERT_HAS_EXPIRED', { text: "the KME's certificate, or its CA's, has expired", hint: HINT_TIME }],
  ['CERT_NOT_YET_VALID', { text: "the KME's certificate, or its CA's, is not valid yet", hint: HINT_TIME }],
  ['UNABLE_TO_GET_ISSUER_CERT', UNKNOWN_CA],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNKNOWN_CA],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNKNOWN_CA],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNKNOWN_CA],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNKNOWN_CA],
  ['CERT_SIGNATURE_FAILURE', UNKNOWN_CA],
  ['ECONNREFUSED', { text: 'the KME refuses connections', hint: HINT_URL }],
  ['ENOTFOUND', NO_HOST],
  ['EAI_AGAIN', NO_HOST],
  ['EHOSTUNREACH', NO_ROUTE],
  ['ENETUNREACH', NO_ROUTE],
  ['ETIMEDOUT', TIME_OUT],
  ['UND_ERR_CONNECT_TIMEOUT', TIME_OUT],
  ['ECONNRESET', BROKEN],
  ['EPIPE', BROKEN],
  ['UND_ERR_SOCKET', BROKEN],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', NO_TLS],
  ['EPROTO', NO_TLS],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', NO_VERSION],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', NO_VERSION],
]);

/** The alerts by which a TLS server turns a client certificate down, or the lack of one. OpenSSL 3.5 says SSL/TLS in their names. */
const CERTIFICATE_ALERT =
  /^ERR_SSL_[\w/]*ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|DECRYPT_ERROR)$/;

/**
 * `error`, thrown by fetch or by reading its body, as `kme-unreachable`, `kme-refused` for a certificate of ours that
 * is turned down, or `kme-answer` for what is no HTTP.
 */
export function translateConnectionError(error: unknown, stage: Stage, origin: string): QkdSyncError {
  const root = rootOf(error);
  const code = systemCode(root) ?? '';
  const malformed = isParserError(root) || /^(?:Z_|UND_ERR_HEADERS_OVERFLOW)/.test(code);
  const said = malformed || stage === 'reading' ? '' : describe(root);
  const cause = new Error([code, said].filter((part) => part !== '').join(': ') || 'no further details');
  const make = (kind: ErrorCode, text: string, hint: string): QkdSyncError =>
    new QkdSyncError(kind, `${text} (${origin})`, { hint, cause });

  if (malformed) {
    return make('kme-answer', 'the answer is not proper HTTP/1.1', HINT_URL);
  }
  if (isContinue(root)) {
    return make('kme-answer', 'the KME answered with HTTP 100, which nobody asked for', HINT_CONTINUE);
  }
  if (CERTIFICATE_ALERT.test(code)) return refusedCertificate(origin, cause);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return make('kme-unreachable', wrongName(root), HINT_NAME);
  const known = TROUBLES.get(code) ?? (stage === 'reading' ? BROKEN : undefined);
  if (known !== undefined) {
    const { text, hint } = known === BROKEN && origin.startsWith('http:') ? BROKEN_PLAIN : known;
    return make('kme-unreachable', text, hint);
  }
  return make('kme-unreachable', `no connection to the KME: ${cause.message}`, HINT_URL);
}

/** Our certificate was turned down: by an alert of TLS, or by a proxy right after it. The KME has seen no request. */
export function refusedCertificate(origin: string, cause: Error): QkdSyncError {
  return new QkdSyncError('kme-refused', `the KME does not accept our certificate (${origin})`, {
    hint: HINT_CERT,
    cause,
  });
}

/** Only such an error has a cause: a refusal that the KME itself has answered has none. */
export function isRefusedCertificate({ code, cause }: QkdSyncError): boolean {
  return code === 'kme-refused' && cause !== undefined;
}

/** Node's error of a name that does not fit carries the name that was expected and the certificate. */
function wrongName(error: unknown): string {
  const { host, cert } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly host?: unknown;
    readonly cert?: { readonly subjectaltname?: unknown; readonly subject?: { readonly CN?: unknown } };
  };
  const { subjectaltname, subject } = cert ?? {};
  const names = typeof subjectaltname === 'string' ? subjectaltname : subject?.CN;
  const expected = typeof host === 'string' ? ` than ${clean(host, 80)}` : ' than the one expected';
  const borne =
    typeof names === 'string' && names !== '' ? `: it bears ${clean(names)}` : ', and none at all';
  return `the KME's certificate bears another name${expected}${borne}`;
}

/** Whether the connection broke without a word, for which a KME may have the same reason. */
export function isBreak(error: unknown): boolean {
  const root = rootOf(error);
  return TROUBLES.get(systemCode(root) ?? '') === BROKEN && !isContinue(root);
}

/** undici's parser error has no code that can be relied on, and what it had read as `data`. */
function isParserError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'HTTPParserError';
}

/** undici breaks off at 100 Continue, which RFC 9110 (section 15.2) lets a server send to whoever has not asked for it. */
function isContinue(error: unknown): boolean {
  return systemCode(error) === 'UND_ERR_SOCKET' && error instanceof Error && error.message === 'bad response';
}

/** fetch wraps what happened in errors of its own; the innermost one with a code knows best. */
function rootOf(error: unknown): unknown {
  let root = error;
  let next = error;
  // The bound is for errors that are their own cause.
  for (let depth = 0; depth < 8 && typeof next === 'object' && next !== null; depth += 1) {
    if (systemCode(next) !== undefined || systemCode(root) === undefined) root = next;
    next = 'cause' in next ? next.cause : undefined;
  }
  return root;
}
