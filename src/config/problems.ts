/**
 * Everything that is wrong with the settings, collected, so that one run tells all of it.
 *
 * Calling sequence: `add`, `addAt` and `collect` at will; at the end `error`, undefined where nothing was added.
 */
import { QkdSyncError } from '../base/errors.js';
import type { ErrorCode } from '../base/errors.js';
import type { Origin } from './raw.js';

/** Nobody reads more. */
const LIMIT = 50;

export class Problems {
  readonly #lines = new Set<string>();
  #code: Extract<ErrorCode, 'usage' | 'config'> = 'usage';
  #hint: string | undefined;

  /** Only the first hint is kept: an error has one. */
  add(code: 'usage' | 'config', message: string, hint?: string): void {
    if (!this.isFull) this.#lines.add(message);
    if (code === 'config') this.#code = 'config';
    this.#hint ??= hint;
  }

  /** A mistake in what was written at `origin`. */
  addAt(origin: Origin, message: string, hint?: string): void {
    this.add(origin.kind === 'flag' ? 'usage' : 'config', `${origin.subject}${message}`, hint);
  }

  /** The result of `work`, or undefined where it failed with an error of ours, which is a problem then. */
  async collect<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof QkdSyncError)) throw error;
      this.add('config', error.message, error.hint);
      return undefined;
    }
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** How many there are so far. */
  get size(): number {
    return this.#lines.size;
  }

  /** Whether no more is taken. */
  get isFull(): boolean {
    return this.size >= LIMIT;
  }

  /**
   * One line for each; `usage` where all of them are in flags.
   * @param hint for all of them: goes before that of a setting, and with mistakes in flags where none is better
   */
  error(hint?: string): QkdSyncError | undefined {
    if (this.isEmpty) return undefined;
    const hints = this.#code === 'config' ? [hint, this.#hint] : [this.#hint ?? hint];
    const said = hints.filter((each) => each !== undefined);
    return new QkdSyncError(
      this.#code,
      [...this.#lines, ...(this.isFull ? ['and maybe more'] : [])].join('\n'),
      {
        hint: said.length === 0 ? undefined : said.join('; '),
      },
    );
  }
}
