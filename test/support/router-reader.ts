/**
 * A reader of key files that does what the key router of qkd-net does, in its failures too: for tests that its two
 * ends read the same keys.
 *
 * It takes keys in lots, one lot after the other, a whole file of `<peer>/<peer>_<n>` before the next. A file is read
 * as lines of hex, over and over until as many keys as a file ought to have are taken: one that is too short gives
 * the same keys again, an empty one none for ever. A shorter line leaves the rest of its key zero, a longer one is an
 * exception, and so is a file that is missing.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface RouterSizes {
  /** `keyBytesSz`. */
  readonly keyBytes: number;
  /** `keyBlockSz`: keys of one lot. */
  readonly lotKeys: number;
  /** `qllBlockSz`: keys of one file. */
  readonly fileKeys: number;
}

export const SHIPPED_SIZES: RouterSizes = { keyBytes: 32, lotKeys: 1_024, fileKeys: 4_096 };

export class RouterReader {
  readonly #folder: string;
  readonly #peer: string;
  readonly #sizes: RouterSizes;
  #file = 0;
  #taken = 0;

  /** @param keys the folder of all peers' key files */
  constructor(keys: string, peer: string, sizes = SHIPPED_SIZES) {
    this.#folder = join(keys, peer);
    this.#peer = peer;
    this.#sizes = sizes;
  }

  /** The next lot, its keys end to end. */
  async read(): Promise<Buffer> {
    const { keyBytes, lotKeys } = this.#sizes;
    const lot = Buffer.alloc(keyBytes * lotKeys);
    let filled = 0;
    while (filled < lotKeys) {
      for (const key of await this.#take(lotKeys - filled)) {
        if (key.length > keyBytes) {
          throw new RangeError(`a key of ${key.length} bytes in the place of ${keyBytes}`);
        }
        key.copy(lot, filled * keyBytes);
        filled += 1;
      }
    }
    return lot;
  }

  /** At most `wanted` keys of the present file. */
  async #take(wanted: number): Promise<Buffer[]> {
    const { fileKeys } = this.#sizes;
    const text = await readFile(join(this.#folder, `${this.#peer}_${this.#file}`), 'latin1');
    const lines = text.split('\n').filter((line) => line !== '');
    // At the end of the file it begins again, without ever finding a line.
    if (lines.length === 0) return new Promise<never>(() => undefined);
    const count = Math.min(wanted, fileKeys - this.#taken);
    const keys = Array.from({ length: count }, (_, at) => {
      return Buffer.from(lines[(this.#taken + at) % lines.length] ?? '', 'hex');
    });
    this.#taken += count;
    if (this.#taken === fileKeys) {
      this.#file += 1;
      this.#taken = 0;
    }
    return keys;
  }
}

/** The keys of a lot in hex, one by one. */
export function keysOf(lot: Buffer, { keyBytes } = SHIPPED_SIZES): string[] {
  return Array.from({ length: lot.length / keyBytes }, (_, at) =>
    lot.subarray(at * keyBytes, (at + 1) * keyBytes).toString('hex'),
  );
}
