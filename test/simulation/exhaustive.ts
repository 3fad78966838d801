/**
 * Every fault at every place of one exchange, one at a time or in pairs; and, one at a time, of the contact that settles
 * an exchange that was cut off.
 *
 * What is struck is counted along a run in peace: its operations by host, its messages, its KME requests.
 */
import { Dice } from './dice.js';
import { FATES, READS, type Errno, type KmeFate, type OperationKind, type Stroke } from './fault.js';
import type { Faults, OperationTrigger } from './plan.js';
import { QUIET, type CutOff, type Scenario } from './scenario.js';
import { simulate } from './run.js';
import type { Spot } from './spot.js';

export type Order = 'single' | 'recovery' | 'pairs';

const ERRNOS: readonly Errno[] = ['EIO', 'ENOSPC', 'EROFS', 'EACCES'];
const KME_FATES: readonly KmeFate[] = ['kme-unreachable', 'kme-refused', 'kme-empty', 'kme-answer', 'hang'];
const NOTHING: Faults = { operations: [], messages: [], kmes: [] };

/** Strokes that are worth a pair; a kill after an operation is one before the next. */
const PAIR_STROKES: readonly Stroke[] = [
  { do: 'kill', when: 'before' },
  { do: 'power', when: 'before' },
  { do: 'fail', code: 'EIO', lasting: false },
  { do: 'fail', code: 'ENOSPC', lasting: false },
];

function strokesOf(kind: OperationKind): Stroke[] {
  const whens = ['before', 'after'] as const;
  return [
    ...whens.map((when) => ({ do: 'kill', when }) as const),
    ...whens.map((when) => ({ do: 'power', when }) as const),
    ...whens.map((when) => ({ do: 'freeze', when }) as const),
    ...(kind === 'write'
      ? (['kill', 'power'] as const).map((what) => ({ do: what, when: 'torn' }) as const)
      : []),
    ...ERRNOS.map((code) => ({ do: 'fail', code, lasting: false }) as const),
    { do: 'signal' },
  ];
}

const strike = (
  host: string,
  spot: Spot,
  nth: number,
  stroke: Stroke,
  follows: boolean,
): OperationTrigger => ({
  host,
  spot,
  nth,
  stroke,
  follows,
  followsMessage: follows,
});

const onMessages = (count: number, follows: boolean): Faults[] =>
  Array.from({ length: count }, (_, at) => at + 1).flatMap((nth) =>
    FATES.map((fate) => {
      const message = { type: 'any' as const, nth, fate, follows, followsOperation: follows };
      return { ...NOTHING, messages: [message] };
    }),
  );

/** Each fault that can strike this run, once. */
function singles(peaceful: Scenario): Faults[] {
  const { operations, messages } = simulate(new Dice(0), peaceful);
  const counts = new Map<string, number>();
  const onOperations = operations.flatMap(({ host, kind }) => {
    const nth = (counts.get(host) ?? 0) + 1;
    counts.set(host, nth);
    return strokesOf(kind).map((stroke) => ({
      ...NOTHING,
      operations: [strike(host, 'any', nth, stroke, false)],
    }));
  });
  const onKmes = ['A', 'B', 'B'].flatMap((host, at) =>
    KME_FATES.map((fate) => ({ ...NOTHING, kmes: [{ host, nth: at === 2 ? 2 : 1, fate }] })),
  );
  return [...onOperations, ...onMessages(messages, false), ...onKmes];
}

/**
 * Those that can be combined: changes only, because between two of them nothing can be told apart.
 * @param follows they are the second ones: each counts from when the first one has struck
 */
function combinable(follows: boolean): Faults[] {
  const { operations, messages } = simulate(new Dice(0), QUIET);
  const found = onMessages(messages, follows);
  for (const host of ['A', 'B']) {
    const changes = operations.filter((one) => one.host === host && !READS.has(one.kind)).length;
    for (let nth = 1; nth <= changes; nth += 1) {
      for (const stroke of PAIR_STROKES) {
        found.push({ ...NOTHING, operations: [strike(host, 'change', nth, stroke, follows)] });
      }
    }
  }
  return found;
}

/** So many places of an exchange are cut at, and in so many ways: at each the processes are killed, or the power fails. */
const CUTS = 16;
const POWER_LOST: readonly (readonly string[])[] = [[], ['A'], ['B'], ['A', 'B']];

function recoveries(): Scenario[] {
  const cutOffs = Array.from({ length: CUTS }, (_, at) => (at + 0.5) / CUTS).flatMap((progress) =>
    POWER_LOST.map((powerLost): CutOff => ({ seed: 0, progress, agoMs: 10_000, powerLost })),
  );
  const launches = QUIET.launches.map((launch) => ({ ...launch, kind: 'recover' as const }));
  return cutOffs.map((cutOff) => ({ ...QUIET, cutOff, launches }));
}

/** A list of scenarios that is made as it is read. */
export interface Enumeration {
  readonly count: number;
  at(index: number): Scenario;
}

/** Its parity changes with the stroke and with the place, so that any two strokes meet both kinds of responders. */
const shade = (at: number): number => at + Math.floor(at / PAIR_STROKES.length);

export function enumerate(order: Order): Enumeration {
  const scenario = (faults: Faults, serve: boolean, peaceful = QUIET): Scenario => ({
    ...peaceful,
    swift: true,
    serve,
    persistence: order === 'pairs' ? 1 : 0,
    faults,
  });
  if (order !== 'pairs') {
    const list = (order === 'single' ? [QUIET] : recoveries()).flatMap((peaceful) =>
      singles(peaceful).map((faults) => ({ faults, peaceful })),
    );
    return {
      count: list.length,
      // Of each place there is an odd number of strokes, so that each stroke meets both.
      at: (index) => scenario(list[index]?.faults ?? NOTHING, index % 2 === 0, list[index]?.peaceful),
    };
  }
  const [first, second] = [combinable(false), combinable(true)];
  return {
    count: first.length * second.length,
    at: (index) => {
      const [at, then] = [Math.floor(index / second.length), index % second.length];
      const one = first[at] ?? NOTHING;
      const other = second[then] ?? NOTHING;
      const faults = {
        operations: [...one.operations, ...other.operations],
        messages: [...one.messages, ...other.messages],
        kmes: [],
      };
      return scenario(faults, (shade(at) + shade(then)) % 2 === 0);
    },
  };
}
