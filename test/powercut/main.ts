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
import { Bench } from '../crash/bench.js';
import { inParallel } from '../crash/in-parallel.js';
import { Sites } from '../crash/site.js';
import { OUTCOMES, Trial, type Outcome, type Result } from '../crash/trial.js';
import { casesOf, type Case } from './cases.js';
import { missing, releaseDisks, type KindName } from './disk.js';
import { HELP, parseOptions, type Options } from './options.js';

const PROJECT = resolve(import.meta.dirname, '../../..');

/** What was found on one file system. */
interface PowerRow {
  readonly cuts: number;
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
  /** Whether the planted bug was caught; undefined where it was not planted. */
  readonly caught: boolean | undefined;
  readonly failures: readonly string[];
}

/** In the short form the power goes before one call in so many. */
const SHORT_STRIDE: Readonly<Record<KindName, number>> = { ext4: 10, xfs: 24, btrfs: 24 };

const JOBS = 4;

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return 64;
  }
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
  const { full, only, json } = options;
  const started = Date.now();
  const rows: Record<string, PowerRow> = {};
  const failures: string[] = [];
  for (const kind of kinds) {
    try {
      const row = await cutAll(bench, kind, options, failures);
      rows[kind] = row;
      const { cuts, states, outcomes, contacts } = row;
      const counts = { cuts, states, ...outcomes, contacts };
      const said = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
      say(`${kind}: ${said.join(', ')} (${seconds(started)} s)`);
    } catch (error) {
      failures.push(tell(kind, only && `${only.side}:${only.at}`, messageOf(error)));
    }
  }
  const [first] = kinds;
  let caught: boolean | undefined;
  if (only === undefined && first !== undefined) {
    try {
      caught = await catchMissingFsync(bench, first);
    } catch (error) {
      failures.push(tell(first, undefined, `no bug could be planted: ${messageOf(error)}`));
    }
  }
  if (caught === false) failures.push('a site whose fsync does nothing passes for sound');
  say(`${full ? 'full' : 'short'} form, ${seconds(started)} s`);
  const summary: PowerSummary = {
    form: full ? 'full' : 'short',
    seconds: seconds(started),
    rows,
    caught,
    failures,
  };
  if (json !== undefined) await writeFile(json, `${JSON.stringify(summary, null, 2)}\n`);
  for (const failure of failures) say(`FAILED: ${failure}`);
  return failures.length > 0;
}

/** All cuts on one file system. Each that fails adds the command that does it again to `failures`. */
async function cutAll(
  bench: Bench,
  kind: KindName,
  { full, only }: Options,
  failures: string[],
): Promise<PowerRow> {
  const stride = full ? 1 : SHORT_STRIDE[kind];
  const { cases, cuts, failed } = await casesOf(bench, kind, (side, at) =>
    only === undefined ? at % stride === 0 : only.side === side && only.at === at,
  );
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
  return { cuts, states: cases.length, outcomes, contacts };
}

/** What the harness itself cannot stand is a failure of that cut alone. */
function failedTrial(error: unknown): Result {
  const wrong = [`the trial failed: ${messageOf(error)}`];
  return { outcome: 'untrue', contacts: 0, hit: true, wrong, said: '' };
}

/** Both sites start again with the disks that they have now. */
async function settleAfter(bench: Bench, { folder, over }: Case): Promise<Result> {
  const sites = await Sites.open(bench.newFolder(), bench.around(), folder);
  try {
    await sites.a.ageLock();
    await sites.b.ageLock();
    const trial = await Trial.open(sites, 0);
    const contacts = await trial.settle('recover');
    // What has been called saved is there.
    return await trial.judge(contacts, true, over ? 'both' : undefined);
  } finally {
    await sites.close();
  }
}

/** The planted bug: whether sites whose fsync does nothing are found out, at the end of an exchange at the latest. */
async function catchMissingFsync(bench: Bench, kind: KindName): Promise<boolean> {
  const { cases, failed } = await casesOf(bench, kind, (_side, at) => at === MIDDLE, true);
  for (const { cut, why } of failed) throw new Error(`${cut}: ${why}`);
  for (const one of cases) {
    const { wrong, outcome } = await settleAfter(bench, one);
    if (wrong.length === 0) continue;
    say(`planted bug, no fsync: caught at ${kind} ${one.cut} power of ${one.whose}: ${outcome}`);
    return true;
  }
  return false;
}

/** A call after the vote and the decision. */
const MIDDLE = 60;

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

process.exitCode = await main();
