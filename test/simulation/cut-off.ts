/**
 * Exchanges in peace that are cut off at both sites at once, each made once and kept for all the runs that begin with
 * what it has left.
 */
import { Dice } from './dice.js';
import type { OperationKind } from './fault.js';
import type { Remains } from './remains.js';
import { QUIET, type CutOff } from './scenario.js';
import { Simulation } from './simulation.js';

/** What only looks changes nothing: a cut after it is one before it. What decides weighs more. */
const WEIGHTS: Readonly<Partial<Record<OperationKind, number>>> = {
  rename: 6,
  syncFolder: 4,
  link: 2,
  unlink: 2,
  rmdir: 2,
  mkdir: 1,
  create: 1,
  write: 1,
  sync: 1,
};

/** A place to cut at: after so many steps. */
interface Place {
  readonly steps: number;
  /** Of it and all places before it. */
  readonly weight: number;
}

interface Course {
  readonly places: readonly Place[];
  readonly remains: Map<number, Remains>;
}

const courses = new Map<number, Course>();

export function remainsOf({ seed, progress }: CutOff): Remains {
  const course = courses.get(seed) ?? { places: placesOf(seed), remains: new Map<number, Remains>() };
  courses.set(seed, course);
  const { places, remains } = course;
  const goal = progress * (places.at(-1)?.weight ?? 0);
  const { steps } = places.find(({ weight }) => weight > goal) ?? { steps: 0 };
  const known = remains.get(steps) ?? cutAfter(seed, steps);
  remains.set(steps, known);
  return known;
}

function placesOf(seed: number): Place[] {
  const places: Place[] = [];
  const simulation = begun(seed);
  let [steps, seen, weight] = [0, 0, 0];
  while (simulation.advance()) {
    steps += 1;
    const { operations } = simulation.verdict();
    for (const { kind } of operations.slice(seen)) weight += WEIGHTS[kind] ?? 0;
    seen = operations.length;
    if (weight > (places.at(-1)?.weight ?? 0)) places.push({ steps, weight });
  }
  return places;
}

function cutAfter(seed: number, steps: number): Remains {
  const simulation = begun(seed);
  for (let step = 0; step < steps; step += 1) simulation.advance();
  return simulation.remains();
}

function begun(seed: number): Simulation {
  const simulation = new Simulation(new Dice(seed), QUIET);
  simulation.begin();
  return simulation;
}
