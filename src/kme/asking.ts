/**
 * Asks one of a site's KMEs one thing, again and elsewhere where that burns no key.
 *
 * A request is repeated only where the KME surely has handed out nothing: it has not heard of it, said no, or was not
 * asked for a key. A no is asked again with growing pauses for `waitMs`, one last time at the end of it, and never
 * before `Retry-After`. Of several KMEs each round asks one after the other, as long as they may know better. KMEs that
 * cannot be reached are no reason for another round. Each try is said in the log, and what may have been lost.
 *
 * Errors: those of `Kme`; after a round without any yes the first no of it, else the first failure.
 */
import { sleep } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import { QkdSyncError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { retryAfterMs } from './dialect.js';
import type { KmeCall } from './dialect.js';
import { noKeys, readNo } from './http-error.js';
import type { No } from './http-error.js';
import { sendOnce } from './http.js';
import type { HttpAnswer, HttpContext, HttpRequest } from './http.js';
import { countKeys } from './key-container.js';
import { sayLost } from './lost-keys.js';

/** One of the KMEs. */
export interface Endpoint {
  readonly base: URL;
  /** What it said with `Retry-After`, and until when that holds on the monotonic clock. */
  closed: { readonly no: No; readonly until: number } | undefined;
}

export interface Question<T> {
  readonly call: KmeCall;
  readonly request: (base: URL) => HttpRequest;
  /** What a 200 answer says; undefined for no keys at all. Error `kme-answer`. The body is overwritten afterwards. */
  readonly read: (body: Uint8Array) => T | undefined;
  /** How many keys it is about; none for status. */
  readonly keys: number;
  readonly keyIds?: readonly string[];
  /** How long to go on asking, in milliseconds. */
  readonly waitMs: number;
}

export interface Told<T> {
  readonly value: T;
  readonly by: Endpoint;
  /** Those before it that were asked and have not answered. */
  readonly silent: readonly Endpoint[];
}

type Heard<T> = Omit<Told<T>, 'silent'>;

export interface AskContext {
  readonly http: HttpContext;
  readonly random: Random;
  readonly log: Log;
}

export interface AskSignals {
  /** Ends everything at once. */
  readonly signal: AbortSignal;
  /** No more tries are wanted: a request under way still ends by itself, because it may bring keys. */
  readonly stop: AbortSignal;
}

/** The first pause before a KME is asked again, and the longest, in milliseconds. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

interface Failure extends No {
  readonly endpoint: Endpoint;
  /** The number of the try; none where the KME was not asked at all. */
  readonly tries?: number;
  /** Whether it has not answered. */
  readonly isSilent?: boolean;
}

export async function ask<T>(
  { http, random, log }: AskContext,
  endpoints: readonly Endpoint[],
  question: Question<T>,
  { signal, stop }: AskSignals,
): Promise<Told<T>> {
  const { clock } = http;
  const { call, keys, keyIds } = question;
  const until = clock.monotonic() + question.waitMs;
  let tries = 0;

  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    const failed: Failure[] = [];
    for (const endpoint of endpoints) {
      const before = failed.at(-1);
      if (before !== undefined) say('warn', before);
      const came = await tryOnce(endpoint);
      if ('value' in came) return { ...came, silent: silentOf(failed) };
      failed.push(came);
      if (!came.elsewhere) break;
    }
    const last = failed.at(-1);
    if (last === undefined) throw new TypeError('there is no KME to ask');
    const waitsMs = pauseAfter(failed, last, pauseMs);
    say('step', last, waitsMs instanceof QkdSyncError ? undefined : waitsMs);
    if (waitsMs instanceof QkdSyncError) throw waitsMs;
    await sleep(clock, waitsMs, AbortSignal.any([signal, stop]));
    if (stop.aborted && !signal.aborted) throw last.error;
  }

  async function tryOnce(endpoint: Endpoint): Promise<Heard<T> | Failure> {
    const { closed } = endpoint;
    if (keys > 0 && closed !== undefined && closed.until > clock.monotonic())
      return { ...closed.no, endpoint };
    tries += 1;
    const request = question.request(endpoint.base);
    const sending = await sendOnce(http, request, signal);
    switch (sending.came) {
      case 'unsent':
        return unanswered(endpoint, sending.error);
      case 'lost':
        // Of what no key hangs on, another KME may be asked instead.
        if (keys === 0) return unanswered(endpoint, sending.error);
        return lose(endpoint, sending.error, keys, true);
      case 'answered':
        return hear(endpoint, sending.answer);
    }
  }

  function hear(endpoint: Endpoint, answer: HttpAnswer): Heard<T> | Failure {
    const no = answer.status === 200 ? undefined : readNo(call, answer, endpoint.base.origin);
    if (no instanceof QkdSyncError) return lose(endpoint, no, keys, true);
    if (no !== undefined) return refused(endpoint, no, answer);
    const { body } = answer;
    try {
      const value = question.read(body);
      if (value === undefined) return refused(endpoint, noKeys(call), answer);
      log(
        'step',
        'kme-try',
        `the KME at ${endpoint.base.host} has answered ${call}`,
        fieldsOf(endpoint, tries, 'answered'),
      );
      return { value, by: endpoint };
    } catch (error) {
      if (!(error instanceof QkdSyncError)) throw error;
      const count = countKeys(body);
      return lose(endpoint, error, count ?? keys, count === undefined);
    } finally {
      body.fill(0);
    }
  }

  function unanswered(endpoint: Endpoint, error: QkdSyncError): Failure {
    if (error.code === 'interrupted') throw error;
    return { endpoint, tries, error, again: false, elsewhere: true, isSilent: true };
  }

  function refused(endpoint: Endpoint, no: No, { retryAfter }: HttpAnswer): Failure {
    const afterMs = no.again ? retryAfterMs(retryAfter, clock.now()) : undefined;
    endpoint.closed = afterMs === undefined ? undefined : { no, until: clock.monotonic() + afterMs };
    return { ...no, endpoint, tries };
  }

  function lose(endpoint: Endpoint, error: QkdSyncError, count: number, perhaps: boolean): never {
    say('step', { endpoint, tries, error, again: false, elsewhere: false });
    if (call !== 'status') sayLost(log, { call, keys: count, keyIds, perhaps, why: error.message });
    throw error;
  }

  /** How long to wait for the next round, or why there is none. */
  function pauseAfter(failed: readonly Failure[], last: Failure, pauseMs: number): number | QkdSyncError {
    const now = clock.monotonic();
    const leftMs = until - now;
    const [first, ...others] = failed.filter(({ again }) => again);
    // A wrong setting is said at once, whatever the KMEs before have said.
    const wrong = failed.find(({ again, elsewhere }) => !again && !elsewhere);
    if (wrong !== undefined || first === undefined) return (wrong ?? failed[0] ?? last).error;
    // Timers may fire a fraction early; that is no reason for one more request.
    if (leftMs < 1) return first.error;
    const openAt = Math.min(...[first, ...others].map(({ endpoint }) => endpoint.closed?.until ?? now));
    if (openAt > until) return comeLater(first.error, openAt - now);
    return Math.max(Math.min(jittered(pauseMs), leftMs), openAt - now);
  }

  /** Between half and all of it, so that sites that were refused together do not come back together. */
  function jittered(pauseMs: number): number {
    const [high = 0, low = 0] = random(2);
    return pauseMs * (0.5 + (high * 256 + low) / 0x1ffff);
  }

  function say(level: 'step' | 'warn', { endpoint, error, tries: number }: Failure, pauseMs?: number): void {
    const next = pauseMs === undefined ? '' : `; asking again in ${formatDuration(pauseMs)}`;
    const another = level === 'warn' ? '; asking the next KME' : '';
    log(level, 'kme-try', `${call} at ${endpoint.base.host}: ${error.message}${next}${another}`, {
      ...fieldsOf(endpoint, number, error.code),
      ...(pauseMs === undefined ? {} : { pauseMs: Math.round(pauseMs) }),
    });
  }

  function fieldsOf(
    endpoint: Endpoint,
    number: number | undefined,
    came: string,
  ): Record<string, string | number | undefined> {
    return { call, kme: endpoint.base.origin, try: number, came };
  }
}

function silentOf(failed: readonly Failure[]): Endpoint[] {
  return failed.flatMap(({ endpoint, isSilent = false }) => (isSilent ? endpoint : []));
}

function comeLater({ message }: QkdSyncError, afterMs: number): QkdSyncError {
  const when = formatDuration(afterMs);
  return new QkdSyncError(
    'kme-empty',
    `${message}; it asks to come again in ${when}, after the end of the wait`,
    {
      hint: `try again in ${when}, or raise kme.wait above that`,
    },
  );
}
