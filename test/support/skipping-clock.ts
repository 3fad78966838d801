/** The real time, and leaps over a wait that nothing can end any more. */
import { systemClock, type Clock } from '../../src/base/clock.js';

export class SkippingClock implements Clock {
  #aheadMs = 0;
  readonly #timers = new Set<() => void>();

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#aheadMs;
  }

  after(ms: number, wake: () => void): () => void {
    const due = this.monotonic() + ms;
    let cancel = (): void => undefined;
    const look = (): void => {
      const leftMs = due - this.monotonic();
      cancel();
      if (leftMs > 0) {
        cancel = systemClock.after(leftMs, look);
        return;
      }
      this.#timers.delete(look);
      wake();
    };
    cancel = systemClock.after(ms, look);
    this.#timers.add(look);
    return () => {
      cancel();
      this.#timers.delete(look);
    };
  }

  /** What is due within `ms` from now is due now. */
  skip(ms: number): void {
    this.#aheadMs += ms;
    for (const look of [...this.#timers]) look();
  }
}
