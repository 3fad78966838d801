/** Time as a parameter, so that the simulator can own it. */

export interface Clock {
  /** Wall clock, in milliseconds since 1970; only for records and logs. */
  now(): number;
  /** A clock that never jumps, in milliseconds from an arbitrary start; for every deadline. */
  monotonic(): number;
  /** Calls `wake` once after `ms`; the answer cancels it. */
  after(ms: number, wake: () => void): () => void;
}

/** The longest delay that Node's timers take, in milliseconds; a longer one would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, wake) => {
    const timer = setTimeout(wake, Math.min(Math.max(ms, 0), TIMER_MAX_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Waits `ms`, or until `signal` aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    if (signal?.aborted === true) done();
    else signal?.addEventListener('abort', done);
  });
}
