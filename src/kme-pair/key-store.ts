/**
 * The keys that the two KMEs of the pair share, as a QKD link would have put them into both.
 *
 * Calling sequence: `make` for the master SAE, then `take` once by the slave SAE; a key that was taken is gone.
 * Nothing throws: running out and unknown IDs are answers.
 */
import { Secret, type Key, type KeyId } from '../base/key.js';
import type { Random } from '../base/random.js';

/** The two SAEs that a key is for (ETSI GS QKD 014, section 3.1). */
export interface SaePair {
  readonly masterSae: string;
  readonly slaveSae: string;
}

export interface KeyStoreOptions {
  readonly random: Random;
  /** The most keys that wait for their slave SAE, for each pair of SAEs. */
  readonly maxKeyCount: number;
  /** How many keys may still be made, for all pairs together; undefined is no limit. */
  readonly stock?: number | undefined;
}

/** What `take` found. Only `delivered` changed anything. */
export type Taking =
  | { readonly outcome: 'delivered'; readonly keys: readonly Key[] }
  | { readonly outcome: 'unknown'; readonly keyIds: readonly KeyId[] }
  | { readonly outcome: 'not-yours'; readonly keyIds: readonly KeyId[] };

interface Entry extends SaePair {
  readonly key: Key;
}

export class KeyStore {
  readonly #random: Random;
  readonly #maxKeyCount: number;
  readonly #entries = new Map<KeyId, Entry>();
  #stock: number;

  constructor({ random, maxKeyCount, stock }: KeyStoreOptions) {
    this.#random = random;
    this.#maxKeyCount = maxKeyCount;
    this.#stock = stock ?? Infinity;
  }

  /** How many keys `make` would deliver to this pair now. */
  available(pair: SaePair): number {
    let waiting = 0;
    for (const entry of this.#entries.values()) if (isFor(entry, pair)) waiting += 1;
    return Math.max(0, Math.min(this.#maxKeyCount - waiting, this.#stock));
  }

  /** `number` new keys of `size` bits, or undefined where there are not that many: then none is made. */
  make(pair: SaePair, number: number, size: number): readonly Key[] | undefined {
    if (number > this.available(pair)) return undefined;
    this.#stock -= number;
    return Array.from({ length: number }, () => {
      const key: Key = { keyId: uuid(this.#random), secret: new Secret(this.#random(size / 8)) };
      this.#entries.set(key.keyId, { masterSae: pair.masterSae, slaveSae: pair.slaveSae, key });
      return key;
    });
  }

  /** Hands the keys over in the order of `keyIds`, all or none. The caller owns the secrets from then on. */
  take(pair: SaePair, keyIds: readonly KeyId[]): Taking {
    const foreign = keyIds.filter((keyId) => {
      const entry = this.#entries.get(keyId);
      return entry !== undefined && entry.slaveSae !== pair.slaveSae;
    });
    if (foreign.length > 0) return { outcome: 'not-yours', keyIds: foreign };

    const keys: Key[] = [];
    const unknown: KeyId[] = [];
    for (const keyId of keyIds) {
      const entry = this.#entries.get(keyId);
      if (entry !== undefined && isFor(entry, pair)) keys.push(entry.key);
      else unknown.push(keyId);
    }
    if (unknown.length > 0) return { outcome: 'unknown', keyIds: unknown };

    for (const keyId of keyIds) this.#entries.delete(keyId);
    return { outcome: 'delivered', keys };
  }

  /** Overwrites and forgets every key that is left. */
  clear(): void {
    for (const entry of this.#entries.values()) entry.key.secret.wipe();
    this.#entries.clear();
  }
}

function isFor(entry: Entry, pair: SaePair): boolean {
  return entry.masterSae === pair.masterSae && entry.slaveSae === pair.slaveSae;
}

/** A version 4 UUID (RFC 9562, section 5.4). */
function uuid(random: Random): KeyId {
  const bytes = Buffer.from(random(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
