/** Two KMEs over one store of keys: each key is delivered once to each side, and never again. */
import { QkdSyncError } from '../../src/base/errors.js';
import { Secret, type Key, type KeyId } from '../../src/base/key.js';
import type { Kme, KeyRequest, KmeStatus } from '../../src/kme/kme.js';
import type { Process } from './process.js';

/** How long a request takes before it is given up. */
const REQUEST_MS = 10_000;

/** All keys of a link that were ever made. */
export class KeyStore {
  readonly made = new Map<KeyId, Uint8Array>();
  /** The first key ID by what a file of exactly the keys of one request holds, in their order. */
  readonly byContent = new Map<string, KeyId>();
  readonly #waiting = new Set<KeyId>();

  /** All keys of another link, as if they had been made here. */
  takeOver(other: KeyStore): void {
    for (const [keyId, bytes] of other.made) this.made.set(keyId, bytes);
    for (const [content, keyId] of other.byContent) this.byContent.set(content, keyId);
    for (const keyId of other.#waiting) this.#waiting.add(keyId);
  }

  /** The keys of one request. */
  make(count: number, random: () => Uint8Array): Key[] {
    let content = '';
    const keys = Array.from({ length: count }, () => {
      const keyId = `key-${this.made.size}`;
      const bytes = random();
      this.made.set(keyId, bytes);
      this.#waiting.add(keyId);
      content += `${Buffer.from(bytes).toString('hex')}\n`;
      return { keyId, secret: new Secret(Uint8Array.from(bytes)) };
    });
    const [first] = keys;
    if (first !== undefined) this.byContent.set(content, first.keyId);
    return keys;
  }

  take(keyId: KeyId): Key {
    const bytes = this.made.get(keyId);
    if (bytes === undefined || !this.#waiting.delete(keyId)) {
      throw new QkdSyncError('kme-answer', `the KME has no key ${keyId}`);
    }
    return { keyId, secret: new Secret(Uint8Array.from(bytes)) };
  }
}

export class SimulatedKme implements Kme {
  readonly servedBy = undefined;
  readonly #store: KeyStore;
  readonly #process: Process;

  constructor(store: KeyStore, process: Process) {
    this.#store = store;
    this.#process = process;
  }

  status(_peerSae: string, signal: AbortSignal): Promise<KmeStatus> {
    return this.#ask('status', signal, () => ({}));
  }

  getKey(_slaveSae: string, { number, size }: KeyRequest, signal: AbortSignal): Promise<Key[]> {
    const { dice } = this.#process.world;
    return this.#ask('getKey', signal, () => this.#store.make(number, () => dice.bytes(size / 8)));
  }

  getKeyWithKeyIds(
    _masterSae: string,
    keyIds: readonly KeyId[],
    _size: number,
    signal: AbortSignal,
  ): Promise<Key[]> {
    return this.#ask('getKeyWithKeyIds', signal, () => keyIds.map((keyId) => this.#store.take(keyId)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #ask<T>(method: string, signal: AbortSignal, answer: () => T): Promise<T> {
    const { host, world } = this.#process;
    return new Promise((resolve, reject) => {
      const give = (): void => {
        try {
          resolve(answer());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const run = (): void => {
        const fate = host.nemesis.kme(host.id);
        world.trace?.(
          `${this.#process.name}: asks its KME (${method})${fate === undefined ? '' : `   *** ${fate}`}`,
        );
        if (signal.aborted) reject(new QkdSyncError('interrupted', 'interrupted'));
        else if (fate === 'hang') this.#hang(signal, reject);
        else if (fate !== undefined) reject(new QkdSyncError(fate, 'the KME says no'));
        else give();
      };
      world.add({ actor: this.#process, run });
    });
  }

  #hang(signal: AbortSignal, reject: (error: QkdSyncError) => void): void {
    const stop = (): void => {
      cancel();
      reject(new QkdSyncError('interrupted', 'interrupted'));
    };
    const cancel = this.#process.world.after(REQUEST_MS, this.#process, () => {
      signal.removeEventListener('abort', stop);
      reject(new QkdSyncError('kme-unreachable', 'no answer in time'));
    });
    signal.addEventListener('abort', stop);
  }
}
