/**
 * The crash tests: the packed command as real processes, struck at every call that changes a disk, cut at every
 * record, stopped and woken, and after each the disks of both sites judged. See CONTRIBUTING.md.
 *
 * Exit codes: 0 all is well, 1 something is wrong, 64 arguments that make no sense.
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { withOptions } from '../command-line/with-options.js';
import { Bench, type Calls } from './bench.js';
import { countRecords, planCuts, runCut } from './cut.js';
import { inParallel } from './in-parallel.js';
import { Journal } from './journal.js';
import { HELP, parseOptions, type Options } from './options.js';
import { patchedCopy } from './packed.js';
import { plan, planStops, samplingNote } from './plan.js';
import { PLANTED, type PlantedBug } from './planted.js';
import { parsePoint, pointName, SCENARIO_NAMES, type Point, type ScenarioName } from './point.js';
import { scattered } from './scattered.js';
import type { Side, Sites } from './site.js';
import { runStrike } from './strike.js';
import { summarize, tableOf, type PlantedResult } from './summary.js';
import { Trial, type Result } from './trial.js';

const PROJECT = resolve(import.meta.dirname, '../../..');

const PROGRESS_MS = 15_000;

function checkedOptions(): Options | undefined {
  const options = parseOptions(process.argv.slice(2));
  options?.only.forEach(parsePoint);
  return options;
}

async function attack(options: Options): Promise<number> {
  const bench = await Bench.open(PROJECT);
  try {
    return await run(bench, options);
  } finally {
    await bench.close();
  }
}

async function run(bench: Bench, options: Options): Promise<number> {
  const { full, only, match, json, jobs, planted, list, minutes } = options;
  const started = Date.now();
  const counts = await countAll(bench);
  const all = only.length > 0 ? only.map(parsePoint) : planAll(counts, full);
  const wanted = all.filter((point) => match?.test(pointName(point)) !== false);
  const journal = new Journal(options.journal);
  const names = new Set(wanted.map(pointName));
  const before = (await journal.read()).filter(({ point }) => names.has(pointName(point)));
  for (const { point } of before) names.delete(pointName(point));
  const left = wanted.filter((point) => names.has(pointName(point)));
  if (list) {
    for (const point of left) say(pointName(point));
    return 0;
  }
  // It may be ended at any time; whatever there is no time for is then spread over all of them.
  const points = scattered(left);
  say(
    `${points.length} points${before.length > 0 ? ` that are left of ${wanted.length}` : ''}, ${jobs} at a time; ${full || only.length > 0 ? 'all that were asked for' : `sampled:\n${samplingNote()}`}`,
  );

  const caught = planted ? await catchAll(bench, jobs) : [];
  const going = (): boolean => Date.now() - started < minutes * 60_000;
  const done = await inParallel(
    points,
    jobs,
    async (point) => {
      const result = await tryPoint(bench, point);
      if (result.wrong.length > 0 || only.length > 0) tell(point, result);
      await journal.note({ point, result });
      return { point, result };
    },
    reporter(points.length),
    going,
  );
  const finished = [...before, ...done];

  const { first } = counts.calls;
  const calls = {
    'calls at A': first.A.length,
    'calls at B': first.B.length,
    'records of A': counts.records.A,
    'records of B': counts.records.B,
  };
  const chosen = only.length > 0 || match !== undefined;
  const size = chosen ? 'chosen' : full ? 'full' : 'short';
  const form =
    finished.length === wanted.length ? size : `${size}, ${finished.length} of ${wanted.length} points`;
  const seconds = Math.round((Date.now() - started) / 1_000);
  const of = chosen ? wanted : planAll(counts, true);
  const summary = summarize({ form, seconds, calls, planted: caught }, finished, of);
  say(`\n${tableOf(summary)}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(summary, null, 2)}\n`);
  for (const { point } of summary.failures) say(`FAILED: npm run test:crash -- --only '${point}'`);
  for (const { name, caughtAt } of caught) if (caughtAt === undefined) say(`NOT CAUGHT: ${name}`);
  const ok = summary.failures.length === 0 && caught.every(({ caughtAt }) => caughtAt !== undefined);
  return ok ? 0 : 1;
}

/** What an undisturbed run of each scenario does. */
interface Counts {
  readonly calls: Readonly<Record<ScenarioName, Calls>>;
  readonly records: Readonly<Record<Side, number>>;
}

async function countAll(bench: Bench): Promise<Counts> {
  const calls: Partial<Record<ScenarioName, Calls>> = {};
  for (const scenario of SCENARIO_NAMES) calls[scenario] = await bench.calls(scenario);
  return { calls: calls as Record<ScenarioName, Calls>, records: await countRecords(bench) };
}

function planAll({ calls, records }: Counts, full: boolean): Point[] {
  const struck = SCENARIO_NAMES.flatMap((scenario) =>
    (['A', 'B'] as const).flatMap((side) => plan(scenario, side, calls[scenario][side], full)),
  );
  return [...struck, ...planStops(calls.first, full), ...planCuts(records, full)];
}

/** One point in new sites. What the harness itself cannot stand is a failure of that point alone. */
async function tryPoint(bench: Bench, point: Point, packed?: string): Promise<Result> {
  const scenario = point.kind === 'call' ? point.scenario : 'first';
  const open = (): Promise<Sites> => bench.sites(scenario, packed);
  const sites = await open();
  try {
    const trial = await Trial.open(sites);
    return await (point.kind === 'cut' ? runCut(trial, point) : runStrike(trial, point, open));
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { outcome: 'untrue', contacts: 0, hit: false, wrong: [`the trial failed: ${said}`], said: '' };
  } finally {
    await sites.close();
  }
}

/** Each planted bug, until it is caught. */
async function catchAll(bench: Bench, jobs: number): Promise<PlantedResult[]> {
  return inParallel(PLANTED, jobs, async (bug) => ({ name: bug.name, caughtAt: await catchBug(bench, bug) }));
}

async function catchBug(bench: Bench, bug: PlantedBug): Promise<string | undefined> {
  const { name, patches, scenario = 'first', points } = bug;
  const packed = await patchedCopy(bench.packed, name, patches);
  for (const point of points(await bench.calls(scenario, packed))) {
    const { wrong, outcome } = await tryPoint(bench, parsePoint(point), packed);
    if (wrong.length === 0) continue;
    say(`planted bug ${name}: caught at ${point}: ${outcome}: ${wrong[0] ?? ''}`);
    return point;
  }
  return undefined;
}

/** Says now and then how far it is. */
function reporter(all: number): (done: number) => void {
  let said = Date.now();
  return (done) => {
    if (Date.now() - said < PROGRESS_MS) return;
    said = Date.now();
    say(`${done} of ${all}`);
  };
}

function tell(point: Point, { outcome, wrong, contacts, hit, said }: Result): void {
  const name = pointName(point);
  say(`\n=== ${name}: ${outcome}, ${contacts} contacts${hit ? '' : ', never came to the call'}`);
  for (const what of wrong) say(`  wrong: ${what}`);
  say(said.replace(/^/gm, '  '));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = await withOptions(checkedOptions, HELP, attack);
} catch (error) {
  process.stderr.write(`test:crash: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
