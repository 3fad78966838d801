/**
 * Power cuts: each site has a disk with a file system of its own, which is copied before calls that change it, without
 * anything being flushed. Each copy is mounted as after a restart, both sites settle, and the disks are judged.
 *
 * Exit codes: 0 all is well, or nothing could be tried here (said loudly; 1 with --require); 1 something is wrong;
 * 64 arguments that make no sense.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { withOptions } from '../command-line/with-options.js';
import { Bench } from '../crash/bench.js';
import { inParallel } from '../crash/in-parallel.js';
import type { PlantedResult } from '../crash/summary.js';
import { OUTCOMES, type Outcome, type Result } from '../crash/trial.js';
import { casesOf, type Case, type Cases, type WhereCut } from './cases.js';
import { missing, releaseDisks, type KindName } from './disk.js';
import { HELP, parseOptions, type Options } from './options.js';
import { CAUGHT, type PowerBug } from './planted.js';
import { settleAfter } from './settle-after.js';
import { showBug } from './show-bug.js';

const PROJECT = resolve(import.meta.dirname, '../../..');

/** What was found on one file system. */
interface PowerRow {
  readonly cuts: number;
  /** Before how many calls of both sites, of how many that there are. */
  readonly calls: Cases['calls'];
  /** Different states of the disk that these cuts have left. */
  readonly states: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** The most that one of them needed. */
  readonly contacts: number;
}

/** What `--json` writes. */
export interface PowerSummary {
  readonly form: string;
  readonly seconds: number;
  readonly rows: Readonly<Record<string, PowerRow>>;
  readonly planted: readonly PlantedResult[];
  readonly failures: readonly string[];
}

/** In the short form the power goes before one call in so many. */
const SHORT_STRIDE: Readonly<Record<KindName, number>> = { ext4: 10, xfs: 24, btrfs: 24 };

const JOBS = 4;

async function cutPower(options: Options): Promise<number> {
  process.once('SIGINT', releaseDisks);
  process.once('SIGTERM', releaseDisks);
  const kinds = await available(options.kinds);
  if (kinds.length === 0) return options.require ? 1 : 0;
  const bench = await Bench.open(PROJECT);
  try {
    const failed = await run(bench, kinds, options);
    return failed || (options.require && kinds.length < options.kinds.length) ? 1 : 0;
  } finally {
    // A disk that could not be let go of would keep its folder from being removed.
    releaseDisks();
    await bench.close();
  }
}

/** Those that can be had here; says which cannot, and why. */
async function available(wanted: readonly KindName[]): Promise<KindName[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'qkd-sync-disks-'));
  const kinds: KindName[] = [];
  for (const kind of wanted) {
    const why = await missing(kind, scratch);
    if (why === undefined) kinds.push(kind);
    else say(`*** SKIPPED: no power is cut on ${kind}: ${why} ***`);
  }
  await rm(scratch, { recursive: true, force: true });
  return kinds;
}

/** Whether anything is wrong. */
async function run(bench: Bench, kinds: readonly KindName[], options: Options): Promise<boolean> {
  const { full, only, bug, json } = options;
  const started = Date.now();
  if (bug !== undefined) {
    await sayWhereShown(bench, kinds, bug, options);
    return false;
  }
  const rows: Record<string, PowerRow> = {};
  const failures: string[] = [];
  for (const kind of kinds) {
    try {
      const row = await cutAll(bench, kind, options, failures);
      rows[kind] = row;
      const { cuts, calls, states, outcomes, contacts } = row;
      const counts = { cuts, states, ...outcomes, contacts };
      const said = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
      say(`${kind}: before ${calls.cut} of ${calls.of} calls, ${said.join(', ')} (${seconds(started)} s)`);
    } catch (error) {
      failures.push(tell(kind, only && `${only.side}:${only.from}-${only.to}`, messageOf(error)));
    }
  }
  const planted = only === undefined ? await catchAll(bench, kinds, failures) : [];
  say(`${full ? 'full' : 'short'} form, ${seconds(started)} s`);
  const summary: PowerSummary = {
    form: full ? 'full' : 'short',
    seconds: seconds(started),
    rows,
    planted,
    failures,
  };
  if (json !== undefined) await writeFile(json, `${JSON.stringify(summary, null, 2)}\n`);
  for (const failure of failures) say(`FAILED: ${failure}`);
  return failures.length > 0;
}

/** All cuts on one file system. Each that fails adds the command that does it again to `failures`. */
async function cutAll(bench: Bench, kind: KindName, options: Options, failures: string[]): Promise<PowerRow> {
  const { cases, cuts, calls, failed } = await casesOf(bench, kind, orderOf(kind, options));
  for (const { cut, why } of failed) failures.push(tell(kind, cut, why));
  const outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  let contacts = 0;
  await inParallel(cases, JOBS, async (one) => {
    const result = await settleAfter(bench, one).catch(failedTrial);
    const { outcome, wrong, said } = result;
    outcomes[outcome] += 1;
    contacts = Math.max(contacts, result.contacts);
    if (wrong.length > 0) failures.push(tell(kind, one.cut, `${wrong.join('; ')}\n${said}`, one.whose));
  });
  return { cuts, calls, states: cases.length, outcomes, contacts };
}

function orderOf(kind: KindName, { full, only }: Options): WhereCut {
  const stride = full ? 1 : SHORT_STRIDE[kind];
  if (only === undefined) return { chosen: (_side, at) => at % stride === 0 };
  return { chosen: (_side, at) => at >= only.from && at <= only.to, sides: [only.side] };
}

/** What the harness itself cannot stand is a failure of that cut alone. */
function failedTrial(error: unknown): Result {
  const wrong = [`the trial failed: ${messageOf(error)}`];
  return { outcome: 'untrue', contacts: 0, hit: true, wrong, said: '' };
}

/** The planted bugs of which each must be caught where it surely shows. */
async function catchAll(
  bench: Bench,
  kinds: readonly KindName[],
  failures: string[],
): Promise<PlantedResult[]> {
  const results: PlantedResult[] = [];
  for (const { bug, kind, side, at } of CAUGHT) {
    if (!kinds.includes(kind)) continue;
    const name = `${bug.name} on ${kind}`;
    try {
      const { shown } = await showBug(bench, kind, bug, (calls) => {
        const wanted = at(calls);
        return { chosen: (_side, call) => call === wanted, sides: [side] };
      });
      const [first] = shown;
      if (first === undefined) failures.push(`planted bug ${name} passes for sound`);
      else say(`planted bug ${name}: caught at ${first.cut}, power of ${first.whose}: ${first.why}`);
      results.push({ name, caughtAt: first?.cut });
    } catch (error) {
      failures.push(tell(kind, undefined, `bug ${name} could not be planted: ${messageOf(error)}`));
    }
  }
  return results;
}

/** Says, for each file system, at which cuts a planted bug shows. */
async function sayWhereShown(
  bench: Bench,
  kinds: readonly KindName[],
  bug: PowerBug,
  options: Options,
): Promise<void> {
  for (const kind of kinds) {
    const { states, shown } = await showBug(bench, kind, bug, orderOf(kind, options));
    say(`${bug.name} on ${kind}: shows in ${shown.length} of ${states} states`);
    for (const { cut, whose, over, why } of shown)
      say(`  ${cut}${over ? ' (the end)' : ''}, power of ${whose}: ${why}`);
  }
}

/**
 * Answers the command that does it again.
 * @param cut none where it went wrong before the first one or after the last
 */
function tell(kind: KindName, cut: string | undefined, what: string, whose?: Case['whose']): string {
  const power = whose === undefined ? '' : `power of ${whose}`;
  say(`\n=== ${[`${kind} ${cut ?? ''}`.trim(), power].filter((part) => part !== '').join(', ')}: ${what}`);
  const only = cut === undefined ? '' : ` --only ${cut}`;
  return `npm run test:powercut -- --fs ${kind}${only}${power && `   (${power})`}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1_000);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await withOptions(() => parseOptions(process.argv.slice(2)), HELP, cutPower);
