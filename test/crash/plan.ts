/**
 * Which points are tried: all of them, or a sample that meets every part of a first exchange.
 *
 * A sample of s takes every s-th call, from the n-th on for the n-th kind of fault: the kinds meet different calls.
 */
import type { Call, How } from './shim.js';
import type { CallPoint, ScenarioName } from './point.js';
import type { Side } from './site.js';

interface Fault {
  readonly how: How;
  readonly lasting: boolean;
  readonly twice: boolean;
}

const KILLS: readonly Fault[] = [fault('kill-before'), fault('kill-after')];
const TWICE: readonly Fault[] = [fault('kill-before', { twice: true })];
const WRITES: readonly Fault[] = [fault('torn'), fault('short')];
const ERRORS: readonly Fault[] = [fault('EIO'), fault('ENOSPC'), fault('EROFS'), fault('EACCES')];
const LASTING: readonly Fault[] = [
  fault('EIO', { lasting: true }),
  fault('ENOSPC', { lasting: true }),
  fault('EROFS', { lasting: true }),
];

function fault(how: How, { lasting = false, twice = false } = {}): Fault {
  return { how, lasting, twice };
}

/** `fresh` takes each of so many calls before which something new is on the disk or has been said. */
const NEWS_SHORT = 7;
type Sample = number | 'fresh';

/** Faults and which calls they meet in the short form; 0 leaves them out. */
const PLAN: Readonly<Record<ScenarioName, readonly (readonly [readonly Fault[], short: Sample])[]>> = {
  first: [
    [[fault('kill-before')], 'fresh'],
    [[fault('kill-after')], 48],
    [WRITES, 9],
    [ERRORS, 60],
    [LASTING, 80],
  ],
  next: [
    [KILLS, 64],
    [WRITES, 0],
    [ERRORS, 0],
    [LASTING, 0],
  ],
  voted: [
    [KILLS, 64],
    [TWICE, 64],
    [ERRORS, 0],
  ],
  decided: [
    [KILLS, 64],
    [TWICE, 64],
    [ERRORS, 0],
  ],
  saved: [
    [KILLS, 64],
    [TWICE, 64],
    [ERRORS, 0],
  ],
};

/** Whether this kind of call can fail, or stop, that way at all. */
function makesSense({ how }: Fault, { kind }: Call): boolean {
  switch (how) {
    case 'torn':
    case 'short':
      return kind === 'write';
    case 'ENOSPC':
      return kind !== 'unlink' && kind !== 'rmdir';
    case 'EACCES':
      // Permission is asked for when a file is opened: the kernel answers an open descriptor no such thing.
      return kind !== 'fsync' && kind !== 'write';
    case 'EIO':
    // Whatever a file system that was remounted read-only after an error is asked, open files too.
    case 'EROFS':
    case 'kill-before':
    case 'kill-after':
    case 'stop-before':
    case 'stop-after':
      return true;
  }
}

/** The points of one scenario at one site. */
export function plan(scenario: ScenarioName, side: Side, calls: readonly Call[], full: boolean): CallPoint[] {
  const points: CallPoint[] = [];
  for (const [faults, short] of PLAN[scenario]) {
    faults.forEach((kind, nth) => {
      const fit = calls.filter((call) => makesSense(kind, call));
      const news = fit.filter(({ fresh }) => fresh);
      const met = (call: Call, index: number): boolean => {
        if (full) return true;
        return short === 'fresh' ? news.indexOf(call) % NEWS_SHORT === 0 : index % short === nth % short;
      };
      points.push(
        ...fit.filter(met).map(({ at }) => ({ kind: 'call', scenario, side, ...kind, at }) as const),
      );
    });
  }
  return points;
}

/** How the short form samples, in words. */
export function samplingNote(): string {
  const notes = Object.entries(PLAN).map(([scenario, parts]) => {
    const said = parts.flatMap(([faults, short]) => {
      const names = faults.map(
        ({ how, lasting, twice }) => `${how}${lasting ? '+' : ''}${twice ? 'x2' : ''}`,
      );
      if (short === 0) return [];
      const often = short === 'fresh' ? `at every ${NEWS_SHORT}th new state` : `1 in ${short}`;
      return [`${names.join(' ')} ${often}`];
    });
    return `  ${scenario}: ${said.join('; ')}`;
  });
  return notes.join('\n');
}

/** In the short form the initiator stands still around its staging and its decision, and at one call of so many. */
const STOPS_SHORT = 20;

/** The points at which one process stands still; those of the responder in the full form only. */
export function planStops(calls: Readonly<Record<Side, readonly Call[]>>, full: boolean): CallPoint[] {
  const points: CallPoint[] = [];
  for (const side of full ? (['A', 'B'] as const) : (['A'] as const)) {
    for (const { at, kind, paths } of calls[side]) {
      const decision = kind === 'rename' && /\.(committed|staged)$/.test(paths.at(-1) ?? '');
      const chosen = full || decision || at % STOPS_SHORT === 0;
      if (!chosen) continue;
      const stop = { kind: 'call', scenario: 'first', side, lasting: false, twice: false, at } as const;
      points.push({ ...stop, how: 'stop-before' });
      if (full || decision) points.push({ ...stop, how: 'stop-after' });
    }
  }
  return points;
}
