/** Plants each bug and looks after how many seeds it is caught. */
import { BUGS } from './bugs/all.js';
import type { Change, PlantedBug } from './bugs/planted-bug.js';
import { runAll } from './pool.js';

/** Compiles the program with these changes; answers the folder. */
export type Plant = (name: string, changes: readonly Change[]) => Promise<string>;

/** A bug that so many seeds do not catch is not caught. */
const SEEDS_MAX = 12_000;
const BROKEN = /ReferenceError|TypeError|SyntaxError/;
/** As many are tried on one that another rule makes harmless: it must stay so. */
const HARMLESS_SEEDS = 500;

interface Row {
  readonly asExpected: boolean;
  readonly text: string;
}

/** What became of the planted bugs. */
export interface Catch {
  readonly planted: number;
  /** Of those, the ones that another rule makes harmless. */
  readonly harmless: number;
  /** Caught, or harmless as expected. */
  readonly asExpected: number;
}

/**
 * Each bug that can do harm must be caught.
 * @param only part of the name of those that are wanted
 */
export async function catchBugs(
  plant: Plant,
  only: string | undefined,
  jobs: number,
  print: (line: string) => void,
): Promise<Catch> {
  const wanted = BUGS.filter(({ name }) => only === undefined || name.includes(only));
  const queue = [...wanted];
  let good = 0;
  const labour = async (): Promise<void> => {
    for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
      const { asExpected, text } = await tryBug(plant, bug);
      if (asExpected) good += 1;
      print(text);
    }
  };
  print(`${'rule'.padEnd(22)} ${'planted bug'.padEnd(54)} caught after`);
  await Promise.all(Array.from({ length: Math.min(jobs, wanted.length) }, labour));
  const harmless = wanted.filter((bug) => bug.harmless !== undefined).length;
  print(`${wanted.length} planted bugs, ${harmless} of them harmless, ${good} as expected`);
  return { planted: wanted.length, harmless, asExpected: good };
}

async function tryBug(plant: Plant, bug: PlantedBug): Promise<Row> {
  const { name, rule, changes, harmless } = bug;
  const folder = await plant(name, changes);
  const count = harmless === undefined ? SEEDS_MAX : HARMLESS_SEEDS;
  const job = { source: 'random', from: 1, count, untilCaught: true, trace: false } as const;
  const [first] = (await runAll(folder, job, 1)).failures;
  // A bug that no longer fits the code around it proves nothing.
  const isBroken = first?.violations.some((violation) => BROKEN.test(violation)) === true;
  const missed = harmless === undefined ? 'NOT CAUGHT' : `harmless: ${harmless}`;
  const end =
    first === undefined ? missed : `${first.number} seeds: ${(first.violations[0] ?? '').slice(0, 90)}`;
  return {
    asExpected: !isBroken && (first === undefined) === (harmless !== undefined),
    text: `${rule.padEnd(22)} ${name.padEnd(54)} ${end}`,
  };
}
