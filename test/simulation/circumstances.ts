/**
 * What else than faults makes a run different from the plain case, thrown by the dice. Each is true of a modest share
 * of the runs, so that most of them stay short.
 */
import type { Naming } from '../../src/handshake/message.js';
import type { Choice } from '../../src/store/resolution.js';
import type { Dice } from './dice.js';
import type { OperationTrigger } from './plan.js';
import type { Spot } from './spot.js';

/** `--index`, given to all runs of some sites from some time on. */
export interface Jump {
  readonly number: number;
  readonly sites: readonly string[];
  /** Virtual milliseconds from the start. */
  readonly from: number;
}

/**
 * Somebody who puts a file of his own where a key file is to come: before anything begins, or once the name has been
 * reserved. Never between the look for the name and the rename to it, where it would be replaced (docs/reliability.md).
 */
export interface Alien {
  readonly host: string;
  readonly when: 'before' | 'stage' | 'decide' | 'resolve';
  /** Which of the operations of that kind; of `before`, the number of the key file. */
  readonly nth: number;
  /** How long it stays, in virtual milliseconds; undefined where nobody moves it away before all has settled. */
  readonly staysMs: number | undefined;
}

/** An operator who decides about whatever is open at a site. */
export interface Order {
  readonly host: string;
  readonly choice: Choice;
  /** After how many things that went wrong; `end`: once nobody runs any more who asks. */
  readonly after: number | 'end';
  readonly delayMs: number;
}

export interface Circumstances {
  /** Keys in each file. */
  readonly count: number;
  readonly naming: Naming;
  readonly jump: Jump | undefined;
  readonly alien: Alien | undefined;
  readonly orders: readonly Order[];
}

export const PLAIN: Circumstances = {
  count: 1,
  naming: 'index',
  jump: undefined,
  alien: undefined,
  orders: [],
};

/** Where an operator's work is struck. */
const ORDER_SPOTS: readonly Spot[] = [
  'note',
  'resolve',
  'resolve',
  'sync-role',
  'publish',
  'release',
  'change',
];

export function randomCircumstances(dice: Dice): Circumstances {
  const count = dice.chance(0.12) ? 2 + dice.below(2) : 1;
  const naming = dice.chance(0.1) ? 'key-id' : 'index';
  const what = dice.weighted({ nothing: 72, jump: 6, alien: 8, order: 14 });
  return {
    count,
    naming,
    jump: what === 'jump' && naming === 'index' ? randomJump(dice) : undefined,
    alien: what === 'alien' ? randomAlien(dice, naming) : undefined,
    orders: what === 'order' || (what === 'alien' && dice.chance(0.2)) ? randomOrders(dice) : [],
  };
}

function randomJump(dice: Dice): Jump {
  return {
    number: dice.below(9),
    sites: dice.pick([['A', 'B'], ['A', 'B'], ['A'], ['B']]),
    from: dice.chance(0.5) ? 0 : dice.small(20_000),
  };
}

function randomAlien(dice: Dice, naming: Naming): Alien {
  const when = dice.weighted({ before: naming === 'index' ? 3 : 0, stage: 3, decide: 5, resolve: 1 });
  return {
    host: dice.pick(['A', 'B']),
    when,
    nth: when === 'before' ? dice.below(3) : dice.small(2),
    staysMs: dice.chance(0.5) ? dice.small(60_000) : undefined,
  };
}

export function randomOrders(dice: Dice): Order[] {
  const order = (): Order => ({
    // Only a responder is ever in doubt.
    host: dice.pick(['A', 'B', 'B', 'B']),
    choice: dice.weighted({ commit: 4, abort: 4, forget: 1 }),
    after: dice.pick([1, 1, 2, 'end', 'end'] as const),
    delayMs: dice.pick([0, dice.small(3_000), dice.small(30_000)]),
  });
  return dice.chance(0.4) ? [order(), order()] : [order()];
}

/** What strikes an operator at work. */
export function strokeOnOrder(dice: Dice, { host }: Order): OperationTrigger {
  const when = dice.pick(['before', 'after'] as const);
  return {
    host,
    spot: dice.pick(ORDER_SPOTS),
    nth: dice.small(2),
    stroke: { do: dice.pick(['kill', 'power', 'power', 'freeze'] as const), when },
    follows: false,
  };
}

/** `--index` of a run that begins now. */
export function numberGiven({ jump }: Circumstances, host: string, now: number): number | undefined {
  return jump?.sites.includes(host) === true && now >= jump.from ? jump.number : undefined;
}
