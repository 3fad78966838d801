/** What has come of one run. */
import type { Plan } from './plan.js';

export interface Verdict {
  /** What is wrong; empty where all is well. */
  readonly violations: readonly string[];
  /** What has gone wrong on a disk of which nobody could know that it deceives him: see host.ts. */
  readonly beyondPromise: readonly string[];
  /** How many contacts were needed after all that had gone wrong. */
  readonly contacts: number;
  /** How many key files both sites have saved. */
  readonly saved: number;
  /** Of how many key files the keys were given, and neither site has saved one. */
  readonly unsaved: number;
  readonly steps: number;
  /** What the hosts began to do, and how many messages were sent, while things could go wrong. */
  readonly operations: Plan['operations'];
  readonly messages: number;
}
