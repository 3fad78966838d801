/** What a worker is given to do, and what it answers. */
import type { Order } from './exhaustive.js';

export interface Job {
  /** Random scenarios, by seed, or all of an enumeration, by index. */
  readonly source: 'random' | Order;
  readonly from: number;
  readonly count: number;
  /** Stops at the first run that fails. */
  readonly untilCaught: boolean;
  readonly trace: boolean;
}

export interface Failure {
  readonly source: Job['source'];
  /** The seed, or the index. */
  readonly number: number;
  readonly violations: readonly string[];
}

export interface Tally {
  readonly runs: number;
  readonly steps: number;
  /** Key files that both sites have saved. */
  readonly saved: number;
  /** Those whose keys were given and that neither site has saved. */
  readonly unsaved: number;
  /** How many runs needed so many contacts, by their number. */
  readonly contacts: readonly number[];
  readonly failures: readonly Failure[];
  /** Those that went wrong beyond what is promised, by number: nothing can be done about them. */
  readonly beyondPromise: readonly number[];
  readonly cpuMs: number;
}

export const NO_RUNS: Tally = {
  runs: 0,
  steps: 0,
  saved: 0,
  unsaved: 0,
  contacts: [],
  failures: [],
  beyondPromise: [],
  cpuMs: 0,
};

export function add(one: Tally, other: Tally): Tally {
  const length = Math.max(one.contacts.length, other.contacts.length);
  return {
    runs: one.runs + other.runs,
    steps: one.steps + other.steps,
    saved: one.saved + other.saved,
    unsaved: one.unsaved + other.unsaved,
    contacts: Array.from({ length }, (_, at) => (one.contacts[at] ?? 0) + (other.contacts[at] ?? 0)),
    failures: [...one.failures, ...other.failures],
    beyondPromise: [...one.beyondPromise, ...other.beyondPromise],
    cpuMs: one.cpuMs + other.cpuMs,
  };
}
