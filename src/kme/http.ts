/**
 * One HTTP request to the KME: a deadline on the whole, a bound on the body, no redirects, no repetition.
 *
 * Calling sequence: `sendOnce` for each request. Nothing is thrown: what came of it is one of three things, and only
 * two of them leave it certain that no key was handed out.
 */
import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import { QkdSyncError } from '../base/errors.js';
import { isRefusedCertificate, translateConnectionError } from './connection-error.js';
import type { Stage } from './connection-error.js';
import { ERROR_BODY_MAX_BYTES, isNo, POST_HEADERS } from './dialect.js';

/** As much of the fetch standard as the client uses, so that another fetch can be passed in. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

export interface FetchInit {
  readonly method: HttpMethod;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
  /** To be called before the first byte of the request goes out, and not before there is a connection. */
  readonly onSent: () => void;
}

export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
}

export type HttpMethod = 'GET' | 'POST';

export interface HttpRequest {
  readonly method: HttpMethod;
  readonly url: URL;
  /** JSON text; with POST only. */
  readonly body?: string;
  /** The longest body of a 200 to take, in bytes; that of an error is cut at 64 KiB. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

/**
 * What came of a request.
 * `unsent`: the KME has not heard of it (DNS, connecting, TLS, a certificate refused on either side).
 * `answered`: whole, or an HTTP error of whose body some may be missing.
 * `lost`: it went out, and nobody knows what the KME did: `kme-unreachable`, or `kme-answer` for what is no HTTP, or
 * too long.
 * The error of both others is `interrupted` where the signal ended it.
 */
export type Sending =
  | { readonly came: 'unsent'; readonly error: QkdSyncError }
  | { readonly came: 'answered'; readonly answer: HttpAnswer }
  | { readonly came: 'lost'; readonly error: QkdSyncError };

export interface HttpContext {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export async function sendOnce(
  { fetch, clock, timeoutMs }: HttpContext,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Sending> {
  const { origin } = request.url;
  const interrupted = (): QkdSyncError => new QkdSyncError('interrupted', 'interrupted while asking the KME');
  if (signal.aborted) return { came: 'unsent', error: interrupted() };
  const end = new AbortController();
  const progress = { sent: false };
  let ended: QkdSyncError | undefined;
  const giveUp = (error: QkdSyncError): void => {
    ended ??= error;
    end.abort();
  };
  const onAbort = (): void => {
    giveUp(interrupted());
  };
  signal.addEventListener('abort', onAbort);
  const cancelDeadline = clock.after(timeoutMs, () => {
    giveUp(timedOut(timeoutMs, origin, progress.sent));
  });
  let stage: Stage = 'asking';
  try {
    const onSent = (): void => {
      progress.sent = true;
    };
    const response = await fetch(request.url.href, fetchInit(request, end.signal, onSent));
    stage = 'reading';
    const { status, headers } = response;
    const body = await readBody(response, status === 200 ? request.maxBytes : ERROR_BODY_MAX_BYTES);
    const location = headers.get('location') ?? undefined;
    const retryAfter = headers.get('retry-after') ?? undefined;
    return { came: 'answered', answer: { status, location, retryAfter, body } };
  } catch (foreign) {
    const error =
      ended ?? (foreign instanceof QkdSyncError ? foreign : translateConnectionError(foreign, stage, origin));
    // A certificate is refused before anything is answered: what breaks off afterwards may have brought keys.
    const isRefusal = stage === 'asking' && isRefusedCertificate(error);
    return { came: progress.sent && !isRefusal ? 'lost' : 'unsent', error };
  } finally {
    cancelDeadline();
    signal.removeEventListener('abort', onAbort);
    // Lets go of a body that was not read to its end.
    end.abort();
  }
}

function fetchInit({ method, body }: HttpRequest, signal: AbortSignal, onSent: () => void): FetchInit {
  const common = { method, redirect: 'manual', signal, onSent } as const;
  const headers = { accept: 'application/json' };
  return body === undefined
    ? { ...common, headers }
    : { ...common, headers: { ...headers, ...POST_HEADERS }, body };
}

async function readBody({ status, body }: FetchResponse, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let room = maxBytes;
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      room -= chunk.byteLength;
      if (room >= 0) continue;
      if (status !== 200) break;
      throw new QkdSyncError('kme-answer', `the KME's answer is longer than ${maxBytes} bytes`, {
        hint: 'check kme.url, and whether the KME delivers the exchange.size that is asked for',
      });
    }
    return Buffer.concat(chunks).subarray(0, maxBytes);
  } catch (error) {
    // The status has said no; of its words this much has come.
    if (isNo(status)) return Buffer.concat(chunks).subarray(0, maxBytes);
    throw error;
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}

function timedOut(timeoutMs: number, origin: string, sent: boolean): QkdSyncError {
  const what = sent ? 'no answer from the KME' : 'no connection to the KME';
  return new QkdSyncError('kme-unreachable', `${what} in ${formatDuration(timeoutMs)} (${origin})`, {
    hint: 'check kme.url, or raise kme.timeout',
  });
}
