/**
 * One HTTP request to the KME: a deadline on the whole, a bound on the body, no redirects, no repetition.
 *
 * Calling sequence: `sendOnce` for each request; the answer comes back whole, whatever its status.
 * Errors: QkdSyncError `kme-unreachable` (no connection, TLS, time-out, break), `kme-answer` (no HTTP, or a 200 with
 * too long a body), `interrupted` (the signal).
 */
import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import { QkdSyncError } from '../base/errors.js';
import { translateConnectionError } from './connection-error.js';
import type { Stage } from './connection-error.js';

/** As much of the fetch standard as the client uses, so that another fetch can be passed in. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

export interface FetchInit {
  readonly method: HttpMethod;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
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
  /** The longest body to take, in bytes. An error's body is cut there, any other is refused. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: Uint8Array;
}

export interface HttpContext {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export async function sendOnce(
  { fetch, clock, timeoutMs }: HttpContext,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { origin } = request.url;
  const interrupted = (): QkdSyncError => new QkdSyncError('interrupted', 'interrupted while asking the KME');
  if (signal.aborted) throw interrupted();
  const end = new AbortController();
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
    giveUp(timedOut(timeoutMs, origin));
  });
  let stage: Stage = 'asking';
  try {
    const response = await fetch(request.url.href, fetchInit(request, end.signal));
    stage = 'reading';
    const body = await readBody(response, request.maxBytes);
    return { status: response.status, location: response.headers.get('location') ?? undefined, body };
  } catch (error) {
    if (ended !== undefined) throw ended;
    throw error instanceof QkdSyncError ? error : translateConnectionError(error, stage, origin);
  } finally {
    cancelDeadline();
    signal.removeEventListener('abort', onAbort);
    // Lets go of a body that was not read to its end.
    end.abort();
  }
}

function fetchInit({ method, body }: HttpRequest, signal: AbortSignal): FetchInit {
  const common = { method, redirect: 'manual', signal } as const;
  const headers = { accept: 'application/json' };
  return body === undefined
    ? { ...common, headers }
    : { ...common, headers: { ...headers, 'content-type': 'application/json' }, body };
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
      throw new QkdSyncError('kme-answer', `the KME's answer is longer than ${maxBytes} bytes`);
    }
    return Buffer.concat(chunks).subarray(0, maxBytes);
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}

function timedOut(timeoutMs: number, origin: string): QkdSyncError {
  return new QkdSyncError(
    'kme-unreachable',
    `no answer from the KME in ${formatDuration(timeoutMs)} (${origin})`,
    {
      hint: 'check kme.url, or raise kme.timeout',
    },
  );
}
