/**
 * The KME client: the three methods of ETSI GS QKD 014 over HTTPS, at one KME or the first of several that can serve.
 *
 * Calling sequence: `createKmeClient` once, its methods at will, `close` at the end. Errors: as `Kme` promises;
 * `createKmeClient` itself throws `config`.
 *
 * A set of keys is one unit: any of them missing, all are overwritten, and the log calls them lost.
 */
import { Agent } from 'undici';
import { QkdSyncError } from '../base/errors.js';
import { isKeyId } from '../base/key.js';
import type { Key, KeyId } from '../base/key.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { parseKmeUrl } from './address.js';
import { ask } from './asking.js';
import type { AskContext, AskSignals, Endpoint, Question, Told } from './asking.js';
import { isPlainBeyondLoopback, keysPerRequest } from './dialect.js';
import { fetchBy } from './dispatch.js';
import type { Fetch } from './http.js';
import type { KeyProgress, KeyRequest, Kme, KmeStatus } from './kme.js';
import { loseKeys } from './lost-keys.js';
import { inParallel, partsOf } from './parts.js';
import type { Part } from './parts.js';
import { aboutDecKeys, aboutEncKeys, aboutStatus } from './questions.js';
import type { Manner } from './questions.js';
import { agentOptions } from './tls.js';
import type { KmeTls } from './tls.js';

export interface KmeClientOptions extends Manner {
  /** `https://host:port`, a path prefix allowed; plain http on loopback only. In the order in which they are tried. */
  readonly urls: readonly string[];
  /** Plain http elsewhere too; said loudly. */
  readonly insecure: boolean;
  /** For each request, from connecting to the body's end, in milliseconds. */
  readonly timeoutMs: number;
  /** The most keys to ask for at once, instead of 4,096, where the KME's status does not say less. */
  readonly maxPerRequest?: number | undefined;
  /** How many requests at a time. */
  readonly parallel: number;
  readonly tls: KmeTls;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Instead of undici's, for tests; TLS is then its own affair. */
  readonly fetch?: Fetch;
}

/** Never aborts. */
const GO_ON = new AbortController().signal;

export function createKmeClient(options: KmeClientOptions): Kme {
  return new KmeClient(options);
}

class KmeClient implements Kme {
  readonly #options: KmeClientOptions;
  readonly #agent: Agent;
  readonly #context: AskContext;
  /** Those that have served last come first. */
  #endpoints: readonly Endpoint[];
  #servedBy: Endpoint | undefined;
  /** What `status` has advised as the most keys a request, by SAE; undefined where it was no help. */
  readonly #advice = new Map<string, number | undefined>();

  constructor(options: KmeClientOptions) {
    const { urls, insecure, tls, clock, random, log, timeoutMs } = options;
    this.#options = options;
    this.#endpoints = urls.map((url) => ({ base: parseKmeUrl(url, insecure), closed: undefined }));
    if (this.#endpoints.length === 0) throw new QkdSyncError('config', 'kme.url is empty');
    this.#agent = new Agent(agentOptions(tls, timeoutMs));
    this.#context = { http: { fetch: options.fetch ?? fetchBy(this.#agent), clock, timeoutMs }, random, log };
    for (const { base } of this.#endpoints) {
      if (!isPlainBeyondLoopback(base)) continue;
      const message = `kme.insecure: keys travel in the clear, and anybody can pose as the KME at ${base.origin}`;
      log('warn', 'kme-insecure', message, { kme: base.origin });
    }
  }

  get servedBy(): string | undefined {
    return this.#servedBy?.base.origin;
  }

  async status(peerSae: string, signal: AbortSignal): Promise<KmeStatus> {
    const { value } = await this.#ask(aboutStatus(peerSae), { signal, stop: GO_ON });
    this.#advice.set(peerSae, value.maxKeyPerRequest);
    return value;
  }

  async getKey(
    slaveSae: string,
    { number, size }: KeyRequest,
    signal: AbortSignal,
    onProgress?: KeyProgress,
  ): Promise<Key[]> {
    checkRequest({ number, size });
    const parts = partsOf(number, await this.#perRequest(slaveSae, number, signal));
    const keyIds = new Set<KeyId>();
    // Keys of two KMEs need not lie side by side at the peer's, so the one that has given the first gives all.
    let only: Endpoint | undefined;
    return this.#gather('enc_keys', parts, onProgress, async (part, keys, stop) => {
      while (keys.length < part.length) {
        const question = aboutEncKeys(slaveSae, { number: part.length - keys.length, size }, this.#options);
        const { value, by } = await this.#ask(question, { signal, stop }, only);
        only = by;
        for (const key of value) keys.push(key);
        for (const { keyId } of value) requireNew(keyIds, keyId);
      }
    });
  }

  async getKeyWithKeyIds(
    masterSae: string,
    keyIds: readonly KeyId[],
    size: number,
    signal: AbortSignal,
    onProgress?: KeyProgress,
  ): Promise<Key[]> {
    checkRequest({ number: keyIds.length, size });
    checkKeyIds(keyIds);
    const most =
      this.#options.decMethod === 'get' ? 1 : await this.#perRequest(masterSae, keyIds.length, signal);
    return this.#gather('dec_keys', partsOf(keyIds.length, most), onProgress, async (part, keys, stop) => {
      const asked = keyIds.slice(part.at, part.at + part.length);
      const { value } = await this.#ask(aboutDecKeys(masterSae, asked, size, this.#options), {
        signal,
        stop,
      });
      for (const key of value) keys.push(key);
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #ask<T>(question: Question<T>, signals: AskSignals, only?: Endpoint): Promise<Told<T>> {
    const endpoints = only === undefined ? this.#endpoints : [only];
    const told = await ask(this.#context, endpoints, question, signals);
    if (question.keys > 0) this.#serve(told.by);
    else this.#askLast(told.silent);
    return told;
  }

  /** Of a KME that does not even tell its status, a request for keys would only be lost. */
  #askLast(silent: readonly Endpoint[]): void {
    this.#endpoints = [...this.#endpoints.filter((one) => !silent.includes(one)), ...silent];
  }

  #serve(by: Endpoint): void {
    if (by !== this.#servedBy && this.#endpoints.length > 1) {
      const { origin } = by.base;
      this.#options.log('info', 'kme-served', `${origin} gives the keys`, { kme: origin });
    }
    this.#servedBy = by;
    this.#endpoints = [by, ...this.#endpoints.filter((other) => other !== by)];
  }

  /** How many keys to ask for at once, after a look at the status where that may tell. */
  async #perRequest(sae: string, number: number, signal: AbortSignal): Promise<number> {
    const { maxPerRequest } = this.#options;
    if (number === 1 || maxPerRequest === 1) return 1;
    if (!this.#advice.has(sae)) {
      this.#advice.set(sae, undefined);
      try {
        await this.status(sae, signal);
      } catch (error) {
        if (!(error instanceof QkdSyncError) || error.code === 'interrupted') throw error;
      }
    }
    return keysPerRequest(maxPerRequest, this.#advice.get(sae));
  }

  /** The keys of all parts in their order. Whatever is missing, all are lost. */
  async #gather(
    call: 'enc_keys' | 'dec_keys',
    parts: readonly Part[],
    onProgress: KeyProgress | undefined,
    fetchPart: (part: Part, keys: Key[], stop: AbortSignal) => Promise<void>,
  ): Promise<Key[]> {
    const { parallel, log } = this.#options;
    const work = parts.map((part) => ({ part, keys: [] as Key[] }));
    const [first, ...others] = work;
    let done = 0;
    const fetchOne = async (one: (typeof work)[number], stop: AbortSignal): Promise<void> => {
      await fetchPart(one.part, one.keys, stop);
      done += one.keys.length;
      onProgress?.(done);
    };
    try {
      // Which of several KMEs serves is found out by the first request.
      if (first !== undefined && this.#endpoints.length > 1) await fetchOne(first, GO_ON);
      await inParallel(this.#endpoints.length > 1 ? others : work, parallel, fetchOne);
      return work.flatMap(({ keys }) => keys);
    } catch (error) {
      const why = error instanceof QkdSyncError ? error.message : 'a bug';
      const keys = work.flatMap((one) => one.keys);
      loseKeys(log, call, keys, why);
      throw error;
    }
  }
}

function requireNew(keyIds: Set<KeyId>, keyId: KeyId): void {
  if (keyIds.has(keyId)) {
    throw new QkdSyncError(
      'kme-answer',
      "the KME's key container is unusable: it repeats the key_ID of an earlier one",
    );
  }
  keyIds.add(keyId);
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
