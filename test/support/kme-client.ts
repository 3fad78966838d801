/** A KME client for tests, and what it says of a failure. */
import { inspect } from 'node:util';
import { QkdSyncError } from '../../src/base/errors.js';
import type { Log, LogFields } from '../../src/base/log.js';
import type { Random } from '../../src/base/random.js';
import { createKmeClient } from '../../src/kme/client.js';
import type { KmeClientOptions } from '../../src/kme/client.js';
import type { KeyMethod } from '../../src/kme/dialect.js';
import type { Fetch } from '../../src/kme/http.js';
import type { Kme } from '../../src/kme/kme.js';
import { ManualClock } from './manual-clock.js';

export const TIMEOUT_MS = 10_000;

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

export interface TestClient {
  readonly kme: Kme;
  readonly clock: ManualClock;
  readonly lines: LogLine[];
}

export interface TestOptions extends Partial<KmeClientOptions> {
  readonly url: string;
  /** For enc_keys and dec_keys. */
  readonly method?: KeyMethod;
}

/** Randomness that makes each pause as long as it may be. */
export const longestPauses: Random = (count) => new Uint8Array(count).fill(0xff);

/** The global fetch, which nock sees. It cannot tell what it has sent: taken to be all. */
export const globalFetch: Fetch = (url, init) => {
  init.onSent();
  return globalThis.fetch(url, init);
};

/** With a clock that skips each pause before a busy KME is asked again, as soon as it begins. */
export function makeTestClient({ url, method = 'post', ...options }: TestOptions): TestClient {
  const clock = new ManualClock();
  const lines: LogLine[] = [];
  const log: Log = (level, event, message, fields) => {
    lines.push({ level, event, message, fields });
    const pauseMs = fields?.['pauseMs'];
    queueMicrotask(() => {
      if (typeof pauseMs === 'number') clock.advance(pauseMs);
    });
  };
  const defaults = {
    urls: [url],
    insecure: false,
    encMethod: method,
    decMethod: method,
    extensions: {},
    timeoutMs: TIMEOUT_MS,
    waitMs: 0,
    parallel: 1,
    tls: {},
    clock,
    random: longestPauses,
    log,
  } as const;
  return { kme: createKmeClient({ ...defaults, ...options }), clock, lines };
}

/** The QkdSyncError that `attempt` ends in; anything else fails the test. */
export async function errorOf(attempt: Promise<unknown> | (() => unknown)): Promise<QkdSyncError> {
  try {
    await (typeof attempt === 'function' ? attempt() : attempt);
  } catch (error) {
    if (error instanceof QkdSyncError) return error;
    throw error;
  }
  throw new Error('no error came');
}

/** Everything that an error could bring into a log. */
export function allOf(error: unknown): string {
  const shown = inspect(error, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null });
  const named = error instanceof QkdSyncError ? [error.message, error.hint, JSON.stringify(error)] : [];
  return [shown, String(error), ...named].join('\n');
}

/** How `bytes` could be written in a text. */
export function spellings(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  return [
    buffer.toString('base64'),
    buffer.toString('base64url'),
    buffer.toString('hex'),
    buffer.toString('latin1'),
    [...buffer].join(', '),
    [...buffer].join(','),
    buffer.toString('hex').replace(/..(?=.)/g, '$& '),
  ];
}
