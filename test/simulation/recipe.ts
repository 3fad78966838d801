/** Combinations of faults that single chance hardly ever throws, and that break protocols like this one. */
import type { Dice } from './dice.js';
import { FATES, type Stroke } from './fault.js';
import type { Faults, MessageTrigger, OperationTrigger } from './plan.js';
import type { Spot } from './spot.js';

/** Where two runs of one site get in each other's way. */
const DUEL_SPOTS: readonly Spot[] = [
  'decide',
  'decide',
  'beta',
  'sync-role',
  'stage',
  'abort',
  'read-record',
  'list-role',
  'reserve',
  'publish',
  'trash',
  'mark',
];

/** What the sleeper has heard and not acted on. */
const DUEL_MESSAGES = ['STATUS', 'SYN_ACK', 'SYN_ACK', 'FIN', 'ACK', 'ABORT', 'END'] as const;

/** Where something can be seen that may not last. */
const VOLATILE_SPOTS: readonly Spot[] = [
  'folder',
  'decide',
  'stage',
  'done',
  'abort',
  'publish',
  'trash',
  'sync-role',
];

const SYNC_SPOTS: readonly Spot[] = [
  'sync-role',
  'sync-role',
  'sync-record',
  'sync-keys',
  'sync-file',
  'sync-folder',
  'sync-folder',
];

/** @param anyRole both sites initiate */
export function recipe(dice: Dice, anyRole: boolean): Faults {
  switch (dice.weighted({ duel: 4, relapse: 4, ill: 2, hearsay: 1, crossing: 1 })) {
    case 'duel':
      return duel(dice, anyRole);
    case 'relapse':
      return relapse(dice);
    case 'ill':
      return illDisk(dice);
    case 'hearsay':
      return hearsay(dice);
    case 'crossing':
      return crossing(dice);
  }
}

const at = (host: string, spot: Spot, nth: number, stroke: Stroke, follows = false): OperationTrigger => ({
  host,
  spot,
  nth,
  stroke,
  follows,
});

/** One run of A sleeps near its decision while another one settles. */
function duel(dice: Dice, anyRole: boolean): Faults {
  const host = anyRole ? dice.pick(['A', 'B']) : 'A';
  const when = dice.pick(['before', 'after'] as const);
  if (dice.chance(0.5)) {
    const heard: MessageTrigger = {
      type: dice.pick(DUEL_MESSAGES),
      nth: dice.small(2),
      fate: 'freeze-receiver',
    };
    return { operations: [], messages: [heard], kmes: [] };
  }
  const asleep = at(host, dice.pick(DUEL_SPOTS), dice.small(3), { do: 'freeze', when });
  return { operations: [asleep], messages: dice.chance(0.3) ? [cut(dice)] : [], kmes: [] };
}

/** A process is killed where something is seen that may not last; who reads it loses power soon after. */
function relapse(dice: Dice): Faults {
  const host = dice.pick(['A', 'B']);
  const first: Stroke = { do: 'kill', when: dice.pick(['before', 'after', 'after'] as const) };
  const second: Stroke = { do: 'power', when: dice.pick(['before', 'after'] as const) };
  const operations = [
    at(host, dice.pick(VOLATILE_SPOTS), dice.small(4), first),
    at(host, 'any', 1 + dice.below(110), second, true),
  ];
  return { operations, messages: dice.chance(0.3) ? [cut(dice)] : [], kmes: [] };
}

/** What nobody has made durable is told by the next process, and lost with the power once the peer has acted on it. */
function hearsay(dice: Dice): Faults {
  const [host, spot, type, fate] = dice.pick(HEARSAY);
  const nth = dice.small(spot === 'folder' ? 8 : 2);
  const killed = at(host, spot, nth, { do: 'kill', when: 'after' });
  return { operations: [killed], messages: [{ type, nth: 1, fate }], kmes: [] };
}

const HEARSAY = [
  ['B', 'done', 'END', 'power-receiver'],
  ['B', 'done', 'END', 'power-receiver'],
  ['B', 'decide', 'FIN', 'power-sender'],
  ['B', 'stage', 'ABORT', 'power-receiver'],
  ['B', 'folder', 'SYN_ACK', 'power-sender'],
  ['A', 'folder', 'ACK', 'power-sender'],
  ['A', 'decide', 'ACK', 'power-sender'],
  ['A', 'trash', 'END', 'power-sender'],
] as const;

/** A run that sleeps has its exchange asked about by another one, which hears the answer late. */
function crossing(dice: Dice): Faults {
  const [asleep, late] = [dice.pick(['SYN_ACK', 'SYN_ACK', 'ACK', 'FIN'] as const), dice.pick(LATE)];
  const messages: MessageTrigger[] = [
    { type: asleep, nth: 1, fate: 'freeze-receiver' },
    { type: 'STATUS', nth: 1 + dice.small(2), fate: late },
  ];
  return { operations: [], messages, kmes: [] };
}

const LATE = ['late', 'freeze-receiver', 'freeze-receiver'] as const;

/** An fsync fails, and some time later so does the power. */
function illDisk(dice: Dice): Faults {
  const host = dice.pick(['A', 'B']);
  const operations = [
    at(host, dice.pick(SYNC_SPOTS), dice.small(5), { do: 'fail', code: 'EIO', lasting: false }),
    at(host, 'any', dice.small(160), { do: 'power', when: 'before' }, true),
  ];
  return { operations, messages: [], kmes: [] };
}

function cut(dice: Dice): MessageTrigger {
  return { type: dice.pick(['SYN_ACK', 'ACK', 'FIN', 'END'] as const), nth: 1, fate: dice.pick(FATES) };
}

/** Where a second run of the same site may be when a sleeper wakes up. */
export const WAKING_SPOTS: readonly Spot[] = [
  'abort',
  'abort',
  'stage',
  'decide',
  'sync-role',
  'trash',
  'publish',
  'release',
  'reserve',
  'mark',
  'any',
];
