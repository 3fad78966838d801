/** Plants each bug and looks after how many seeds it is caught. */
import { BUGS } from './bugs/all.js';
import type { Change, PlantedBug, Shield } from './bugs/planted-bug.js';
import type { Failure } from './job.js';
import { runAll } from './pool.js';

/** Compiles the program with these changes; answers the folder. */
export type Plant = (name: string, changes: readonly Change[]) => Promise<string>;

/** A bug that so many seeds do not catch is not caught. */
const SEEDS_MAX = 20_000;
const BROKEN = /ReferenceError|TypeError|SyntaxError/;
/** At least as many are tried on a bug that another rule makes harmless, and as many as it needs without that rule. */
const HARMLESS_SEEDS = 500;

interface Row {
  readonly asExpected: boolean;
  readonly text: string;
}

/** What became of the planted bugs. */
export interface Catch {
  readonly planted: number;
  /** Of those, the ones that another rule makes harmless: each was caught together with a breach of that one. */
  readonly harmless: number;
  /** Caught, and harmless alone where that is expected. */
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
  const harmless = wanted.filter(({ shield }) => shield !== undefined).length;
  print(`${wanted.length} planted bugs, ${harmless} of them harmless alone, ${good} as expected`);
  return { planted: wanted.length, harmless, asExpected: good };
}

async function tryBug(plant: Plant, bug: PlantedBug): Promise<Row> {
  const { name, rule, changes, shield } = bug;
  const line = (text: string, what: string): string => `${rule.padEnd(22)} ${text.padEnd(54)} ${what}`;
  if (shield === undefined) {
    const first = await search(await plant(name, changes), 1, SEEDS_MAX);
    return { asExpected: isCatch(first), text: line(name, said(first)) };
  }
  const first = await searchUnshielded(plant, name, changes, shield);
  const count = Math.max(HARMLESS_SEEDS, first?.number ?? 0);
  const harm = await search(await plant(name, changes), 1, count);
  const alone =
    harm === undefined ? `harmless for ${count} seeds: ${shield.rule}` : `NOT HARMLESS: ${said(harm)}`;
  const text = [line(name, alone), line('  … without that', said(first))].join('\n');
  return { asExpected: isCatch(first) && harm === undefined, text };
}

/** The first seed at which the bug does harm that a breach of the other rule alone does not do. */
async function searchUnshielded(
  plant: Plant,
  name: string,
  changes: readonly Change[],
  shield: Shield,
): Promise<Failure | undefined> {
  const both = await plant(`${name} unshielded`, [...changes, ...shield.changes]);
  const breach = await plant(`${name} shield`, shield.changes);
  for (let from = 1; from <= SEEDS_MAX;) {
    const failure = await search(both, from, SEEDS_MAX - from + 1);
    if (failure === undefined || (await search(breach, failure.number, 1)) === undefined) return failure;
    from = failure.number + 1;
  }
  return undefined;
}

async function search(folder: string, from: number, count: number): Promise<Failure | undefined> {
  const job = { source: 'random', from, count, untilCaught: true, trace: false } as const;
  return (await runAll(folder, job, 1)).failures[0];
}

/** A bug that no longer fits the code around it proves nothing. */
function isCatch(failure: Failure | undefined): boolean {
  return failure?.violations.some((violation) => BROKEN.test(violation)) === false;
}

function said(failure: Failure | undefined): string {
  if (failure === undefined) return 'NOT CAUGHT';
  const { number, violations } = failure;
  if (!isCatch(failure)) return `DOES NOT FIT THE CODE: ${violations.find((one) => BROKEN.test(one)) ?? ''}`;
  return `${number} seeds: ${(violations[0] ?? '').slice(0, 90)}`;
}
