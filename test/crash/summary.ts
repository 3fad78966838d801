/** What a run of the crash tests has found: a table for people, an object for docs/reliability.md. */
import { pointName, type Point } from './point.js';
import { OUTCOMES, type Outcome, type Result } from './trial.js';

export interface Finished {
  readonly point: Point;
  readonly result: Result;
}

export interface PlantedResult {
  readonly name: string;
  /** The point at which it was caught. */
  readonly caughtAt: string | undefined;
}

export interface Row {
  /** Trials. */
  points: number;
  /** How many points there are: of the full form, unless some were chosen. */
  of: number;
  outcomes: Record<Outcome, number>;
  /** Runs that never came to the call. */
  missed: number;
  contacts: number;
}

export interface Summary {
  /** `short`, `full` or `chosen`, and how much of it where not all of it was done. */
  readonly form: string;
  readonly seconds: number;
  /** State-changing calls of a first exchange at each site, and TLS records that each sends. */
  readonly calls: Readonly<Record<string, number>>;
  readonly groups: Readonly<Record<string, Row>>;
  readonly total: Row;
  readonly planted: readonly PlantedResult[];
  readonly failures: readonly { readonly point: string; readonly wrong: readonly string[] }[];
}

/** @param all every point that there is, tried or not: a group of which none was tried must not vanish */
export function summarize(
  head: Pick<Summary, 'form' | 'seconds' | 'calls' | 'planted'>,
  finished: readonly Finished[],
  all: readonly Point[],
): Summary {
  const groups: Record<string, Row> = {};
  const total = emptyRow();
  for (const point of all) {
    for (const row of [(groups[groupOf(point)] ??= emptyRow()), total]) row.of += 1;
  }
  for (const { point, result } of finished) {
    const group = (groups[groupOf(point)] ??= emptyRow());
    for (const row of [group, total]) {
      row.points += 1;
      row.outcomes[result.outcome] += 1;
      row.contacts = Math.max(row.contacts, result.contacts);
      if (!result.hit) row.missed += 1;
    }
  }
  const failures = finished.flatMap(({ point, result: { wrong } }) =>
    wrong.length === 0 ? [] : [{ point: pointName(point), wrong }],
  );
  return { ...head, groups, total, failures };
}

function emptyRow(): Row {
  const outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  return { points: 0, of: 0, outcomes, missed: 0, contacts: 0 };
}

function groupOf(point: Point): string {
  if (point.kind === 'cut') return 'cuts';
  const { scenario, side, how, twice } = point;
  if (how.startsWith('stop')) return `stops ${side}`;
  const way = how.startsWith('kill') || how === 'torn' ? 'kills' : how === 'short' ? 'short' : 'errors';
  return `${scenario} ${side} ${way}${twice ? ' x2' : ''}`;
}

/** `37`, or `0 of 560` where not all were tried. */
export function triedOf({ points, of }: Pick<Row, 'points' | 'of'>): string {
  return points < of ? `${points} of ${of}` : String(points);
}

/** The table and what follows it, without the failures. */
export function tableOf(summary: Summary): string {
  const { groups, total, calls, planted, seconds, form } = summary;
  const head = ['', 'points', ...OUTCOMES, 'missed', 'contacts'];
  const lines = [...Object.entries(groups).sort(), ['total', total] as const].map(([name, row]) =>
    [name, triedOf(row), ...OUTCOMES.map((outcome) => row.outcomes[outcome]), row.missed, row.contacts].map(
      String,
    ),
  );
  const widths = head.map((title, at) =>
    Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)),
  );
  const text = [head, ...lines].map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  '),
  );
  const counted = Object.entries(calls).map(([name, count]) => `${count} ${name}`);
  const caught = planted.filter(({ caughtAt }) => caughtAt !== undefined).length;
  return [
    ...text,
    '',
    `undisturbed: ${counted.join(', ')}`,
    ...(planted.length === 0 ? [] : [`planted bugs caught: ${caught} of ${planted.length}`]),
    `${form} form, ${seconds} s`,
  ].join('\n');
}
