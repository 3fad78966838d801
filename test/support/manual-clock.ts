/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/base/clock.js';

interface Timer {
  readonly at: number;
  readonly wake: () => void;
}

export class ManualClock implements Clock {
  #now = 1_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, wake: () => void): () => void {
    const timer = { at: this.#now + ms, wake };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Timers that are set and neither fired nor cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on to the next timer and fires it; false where none is set. */
  advanceToNext(): boolean {
    if (this.#timers.size === 0) return false;
    const due = Math.min(...[...this.#timers].map(({ at }) => at));
    this.advance(Math.max(due - this.#now, 0));
    return true;
  }

  /** Moves on by `ms` and fires what is due, earliest first. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.wake();
    }
    this.#now = end;
  }
}
