/** Two KMEs over one key store, in memory: each key is delivered once to each side. */
import { randomBytes } from 'node:crypto';
import { QkdSyncError } from '../../src/base/errors.js';
import { Secret, type Key, type KeyId } from '../../src/base/key.js';
import type { Kme, KeyRequest, KmeStatus } from '../../src/kme/kme.js';

export type KmeMethod = 'status' | 'getKey' | 'getKeyWithKeyIds';
/** An error that every call of the method ends in, or no answer until the caller gives up. */
export type KmeFault = QkdSyncError | 'hang';

/** The keys of one link; what was made stays known, so that a test can look for it. */
export class KeyStore {
  readonly made = new Map<KeyId, Uint8Array>();
  /** All that was handed out, to see what became of it. */
  readonly handedOut: Secret[] = [];
  readonly #waiting = new Set<KeyId>();
  nextKeyId: () => KeyId = () => `key-${String(this.made.size).padStart(4, '0')}`;

  make(size: number): Key {
    const keyId = this.nextKeyId();
    const bytes = randomBytes(size / 8);
    this.made.set(keyId, bytes);
    this.#waiting.add(keyId);
    return this.#handOut(keyId, bytes);
  }

  take(keyId: KeyId): Key {
    const bytes = this.made.get(keyId);
    if (bytes === undefined || !this.#waiting.delete(keyId)) {
      throw new QkdSyncError('kme-answer', `the KME has no key ${keyId}`);
    }
    return this.#handOut(keyId, bytes);
  }

  #handOut(keyId: KeyId, bytes: Uint8Array): Key {
    const secret = new Secret(Uint8Array.from(bytes));
    this.handedOut.push(secret);
    return { keyId, secret };
  }
}

export class FakeKme implements Kme {
  readonly servedBy = undefined;
  readonly calls: { readonly method: KmeMethod; readonly peerSae: string }[] = [];
  readonly faults = new Map<KmeMethod, KmeFault>();
  readonly #store: KeyStore;

  constructor(store: KeyStore) {
    this.#store = store;
  }

  count(method: KmeMethod): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  async status(peerSae: string, signal: AbortSignal): Promise<KmeStatus> {
    await this.#begin('status', peerSae, signal);
    return { storedKeyCount: 100 };
  }

  async getKey(slaveSae: string, { number, size }: KeyRequest, signal: AbortSignal): Promise<Key[]> {
    await this.#begin('getKey', slaveSae, signal);
    return Array.from({ length: number }, () => this.#store.make(size));
  }

  async getKeyWithKeyIds(
    masterSae: string,
    keyIds: readonly KeyId[],
    _size: number,
    signal: AbortSignal,
  ): Promise<Key[]> {
    await this.#begin('getKeyWithKeyIds', masterSae, signal);
    return keyIds.map((keyId) => this.#store.take(keyId));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #begin(method: KmeMethod, peerSae: string, signal: AbortSignal): Promise<void> {
    this.calls.push({ method, peerSae });
    await new Promise(setImmediate);
    const fault = this.faults.get(method);
    if (fault === 'hang') await aborted(signal);
    else if (fault !== undefined) throw fault;
    if (signal.aborted) throw new QkdSyncError('interrupted', 'interrupted');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener('abort', () => {
        resolve();
      });
  });
}
