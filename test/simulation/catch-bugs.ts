/** Plants each bug and looks after how many seeds it is caught. */
import { BUGS } from './bugs/all.js';
import type { Change, PlantedBug } from './bugs/planted-bug.js';
import { runAll } from './pool.js';

/** Compiles the program with these changes; answers the folder. */
export type Plant = (name: string, changes: readonly Change[]) => Promise<string>;

/** A bug that so many seeds do not catch is not caught. */
const SEEDS_MAX = 6_000;

/** @param only part of the name of those that are wanted */
export async function catchBugs(
  plant: Plant,
  only: string | undefined,
  jobs: number,
  print: (line: string) => void,
): Promise<boolean> {
  const wanted = BUGS.filter(({ name }) => only === undefined || name.includes(only));
  const queue = [...wanted];
  let caught = 0;
  const labour = async (): Promise<void> => {
    for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
      const row = await tryBug(plant, bug);
      if (row.caught) caught += 1;
      print(row.text);
    }
  };
  print(`${'rule'.padEnd(22)} ${'planted bug'.padEnd(54)} caught after`);
  await Promise.all(Array.from({ length: Math.min(jobs, wanted.length) }, labour));
  print(`${caught} of ${wanted.length} planted bugs caught`);
  return caught === wanted.length;
}

async function tryBug(plant: Plant, bug: PlantedBug): Promise<{ caught: boolean; text: string }> {
  const { name, rule, changes } = bug;
  const folder = await plant(name, changes);
  const job = { source: 'random', from: 1, count: SEEDS_MAX, untilCaught: true, trace: false } as const;
  const { failures } = await runAll(folder, job, 1);
  const [first] = failures;
  const end =
    first === undefined ? 'NOT CAUGHT' : `${first.number} seeds: ${first.violations[0] ?? ''}`.slice(0, 110);
  return { caught: first !== undefined, text: `${rule.padEnd(22)} ${name.padEnd(54)} ${end}` };
}
