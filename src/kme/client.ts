/**
 * The KME client: the three methods of ETSI GS QKD 014 over HTTPS.
 *
 * Calling sequence: `createKmeClient` once, its methods at will, `close` at the end. Errors: as `Kme` promises;
 * `createKmeClient` itself throws `config`.
 *
 * Only a KME that says itself that it is busy (503, 429) is asked again: it has handed out nothing. A time-out or a
 * break may have come after a key was handed out, and asking again would lose that key or draw a second one.
 */
import { Agent, fetch as undiciFetch } from 'undici';
import { sleep } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import { isKeyId } from '../base/key.js';
import type { Key, KeyId } from '../base/key.js';
import type { Log } from '../base/log.js';
import { callUrl, parseKmeUrl } from './address.js';
import type { KmeCall } from './address.js';
import { httpError, isBusy } from './http-error.js';
import { sendOnce } from './http.js';
import type { Fetch, HttpContext, HttpRequest } from './http.js';
import { readKeys, readKeysWithKeyIds, wipeAll } from './key-container.js';
import type { KeyRequest, Kme } from './kme.js';
import { readStatus } from './status.js';
import { agentOptions } from './tls.js';
import type { KmeTls } from './tls.js';

export interface KmeClientOptions {
  /** `https://host:port`, a path prefix allowed; plain http on loopback only. */
  readonly url: string;
  /** How keys are asked for; status is always GET. */
  readonly method: 'post' | 'get';
  /** For each request, from connecting to the body's end, in milliseconds. */
  readonly timeoutMs: number;
  /** How long to go on asking a KME that is busy, in milliseconds. */
  readonly waitMs: number;
  readonly tls: KmeTls;
  readonly clock: Clock;
  readonly log: Log;
  /** Instead of undici's, for tests; TLS is then its own affair. */
  readonly fetch?: Fetch;
}

/** The first pause before a busy KME is asked again, and the longest, in milliseconds. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

/** The longest body without any key, and what the rest of a key's entry may take, in bytes. */
const BODY_MAX_BYTES = 64 * 1024;
const ENTRY_MAX_BYTES = 1024;

export function createKmeClient(options: KmeClientOptions): Kme {
  const { method, clock, log, timeoutMs, waitMs } = options;
  const base = parseKmeUrl(options.url);
  const agent = new Agent(agentOptions(options.tls, timeoutMs));
  const ownFetch: Fetch = (url, init) => undiciFetch(url, { ...init, dispatcher: agent });
  const http: HttpContext = { fetch: options.fetch ?? ownFetch, clock, timeoutMs };

  /** The body of a 200 answer; a busy KME is asked again for `waitMs`, one last time at the end of it. */
  async function ask(call: KmeCall, request: HttpRequest, signal: AbortSignal): Promise<Uint8Array> {
    const until = clock.monotonic() + waitMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
      const answer = await sendOnce(http, request, signal);
      if (answer.status === 200) return answer.body;
      const error = httpError(call, answer);
      const leftMs = until - clock.monotonic();
      // Timers may fire a fraction early; that is no reason for one more request.
      if (!isBusy(answer) || leftMs < 1) throw error;
      const waitsMs = Math.min(pauseMs, leftMs);
      log('step', 'kme-busy', `${error.message}; asking again in ${formatDuration(waitsMs)}`, {
        call,
        status: answer.status,
        pauseMs: Math.round(waitsMs),
      });
      await sleep(clock, waitsMs, signal);
    }
  }

  async function askKeyWithKeyIds(
    url: URL,
    request: { readonly method: 'GET' | 'POST'; readonly body?: string },
    keyIds: readonly KeyId[],
    size: number,
    signal: AbortSignal,
  ): Promise<Key[]> {
    const maxBytes = containerMaxBytes({ number: keyIds.length, size });
    const body = await ask('dec_keys', { ...request, url, maxBytes }, signal);
    return useAndWipe(body, () => readKeysWithKeyIds(body, keyIds, size));
  }

  return {
    async status(peerSae, signal) {
      const url = callUrl(base, 'status', peerSae);
      return readStatus(await ask('status', { method: 'GET', url, maxBytes: BODY_MAX_BYTES }, signal));
    },

    async getKey(slaveSae, { number, size }, signal) {
      checkRequest({ number, size });
      const url = callUrl(base, 'enc_keys', slaveSae);
      const maxBytes = containerMaxBytes({ number, size });
      if (method === 'get') url.search = `?number=${number}&size=${size}`;
      const request: HttpRequest =
        method === 'get'
          ? { method: 'GET', url, maxBytes }
          : { method: 'POST', url, maxBytes, body: JSON.stringify({ number, size }) };
      const body = await ask('enc_keys', request, signal);
      return useAndWipe(body, () => readKeys(body, { number, size }));
    },

    async getKeyWithKeyIds(masterSae, keyIds, size, signal) {
      checkRequest({ number: keyIds.length, size });
      checkKeyIds(keyIds);
      const url = callUrl(base, 'dec_keys', masterSae);
      if (method === 'post') {
        const body = JSON.stringify({ key_IDs: keyIds.map((keyId) => ({ key_ID: keyId })) });
        return askKeyWithKeyIds(url, { method: 'POST', body }, keyIds, size, signal);
      }
      // By GET the standard knows one key ID only (section 5.3).
      const keys: Key[] = [];
      try {
        for (const keyId of keyIds) {
          url.search = `?key_ID=${encodeURIComponent(keyId)}`;
          keys.push(...(await askKeyWithKeyIds(url, { method: 'GET' }, [keyId], size, signal)));
        }
      } catch (error) {
        wipeAll(keys.map(({ secret }) => secret));
        throw error;
      }
      return keys;
    },

    async close() {
      await agent.destroy();
    },
  };
}

function containerMaxBytes({ number, size }: KeyRequest): number {
  return BODY_MAX_BYTES + number * (Math.ceil(size / 6) + ENTRY_MAX_BYTES);
}

function useAndWipe<T>(body: Uint8Array, use: () => T): T {
  try {
    return use();
  } finally {
    body.fill(0);
  }
}

/** The settings and the handshake let nothing else through: what fails here is a bug, not an answer. */
function checkRequest({ number, size }: KeyRequest): void {
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`no number of keys: ${number}`);
  if (!Number.isSafeInteger(size) || size < 8 || size % 8 !== 0) throw new RangeError(`no key size: ${size}`);
}

function checkKeyIds(keyIds: readonly KeyId[]): void {
  if (!keyIds.every(isKeyId)) throw new RangeError('a key ID is not fit to be asked for');
  if (new Set(keyIds).size !== keyIds.length) throw new RangeError('a key ID is asked for twice');
}
