/** The table of docs/reliability.md, from what the suites have written down. */
import { triedOf, type Summary } from '../crash/summary.js';
import { OUTCOMES } from '../crash/trial.js';
import type { Catch } from '../simulation/catch-bugs.js';
import type { Tally } from '../simulation/job.js';
import type { PowerSummary } from '../powercut/main.js';

/** What `npm run simulate -- --json` writes. */
export interface Simulated {
  readonly results: readonly (Tally & { readonly source: string; readonly from: number })[];
  readonly bugs?: Catch;
}

export interface Findings {
  readonly random: Simulated;
  readonly exhaustive: readonly Simulated[];
  readonly bugs: Simulated;
  readonly crash: Summary;
  /** Undefined where there is no file system to cut the power of. */
  readonly power: PowerSummary | undefined;
  /** The models' last line. */
  readonly model: string;
}

type Line = readonly (string | number)[];

const HEAD: Line = ['attack', 'tried', ...OUTCOMES, 'contacts'];

export function tableOf({ random, exhaustive, bugs, crash, power, model }: Findings): string {
  const lines: Line[] = [
    HEAD,
    HEAD.map(() => '---'),
    ...simulationLines(random),
    ...exhaustive.flatMap(simulationLines),
    ...crashLines(crash),
    ...powerLines(power),
  ];
  const calls = Object.entries(crash.calls).map(([name, count]) => `${count} ${name}`);
  return [
    ...lines.map((line) => `| ${line.join(' | ')} |`),
    '',
    'Where anything fails no table is written: each 0 from `split` to `untrue` says that the suite has passed, and is no count of its own.',
    '',
    `An undisturbed first exchange has ${calls.join(', ')}. The crash tests ran in their form ‘${crash.form}’, the power cuts ${power === undefined ? 'not at all' : `in their form ‘${power.form}’`}.`,
    '',
    ...[random, ...exhaustive].flatMap(beyondLines),
    'Planted bugs:',
    '',
    `- simulation: ${caughtOf(bugs)}`,
    `- processes: ${crash.planted.filter(({ caughtAt }) => caughtAt !== undefined).length} caught of ${crash.planted.length}`,
    `- power cuts: ${plantedIn(power)}`,
    `- models: ${model}`,
  ].join('\n');
}

/** What each enumeration goes through, and no more than that: see test/simulation/exhaustive.ts. */
const ORDERS: Readonly<Record<string, string>> = {
  single: 'one fault, at every place of one exchange',
  recovery: 'one fault in settling, from 16 places of one order of events',
  pairs: 'two faults, of changes and messages only',
};

/** A run has several exchanges; those that both sites saved are counted. */
function simulationLines({ results }: Simulated): Line[] {
  return results.map(({ source, from, runs, saved, unsaved, contacts }) => {
    const random = `random, seeds ${from} to ${from + runs - 1}`;
    const name = `simulation: ${source === 'random' ? random : (ORDERS[source] ?? source)}`;
    const files = { both: `${saved} files`, neither: `${unsaved} files` };
    // With a failure there would be no table.
    const counts = OUTCOMES.map((outcome) =>
      outcome === 'both' || outcome === 'neither' ? files[outcome] : 0,
    );
    return [name, `${runs} runs`, ...counts, contacts.length - 1];
  });
}

/** What the lines leave out, and must not hide. */
function beyondLines({ results }: Simulated): string[] {
  return results.flatMap(({ source, runs, beyondPromise }) => {
    if (beyondPromise.length === 0) return [];
    return [
      `Not in the table: ${beyondPromise.length} of the ${runs} runs of ‘${source}’ went wrong beyond [what is promised](#what-is-not-promised), because a run was struck between a failed fsync and its mark: ${beyondPromise.join(', ')}.`,
      '',
    ];
  });
}

function crashLines({ groups }: Summary): Line[] {
  return Object.entries(groups)
    .sort()
    .map(([name, { points, of, missed, outcomes, contacts }]) => {
      const counts = OUTCOMES.map((outcome) => outcomes[outcome]);
      // Where nothing was struck, little was tried.
      const tried = `${triedOf({ points, of })} points${missed === 0 ? '' : `, ${missed} of them never came to the call`}`;
      return [`processes: ${name}`, tried, ...counts, contacts];
    });
}

function powerLines(power: PowerSummary | undefined): Line[] {
  return Object.entries(power?.rows ?? {}).map(([kind, { cuts, calls, states, outcomes, contacts }]) => {
    const counts = OUTCOMES.map((outcome) => outcomes[outcome]);
    const tried = `before ${calls.cut} of ${calls.of} calls: ${cuts} cuts, ${states} states`;
    return [`power cut: ${kind}`, tried, ...counts, contacts];
  });
}

function plantedIn(power: PowerSummary | undefined): string {
  if (power === undefined || power.planted.length === 0) return 'none tried';
  const caught = power.planted.filter(({ caughtAt }) => caughtAt !== undefined).map(({ name }) => name);
  return `${caught.length} caught of ${power.planted.length}: ${caught.join(', ')}`;
}

function caughtOf({ bugs }: Simulated): string {
  if (bugs === undefined) return 'none planted';
  const { planted, harmless, asExpected } = bugs;
  const caught = `${asExpected} caught of ${planted}`;
  return harmless === 0
    ? caught
    : `${caught}, ${harmless} of them only without the rule that makes them harmless`;
}
