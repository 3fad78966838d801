/** What one run is to live through, thrown by the dice: who runs when, and what goes wrong. */
import type { MessageType } from '../../src/handshake/message.js';
import {
  PLAIN,
  randomCircumstances,
  randomOrders,
  strokeOnOrder,
  type Circumstances,
  type Order,
} from './circumstances.js';
import type { Dice } from './dice.js';
import { FATES, type Errno, type KmeFate, type Stroke } from './fault.js';
import type { Faults, KmeTrigger, MessageTrigger, OperationTrigger } from './plan.js';
import { recipe } from './recipe.js';
import type { RunKind } from './site.js';
import type { Spot } from './spot.js';
import type { Temper } from './world.js';

export interface Launch {
  /** Virtual milliseconds from the start. */
  readonly at: number;
  readonly host: string;
  readonly kind: RunKind;
  readonly elsewhere: boolean;
}

/** An exchange before, in peace until it was cut off at both sites at once. */
export interface CutOff {
  /** The seed of its order of events. */
  readonly seed: number;
  /** How far it came, from 0 to 1; each place has its weight. */
  readonly progress: number;
  /** How long ago that is, in virtual milliseconds. */
  readonly agoMs: number;
  /** Where it was the power that failed; at the other sites the process was killed. */
  readonly powerLost: readonly string[];
}

export interface Scenario {
  /** What the run begins with, if anything. */
  readonly cutOff: CutOff | undefined;
  /** B's responder stays and answers all, instead of one. */
  readonly serve: boolean;
  /** Both sites initiate, and both answer. */
  readonly anyRole: boolean;
  /** The chance, at each step, that somebody takes a key file away. */
  readonly greed: number;
  readonly temper: Temper;
  /** A process that is alone takes several steps in one go. */
  readonly swift: boolean;
  readonly launches: readonly Launch[];
  /** The chance that a new run begins at the initiator after each thing that went wrong. */
  readonly persistence: number;
  readonly faults: Faults;
  /** Where another process of A must be for all sleepers to be woken up, instead of at any place. */
  readonly waking: Spot | undefined;
  /** The contact in peace after all that settles and draws no key. */
  readonly recoverOnly: boolean;
  /** No contact in peace where nothing is open any more and no key is to be drawn. */
  readonly lazy: boolean;
  /** One contact more, after the loss of power at both sites that comes at the end. */
  readonly meetsAgain: boolean;
  readonly circumstances: Circumstances;
}

export const QUIET: Scenario = {
  cutOff: undefined,
  serve: false,
  anyRole: false,
  greed: 0,
  temper: { sticky: 0, hasty: 0 },
  swift: false,
  launches: [{ at: 0, host: 'A', kind: 'initiate', elsewhere: false }],
  persistence: 0,
  faults: { operations: [], messages: [], kmes: [] },
  waking: undefined,
  recoverOnly: false,
  lazy: false,
  meetsAgain: false,
  circumstances: PLAIN,
};

const FAULTS_MAX = 4;

/** How many of the runs begin with an exchange that was cut off. */
const AFTER_CUT = 0.5;
/** In how many of the others that have an operator he decides as the initiator does. */
const DECIDED_ALIKE = 0.15;
/** So many orders of events there are of it. */
const CUT_OFF_SEEDS = 6;
/** About so many a site does in an exchange, and in a contact that only settles. */
const EXCHANGE_OPERATIONS = 220;
const CONTACT_OPERATIONS = 110;

/** Uniform chance finds almost nothing: what is near a decision weighs more. */
const SPOT_WEIGHTS: Readonly<Record<Spot, number>> = {
  folder: 3,
  begin: 2,
  stage: 4,
  decide: 8,
  abort: 4,
  done: 4,
  resolve: 1,
  note: 1,
  publish: 6,
  trash: 4,
  empty: 2,
  'sync-role': 9,
  'sync-keys': 4,
  'sync-record': 4,
  'sync-folder': 2,
  'sync-file': 2,
  beta: 3,
  reserve: 3,
  release: 3,
  mark: 3,
  'state-id': 1,
  'read-record': 7,
  'list-role': 4,
  change: 8,
  any: 10,
};

const MESSAGE_WEIGHTS: Readonly<Partial<Record<MessageType | 'any', number>>> = {
  HELLO: 1,
  STATUS: 1,
  SYN: 3,
  SYN_ACK: 4,
  ACK: 6,
  FIN: 5,
  ABORT: 3,
  ABORT_OK: 2,
  END: 3,
  END_OK: 2,
  any: 4,
};

const ERRNOS: readonly Errno[] = ['EIO', 'ENOSPC', 'EROFS', 'EACCES'];
const KME_FATES: readonly KmeFate[] = ['kme-unreachable', 'kme-refused', 'kme-empty', 'kme-answer', 'hang'];

export function randomScenario(dice: Dice): Scenario {
  if (dice.chance(0.05)) return bothAsleep(dice);
  if (dice.chance(0.02)) return unheardFailure(dice);
  if (dice.chance(AFTER_CUT)) return afterCut(dice);
  const anyRole = dice.chance(0.12);
  const circumstances = randomCircumstances(dice);
  if (circumstances.orders.length > 0 && dice.chance(DECIDED_ALIKE)) return decidedAlike(dice);
  const faults = dice.chance(0.5) ? randomFaults(dice, EXCHANGE_OPERATIONS) : recipe(dice, anyRole);
  const [order] = circumstances.orders;
  const onOrder = order !== undefined && dice.chance(0.5) ? [strokeOnOrder(dice, order)] : [];
  return {
    ...randomManners(dice),
    cutOff: undefined,
    anyRole,
    launches: randomLaunches(dice, anyRole),
    faults: { ...faults, operations: [...faults.operations, ...onOrder] },
    circumstances,
  };
}

function randomManners(
  dice: Dice,
): Pick<
  Scenario,
  'serve' | 'greed' | 'temper' | 'swift' | 'persistence' | 'waking' | 'recoverOnly' | 'lazy' | 'meetsAgain'
> {
  const greed = dice.chance(0.25) ? 0.03 : 0;
  const temper = { sticky: dice.pick([0, 0.5, 0.9]), hasty: dice.pick([0, 0, 0, 0, 0, 0.01, 0.05]) };
  return {
    serve: dice.chance(0.4),
    greed,
    temper,
    swift: greed === 0 && temper.hasty === 0,
    persistence: dice.pick([0.3, 0.7, 1]),
    waking: undefined,
    recoverOnly: dice.chance(0.85),
    lazy: dice.chance(0.8),
    meetsAgain: dice.chance(0.25),
  };
}

/** Most of what can go wrong goes wrong after something else has: when two sites settle what was cut off before. */
function afterCut(dice: Dice): Scenario {
  const cutOff: CutOff = {
    seed: dice.below(CUT_OFF_SEEDS),
    progress: dice.below(10_000) / 10_000,
    agoMs: dice.pick([0, dice.small(10_000)]),
    powerLost: ['A', 'B'].filter(() => dice.chance(0.35)),
  };
  const orders = dice.chance(0.2) ? randomOrders(dice) : [];
  const [order] = orders;
  const onOrder = order !== undefined && dice.chance(0.5) ? [strokeOnOrder(dice, order)] : [];
  const faults = dice.chance(0.5) ? randomFaults(dice, CONTACT_OPERATIONS) : recipe(dice, false);
  return {
    ...randomManners(dice),
    cutOff,
    anyRole: false,
    launches: [
      {
        at: 0,
        host: 'A',
        kind: dice.chance(orders.length > 0 ? 0.5 : 0.9) ? 'recover' : 'initiate',
        elsewhere: false,
      },
    ],
    faults: { ...faults, operations: [...faults.operations, ...onOrder] },
    circumstances: { ...PLAIN, orders },
  };
}

/**
 * Both ends of an exchange sleep before anything of it has been staged, and lose their locks, while another exchange
 * comes the other way: only the reservation of names keeps the two apart.
 */
function bothAsleep(dice: Dice): Scenario {
  const freeze: Stroke = { do: 'freeze', when: 'before' };
  const begin: OperationTrigger = { host: 'A', spot: 'begin', nth: 1, stroke: freeze, follows: false };
  const told: MessageTrigger = { type: 'STATUS', nth: 1, fate: 'freeze-sender' };
  const back: Launch = { at: 2_000 + dice.small(4_000), host: 'B', kind: 'initiate', elsewhere: false };
  return {
    ...QUIET,
    anyRole: true,
    serve: dice.chance(0.5),
    launches: [...QUIET.launches, back],
    temper: { sticky: dice.pick([0, 0.5, 0.9]), hasty: 0 },
    faults: { operations: [begin], messages: [told], kmes: [] },
    waking: dice.pick(['begin', 'reserve', 'stage'] as const),
  };
}

/**
 * A run of A sleeps with the answer to its SYN, or while it stages, and loses its lock. The next run sleeps right after its own decision,
 * before its fsync; the first one wakes up, and its fsync of that very folder fails, of which only it is told. Then the
 * other one's fsync goes well and proves nothing, and at last the power fails.
 */
function unheardFailure(dice: Dice): Scenario {
  const freeze: Stroke = { do: 'freeze', when: 'after' };
  const fail: Stroke = { do: 'fail', code: 'EIO', lasting: false };
  const power: Stroke = { do: 'power', when: 'before' };
  const on = { host: 'A', follows: true };
  const stages = dice.chance(0.5);
  const operations: OperationTrigger[] = [
    ...(stages ? [{ ...on, spot: 'stage' as const, nth: 1, stroke: freeze }] : []),
    { ...on, spot: 'decide', nth: 1, stroke: freeze },
    { ...on, spot: 'sync-role', nth: 1, stroke: fail },
    { ...on, spot: 'any', nth: 1 + dice.below(80), stroke: power },
  ];
  const told: MessageTrigger = { type: 'SYN_ACK', nth: 1, fate: 'freeze-receiver' };
  const next: Launch = { at: 2_000 + dice.small(4_000), host: 'A', kind: 'initiate', elsewhere: false };
  return {
    ...QUIET,
    serve: dice.chance(0.5),
    launches: [...QUIET.launches, next],
    temper: { sticky: dice.pick([0, 0.5, 0.9]), hasty: 0 },
    faults: { operations, messages: stages ? [] : [told], kmes: [] },
    circumstances: { ...PLAIN, naming: stages ? 'key-id' : 'index' },
    waking: 'decide',
    recoverOnly: dice.chance(0.5),
  };
}

/** B's operator decides as A does, before B hears of it; then what the two agree on is not heard to its end. */
function decidedAlike(dice: Dice): Scenario {
  const [choice, unheard, last] = dice.pick(ALIKE);
  const messages: MessageTrigger[] = [
    { type: unheard, nth: 1, fate: dice.pick(['cut', 'vanish', 'kill-receiver', 'power-receiver'] as const) },
    { type: last, nth: 1, fate: dice.pick(FATES), follows: true },
  ];
  const order: Order = { host: 'B', choice, after: 1, delayMs: dice.pick([0, dice.small(1_000)]) };
  return {
    ...QUIET,
    serve: dice.chance(0.5),
    temper: { sticky: dice.pick([0, 0.5, 0.9]), hasty: 0 },
    persistence: dice.pick([0.7, 1]),
    faults: { operations: [], messages, kmes: [] },
    circumstances: { ...PLAIN, orders: [order] },
    recoverOnly: dice.chance(0.85),
    meetsAgain: dice.chance(0.25),
  };
}

const ALIKE = [
  ['commit', 'ACK', 'FIN'],
  ['commit', 'ACK', 'END'],
  ['commit', 'ACK', 'END'],
  ['abort', 'SYN_ACK', 'ABORT'],
  ['abort', 'SYN_ACK', 'ABORT_OK'],
] as const;

function randomLaunches(dice: Dice, anyRole: boolean): Launch[] {
  const first = anyRole ? dice.pick(['A', 'B']) : 'A';
  const launches: Launch[] = [{ at: 0, host: first, kind: 'initiate', elsewhere: false }];
  const others = dice.pick([0, 0, 0, 0, 1, 2]);
  for (let n = 0; n < others; n += 1) {
    const elsewhere = dice.chance(0.1);
    launches.push({
      at: dice.chance(0.3) ? 0 : dice.small(40_000),
      host: anyRole && dice.chance(0.5) ? 'B' : 'A',
      kind: !elsewhere && dice.chance(0.5) ? 'initiate' : 'recover',
      elsewhere,
    });
  }
  return launches;
}

function randomFaults(dice: Dice, reach: number): Faults {
  const operations: OperationTrigger[] = [];
  const messages: MessageTrigger[] = [];
  const kmes: KmeTrigger[] = [];
  const count = dice.small(FAULTS_MAX);
  for (let n = 0; n < count; n += 1) {
    const where = dice.below(20);
    if (where < 12) operations.push(randomOperationTrigger(dice, reach));
    else if (where < 19) {
      const type = dice.weighted(MESSAGE_WEIGHTS);
      messages.push({ type, nth: dice.small(type === 'any' ? 16 : 2), fate: dice.pick(FATES) });
    } else kmes.push({ host: dice.pick(['A', 'B']), nth: dice.small(3), fate: dice.pick(KME_FATES) });
  }
  return { operations, messages, kmes };
}

function randomOperationTrigger(dice: Dice, reach: number): OperationTrigger {
  const spot = dice.weighted(SPOT_WEIGHTS);
  const nth =
    spot === 'any'
      ? 1 + dice.below(reach)
      : spot === 'change'
        ? 1 + dice.below(Math.floor(reach * 0.4))
        : dice.small(6);
  return { host: dice.pick(['A', 'B']), spot, nth, stroke: randomStroke(dice), follows: dice.chance(0.3) };
}

function randomStroke(dice: Dice): Stroke {
  const when = dice.pick(['before', 'after'] as const);
  switch (dice.weighted({ kill: 4, torn: 1, power: 6, freeze: 6, fail: 3, signal: 1 })) {
    case 'kill':
      return { do: 'kill', when };
    case 'torn':
      return { do: dice.pick(['kill', 'power'] as const), when: 'torn' };
    case 'power':
      return { do: 'power', when };
    case 'freeze':
      return { do: 'freeze', when };
    case 'fail':
      return randomFailure(dice);
    case 'signal':
      return { do: 'signal' };
  }
}

/** A disk whose I/O goes on failing cannot even keep the mark of rule 13, and nothing can be promised on it. */
function randomFailure(dice: Dice): Stroke {
  const code = dice.pick(ERRNOS);
  return { do: 'fail', code, lasting: code !== 'EIO' && dice.chance(0.4) };
}
