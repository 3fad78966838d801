/** Plants each bug and looks after how many seeds it is caught. */
import { BUGS } from './bugs/all.js';
import type { Change, PlantedBug, Shield } from './bugs/planted-bug.js';
import type { Failure } from './job.js';
import { runAll } from './pool.js';

/** Compiles the program with these changes; answers the folder. */
export type Plant = (name: string, changes: readonly Change[]) => Promise<string>;

/** A bug that so many seeds do not catch is not caught. */
const SEEDS_MAX = 12_000;
const BROKEN = /ReferenceError|TypeError|SyntaxError/;
/**
 * At least as many are tried on a bug that another rule makes harmless, and on a breach of that rule alone: no harm
 * must be done by as many as the two together need to be caught.
 */
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

async function tryBug(plant: Plant, { name, rule, changes, shield }: PlantedBug): Promise<Row> {
  const all = [...changes, ...(shield?.changes ?? [])];
  const first = await search(plant, shield === undefined ? name : `${name} unshielded`, all, SEEDS_MAX);
  // A bug that no longer fits the code around it proves nothing.
  const isBroken = first?.violations.some((violation) => BROKEN.test(violation)) === true;
  const isCaught = first !== undefined && !isBroken;
  const end = first === undefined ? 'NOT CAUGHT' : said(first);
  const line = (text: string, what: string): string => `${rule.padEnd(22)} ${text.padEnd(54)} ${what}`;
  if (shield === undefined) return { asExpected: isCaught, text: line(name, end) };
  const count = Math.max(HARMLESS_SEEDS, first?.number ?? 0);
  const harm = await harmOf(plant, name, changes, shield, count);
  const alone = harm ?? `harmless for ${count} seeds: ${shield.rule}`;
  const text = [line(name, alone), line('  … without that', end)].join('\n');
  return { asExpected: isCaught && harm === undefined, text };
}

/** The harm that one of the two does alone, which would leave nothing for the other to protect. */
async function harmOf(
  plant: Plant,
  name: string,
  changes: readonly Change[],
  shield: Shield,
  count: number,
): Promise<string | undefined> {
  for (const [what, planted] of [
    [name, changes],
    [`${name} shield`, shield.changes],
  ] as const) {
    const harm = await search(plant, what, planted, count);
    if (harm !== undefined) return `NOT HARMLESS, ${what}: ${said(harm)}`;
  }
  return undefined;
}

async function search(
  plant: Plant,
  name: string,
  changes: readonly Change[],
  count: number,
): Promise<Failure | undefined> {
  const folder = await plant(name, changes);
  const job = { source: 'random', from: 1, count, untilCaught: true, trace: false } as const;
  return (await runAll(folder, job, 1)).failures[0];
}

function said({ number, violations: [first = ''] }: Failure): string {
  return `${number} seeds: ${first.slice(0, 90)}`;
}
