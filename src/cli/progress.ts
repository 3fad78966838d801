/**
 * The progress bar, for whoever watches a terminal while keys are fetched: how many have come, how fast, how long yet.
 *
 * Calling sequence: `progressBar` once for the terminal, its answer at the begin of each fetch. The bar comes up when
 * a fetch takes long enough to be worth it, and leaves nothing behind. The library that draws it keeps lines that are
 * written to the terminal meanwhile above it. Nothing throws.
 */
import type { Ora } from 'ora';
import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import type { FetchWatch, WatchFetch } from '../exchange/watched-kme.js';

/** What is over before that needs no bar, and the library is not even loaded. */
const SHOW_AFTER_MS = 500;
const REFRESH_MS = 250;
const CELLS = 24;

/** A bar on `terminal`; of several fetches at a time the first has it. */
export function progressBar(terminal: NodeJS.WritableStream, clock: Clock): WatchFetch {
  let taken = false;
  return (total) => {
    if (taken) return NO_WATCH;
    taken = true;
    const bar = new Bar(total, terminal, clock);
    return {
      come: (done) => {
        bar.done = done;
      },
      end: () => {
        taken = false;
        bar.end();
      },
    };
  };
}

/** For where nobody watches. */
export const NO_WATCH: FetchWatch = { come: () => undefined, end: () => undefined };

class Bar {
  done = 0;
  readonly #total: number;
  readonly #terminal: NodeJS.WritableStream;
  readonly #clock: Clock;
  readonly #startedAt: number;
  #cancel: () => void;
  #ended = false;
  #line: Ora | undefined;

  constructor(total: number, terminal: NodeJS.WritableStream, clock: Clock) {
    this.#total = total;
    this.#terminal = terminal;
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
    this.#cancel = clock.after(SHOW_AFTER_MS, () => {
      // A bar that cannot be drawn is no reason to trouble the exchange.
      this.#show().catch(() => undefined);
    });
  }

  end(): void {
    this.#ended = true;
    this.#cancel();
    this.#line?.stop();
  }

  async #show(): Promise<void> {
    const { default: ora } = await import('ora');
    if (this.#ended) return;
    // stdin is nobody's, and hiding the cursor would bring signal handlers that are not ours.
    const options = { stream: this.#terminal, isEnabled: true, discardStdin: false, hideCursor: false };
    this.#line = ora({ ...options, text: this.#text() }).start();
    this.#refresh();
  }

  #refresh(): void {
    if (this.#ended || this.#line === undefined) return;
    this.#line.text = this.#text();
    this.#line.render();
    this.#cancel = this.#clock.after(REFRESH_MS, () => {
      this.#refresh();
    });
  }

  #text(): string {
    const { done } = this;
    const full = Math.floor((CELLS * done) / this.#total);
    const bar = `${'#'.repeat(full)}${'-'.repeat(CELLS - full)}`;
    const fetched = `fetching keys [${bar}] ${done}/${this.#total}`;
    const seconds = (this.#clock.monotonic() - this.#startedAt) / 1_000;
    const perSecond = done / seconds;
    if (done === 0 || seconds === 0) return fetched;
    const left = formatDuration(Math.ceil((this.#total - done) / perSecond) * 1_000);
    return `${fetched}, ${Math.round(perSecond)} keys/s, ${left} left`;
  }
}
