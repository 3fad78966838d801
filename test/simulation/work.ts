/** Does a job: one run after the other. Must be called from a macrotask. */
import { Dice } from './dice.js';
import { enumerate, type Enumeration, type Order } from './exhaustive.js';
import type { Failure, Job, Tally } from './job.js';
import { randomScenario } from './scenario.js';
import { simulate } from './run.js';

/** So many failures are told; more would say the same. */
const FAILURES_MAX = 20;

let known: { readonly order: string; readonly list: Enumeration } | undefined;

function enumeration(order: Order): Enumeration {
  if (known?.order !== order) known = { order, list: enumerate(order) };
  return known.list;
}

export function work(job: Job, print: (line: string) => void): Tally {
  const { source, from, count, untilCaught, trace } = job;
  const began = process.cpuUsage();
  const failures: Failure[] = [];
  const beyondPromise: number[] = [];
  const contacts: number[] = [];
  let [runs, steps, saved, unsaved] = [0, 0, 0, 0];
  for (let number = from; number < from + count; number += 1) {
    const dice = new Dice(number);
    const scenario = source === 'random' ? randomScenario(dice) : enumeration(source).at(number);
    if (trace) print(JSON.stringify(scenario));
    const verdict = simulate(dice, scenario, trace ? print : undefined);
    runs += 1;
    steps += verdict.steps;
    saved += verdict.saved;
    unsaved += verdict.unsaved;
    contacts[verdict.contacts] = (contacts[verdict.contacts] ?? 0) + 1;
    const { violations } = verdict;
    if (verdict.beyondPromise.length > 0) beyondPromise.push(number);
    if (violations.length === 0) continue;
    if (failures.length < FAILURES_MAX) failures.push({ source, number, violations });
    if (untilCaught) break;
  }
  const { user, system } = process.cpuUsage(began);
  return { runs, steps, saved, unsaved, contacts, failures, beyondPromise, cpuMs: (user + system) / 1_000 };
}
