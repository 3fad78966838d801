/**
 * The simulator's command line: `npm run simulate -- …`.
 *
 *   --seeds N [--from S]        random scenarios
 *   --exhaustive ORDER          each fault at each place: one at a time (single), one while the sites settle what was
 *                               cut off (recovery), or two (pairs)
 *   --bugs [--bug NAME]         plants each bug and shows after how many seeds it is caught
 *   --ci                        all of it in the size that a change must pass
 *   --trace                     prints what happens, for one run in this process
 *   --jobs N                    processes; the machine's processors otherwise
 *   --json FILE                 writes the result to FILE too
 *
 * Exit code 1 where anything is violated, or a planted bug is not caught; with --ci also where something went wrong beyond
 * what is promised, which takes three faults and has never been met there.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { catchBugs, type Catch, type Plant } from './catch-bugs.js';
import { enumerate, type Order } from './exhaustive.js';
import type { Job, Tally } from './job.js';
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

export async function main(args: readonly string[], program: Program): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      exhaustive: { type: 'string' },
      bugs: { type: 'boolean', default: false },
      bug: { type: 'string' },
      ci: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      jobs: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const jobs = Number(values.jobs ?? availableParallelism());
  const from = Number(values.from);
  const { trace } = values;
  const results: Result[] = [];
  let bugs: Catch | undefined;

  if (values.exhaustive !== undefined || values.ci) {
    const source = orderOf(values.exhaustive ?? 'single');
    const { count } = await macrotask(() => enumerate(source));
    const only = values.seeds === undefined ? count : Number(values.seeds);
    const whole = { source, from: only < count ? from : 0, count: only, untilCaught: false, trace };
    results.push(await run(whole, program.plain, jobs));
  }
  if ((values.seeds !== undefined && values.exhaustive === undefined) || values.ci) {
    const count = Number(values.seeds ?? CI_SEEDS);
    const random = { source: 'random', from, count, untilCaught: false, trace } as const;
    results.push(await run(random, program.plain, jobs));
  }
  if (values.bugs || values.bug !== undefined || values.ci) {
    bugs = await catchBugs(program.plant, values.bug, jobs, print);
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ results, bugs })}\n`);
  const caught = bugs === undefined || bugs.asExpected === bugs.planted;
  const isGood = ({ failures, beyondPromise }: Result): boolean =>
    failures.length === 0 && !(values.ci && beyondPromise.length > 0);
  return caught && results.every(isGood) ? 0 : 1;
}

function orderOf(text: string): Order {
  if (text === 'single' || text === 'recovery' || text === 'pairs') return text;
  throw new Error(`--exhaustive ${text}: expected single, recovery or pairs`);
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
