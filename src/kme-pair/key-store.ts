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
  /** How many of the entries are whose, by `nameOf`. */
  readonly #waiting = new Map<string, number>();
  #stock: number;

  constructor({ random, maxKeyCount, stock }: KeyStoreOptions) {
    this.#random = random;
    this.#maxKeyCount = maxKeyCount;
    this.#stock = stock ?? Infinity;
  }

  /** How many keys `make` would deliver to this pair now. */
  available(pair: SaePair): number {
    return Math.max(0, Math.min(this.#maxKeyCount - this.#waitingFor(pair), this.#stock));
  }

  /**
   * `number` new keys of `size` bits, or undefined where there are not that many: then none is made.
   * @param nameKey makes their IDs, each of them new
   */
  make(
    pair: SaePair,
    number: number,
    size: number,
    nameKey: (random: Random) => KeyId = (random) => uuid(random),
  ): readonly Key[] | undefined {
    if (number > this.available(pair)) return undefined;
    this.#stock -= number;
    this.#waiting.set(nameOf(pair), this.#waitingFor(pair) + number);
    return Array.from({ length: number }, () => {
      const key: Key = { keyId: nameKey(this.#random), secret: new Secret(this.#random(size / 8)) };
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
    this.#waiting.set(nameOf(pair), this.#waitingFor(pair) - keyIds.length);
    return { outcome: 'delivered', keys };
  }

  /** Overwrites and forgets the keys that wait for this pair's slave SAE. */
  discard(pair: SaePair): void {
    for (const [keyId, entry] of this.#entries) {
      if (!isFor(entry, pair)) continue;
      entry.key.secret.wipe();
      this.#entries.delete(keyId);
    }
    this.#waiting.delete(nameOf(pair));
  }

  /** Overwrites and forgets every key that is left. */
  clear(): void {
    for (const entry of this.#entries.values()) entry.key.secret.wipe();
    this.#entries.clear();
    this.#waiting.clear();
  }

  #waitingFor(pair: SaePair): number {
    return this.#waiting.get(nameOf(pair)) ?? 0;
  }
}

/** No two pairs share one, whatever their IDs are. */
function nameOf({ masterSae, slaveSae }: SaePair): string {
  return JSON.stringify([masterSae, slaveSae]);
}

function isFor(entry: Entry, pair: SaePair): boolean {
  return entry.masterSae === pair.masterSae && entry.slaveSae === pair.slaveSae;
}

/** A random UUID (RFC 9562, sections 5.4 and 5.8). */
export function uuid(random: Random, version: 4 | 8 = 4): KeyId {
  const bytes = Buffer.from(random(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
