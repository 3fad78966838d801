/**
 * Where fate strikes: the name of one case, from which it can be run again.
 *
 *   [SCENARIO:]SIDE:HOW[+][x2]:CALL   A:kill-after:37, next:B:EIO+:12, voted:A:kill-beforex2:9
 *   cut[-off][-rst]:FROM:RECORD:PART  cut:A:7:half, cut-off-rst:B:3:before
 *
 * `+`: the error holds from that call on. `x2`: the run after it is killed too, at the same call, or at another one
 * where it has fewer left.
 */
import { HOWS, type How } from './shim.js';
import type { Side } from './site.js';

/** What the sites look like before, what A then runs, and what must come of it whatever strikes. */
export const SCENARIOS = {
  /** Empty folders. */
  first: { world: undefined, command: 'initiate', must: undefined },
  /** After three exchanges. */
  next: { world: 'used', command: 'initiate', must: undefined },
  /** B has voted, A has decided nothing. */
  voted: { world: 'voted', command: 'recover', must: 'neither' },
  /** B has voted, A has decided to commit. */
  decided: { world: 'decided', command: 'recover', must: 'both' },
  /** B has saved, A has not. */
  saved: { world: 'saved', command: 'recover', must: 'both' },
} as const;
export type ScenarioName = keyof typeof SCENARIOS;
export type World = NonNullable<(typeof SCENARIOS)[ScenarioName]['world']>;
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

export interface CallPoint {
  readonly kind: 'call';
  readonly scenario: ScenarioName;
  readonly side: Side;
  readonly how: How;
  readonly lasting: boolean;
  readonly twice: boolean;
  readonly at: number;
}

/** How much of a record is passed on before the connection is cut. */
export const PARTS = ['before', 'one-byte', 'half', 'all-but-one', 'after'] as const;

export interface CutPoint {
  readonly kind: 'cut';
  /** Whose record is cut. */
  readonly from: Side;
  /** Which TLS record of that side, from 1. */
  readonly record: number;
  readonly part: (typeof PARTS)[number];
  /** From then on nobody gets through. */
  readonly off: boolean;
  /** The connection is reset, not ended. */
  readonly reset: boolean;
}

export type Point = CallPoint | CutPoint;

export function pointName(point: Point): string {
  if (point.kind === 'cut') {
    const { from, record, part, off, reset } = point;
    return `cut${off ? '-off' : ''}${reset ? '-rst' : ''}:${from}:${record}:${part}`;
  }
  const { scenario, side, how, lasting, twice, at } = point;
  return `${scenario === 'first' ? '' : `${scenario}:`}${side}:${how}${lasting ? '+' : ''}${twice ? 'x2' : ''}:${at}`;
}

/** Throws where it is no point's name. */
export function parsePoint(name: string): Point {
  const [, off, reset, from, record, part] = /^cut(-off)?(-rst)?:([AB]):(\d+):([\w-]+)$/.exec(name) ?? [];
  const known = PARTS.find((candidate) => candidate === part);
  if (known !== undefined) {
    const cut = { from: from === 'A' ? 'A' : 'B', record: Number(record), part: known } as const;
    return { kind: 'cut', ...cut, off: off !== undefined, reset: reset !== undefined };
  }
  const [, scenario = 'first', side, how, lasting, twice, at] =
    /^(?:(\w+):)?([AB]):([A-Za-z-]+?)(\+)?(x2)?:(\d+)$/.exec(name) ?? [];
  const first = SCENARIO_NAMES.find((candidate) => candidate === scenario);
  const knownHow = HOWS.find((candidate) => candidate === how);
  if (first === undefined || knownHow === undefined) {
    throw new Error(`${name} is no point: expected such as A:kill-after:37 or cut:B:3:half`);
  }
  return {
    kind: 'call',
    scenario: first,
    side: side === 'A' ? 'A' : 'B',
    how: knownHow,
    lasting: lasting !== undefined,
    twice: twice !== undefined,
    at: Number(at),
  };
}
