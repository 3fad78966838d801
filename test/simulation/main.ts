/**
 * `npm run simulate`: the simulator's command line.
 *
 * Exit codes: 64 where the arguments make no sense; 1 where anything is violated, or a planted bug is not caught, or there
 * is none of this name; with --ci also where something went wrong beyond what is promised, which takes three faults and
 * has never been met there.
 */
import { writeFile } from 'node:fs/promises';
import { withOptions } from '../command-line/with-options.js';
import { catchBugs, type Catch, type Plant } from './catch-bugs.js';
import { enumerate } from './exhaustive.js';
import type { Job, Tally } from './job.js';
import { HELP, parseOptions, type Options } from './options.js';
import { runAll } from './pool.js';
import { work } from './work.js';

export interface Program {
  /** Where the program without bugs has been compiled to. */
  readonly plain: string;
  readonly plant: Plant;
}

/** One order of runs, and what came of it. */
interface Result extends Tally {
  readonly source: Job['source'];
  readonly from: number;
  readonly seconds: number;
}

const CI_SEEDS = 20_000;

export function main(args: readonly string[], program: Program): Promise<number> {
  return withOptions(
    () => parseOptions(args),
    HELP,
    (options) => simulate(options, program),
  );
}

async function simulate(options: Options, program: Program): Promise<number> {
  const { from, jobs, trace } = options;
  const results: Result[] = [];
  let bugs: Catch | undefined;

  if (options.exhaustive !== undefined || options.ci) {
    const source = options.exhaustive ?? 'single';
    const { count } = await macrotask(() => enumerate(source));
    const only = options.seeds ?? count;
    const whole = { source, from: only < count ? from : 0, count: only, untilCaught: false, trace };
    results.push(await run(whole, program.plain, jobs));
  }
  if ((options.seeds !== undefined && options.exhaustive === undefined) || options.ci) {
    const count = options.seeds ?? CI_SEEDS;
    const random = { source: 'random', from, count, untilCaught: false, trace } as const;
    results.push(await run(random, program.plain, jobs));
  }
  if (options.bugs || options.bug !== undefined || options.ci) {
    bugs = await catchBugs(program.plant, options.bug, jobs, print);
  }
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ results, bugs })}\n`);
  const caught = bugs === undefined || (bugs.planted > 0 && bugs.asExpected === bugs.planted);
  const isGood = ({ failures, beyondPromise }: Result): boolean =>
    failures.length === 0 && !(options.ci && beyondPromise.length > 0);
  return caught && results.every(isGood) ? 0 : 1;
}

async function run(job: Job, folder: string, jobs: number): Promise<Result> {
  const began = performance.now();
  const tally = job.trace ? await macrotask(() => work(job, print)) : await runAll(folder, job, jobs);
  const seconds = (performance.now() - began) / 1_000;
  report(job, tally, seconds);
  return { source: job.source, from: job.from, seconds, ...tally };
}

function report({ source }: Job, tally: Tally, seconds: number): void {
  const { runs, contacts, failures, beyondPromise, saved, unsaved, steps, cpuMs } = tally;
  const needed = contacts.map((count, at) => `${at}: ${count}`).join(', ');
  print(
    `${source}: ${runs} runs in ${seconds.toFixed(1)} s (${Math.round((runs * 1_000) / cpuMs)} a second of a processor, ` +
      `${Math.round(steps / runs)} steps each), ${saved} key files saved by both, ${unsaved} by neither, contacts needed ${needed}, ` +
      `${failures.length} failures`,
  );
  if (beyondPromise.length > 0) {
    print(`  and ${beyondPromise.length} beyond what is promised (docs/reliability.md):`);
    for (const number of beyondPromise) print(`    ${again(source, number)}`);
  }
  for (const { number, violations } of failures) {
    print(`\n${source} ${number}:`);
    for (const violation of violations) print(`  ${violation}`);
    print(`  ${again(source, number)}`);
  }
}

/** The command that does one run again. */
function again(source: Job['source'], number: number): string {
  const what = source === 'random' ? '' : ` --exhaustive ${source}`;
  return `npm run simulate --${what} --seeds 1 --from ${number} --trace`;
}

/** Inside a microtask nothing can be simulated. */
function macrotask<T>(task: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(task());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
