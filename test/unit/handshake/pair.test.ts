/** Both machines against each other: whatever goes wrong, the next contact brings both sites to the same end. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FAULTS, Pair, type Fault, type Mishap } from '../../support/handshake-pair.js';

/** What the sites may have been left with by earlier runs. */
const BEFORE: Readonly<Record<string, (pair: Pair) => void>> = {
  nothing: () => undefined,
  'a file on both sites': (pair) => pair.contact('initiate'),
  'a vote that was aborted': (pair) => {
    leave(pair, 'B: SYN_ACK');
  },
  'a vote that was committed': (pair) => {
    leave(pair, 'A: ACK');
  },
  'a file that is not confirmed': (pair) => {
    leave(pair, 'B: FIN');
  },
  'a file that is not forgotten': (pair) => {
    leave(pair, 'A: END');
  },
};

/** A contact in which this message is lost, and all that is said after it. */
function leave(pair: Pair, last: string): void {
  pair.contact('initiate', [{ at: momentOf(last), fault: 'lost' }]);
}

/** The moment at which a good exchange says this. */
function momentOf(said: string): number {
  const pair = new Pair();
  const sends = pair.contact('initiate').flatMap((moment, at) => (moment === 'send' ? [at] : []));
  const at = sends[pair.transcript.indexOf(said)];
  if (at === undefined) throw new Error(`${said} is never said`);
  return at;
}

/** One clean contact must be enough. */
function expectRest(pair: Pair, story: unknown): void {
  pair.contact('recover');
  expect([story, pair.unrest()]).toEqual([story, []]);
}

test('an exchange without faults is said in eight messages, and both sites have the file', () => {
  const pair = new Pair();
  pair.contact('initiate');
  expect(pair.transcript).toEqual([
    ...['A: HELLO', 'B: STATUS', 'A: SYN', 'B: SYN_ACK'],
    ...['A: ACK', 'B: FIN', 'A: END', 'B: END_OK'],
  ]);
  expect(pair.unrest()).toEqual([]);
  expect(pair.a.published.size).toBe(1);
});

test('the next run settles what is left first and then makes its own exchange', () => {
  for (const [name, prepare] of Object.entries(BEFORE)) {
    const pair = new Pair();
    prepare(pair);
    const { size } = pair.a.published;
    pair.contact('initiate');
    expect([name, pair.unrest()]).toEqual([name, []]);
    expect(pair.a.published.size).toBe(size + 1);
  }
});

test('the beginnings are what they are called', () => {
  const states = (name: string): unknown => {
    const pair = new Pair();
    BEFORE[name]?.(pair);
    const of = ({ records }: Pair['a']): unknown => [...records.values()].map(({ state }) => state);
    return [of(pair.a), of(pair.b)];
  };
  expect(states('a file on both sites')).toEqual([[], []]);
  expect(states('a vote that was aborted')).toEqual([[], ['staged']]);
  expect(states('a vote that was committed')).toEqual([['committed'], ['staged']]);
  expect(states('a file that is not confirmed')).toEqual([['committed'], ['done']]);
  expect(states('a file that is not forgotten')).toEqual([[], ['done']]);
});

describe.each(Object.entries(BEFORE))('with %s', (_, prepare) => {
  const prepared = (): Pair => {
    const pair = new Pair();
    prepare(pair);
    return pair;
  };

  test.each(['initiate', 'recover'] as const)(
    'every single fault of %s is healed by the next contact',
    (purpose) => {
      const moments = prepared().contact(purpose);
      let faults = 0;
      for (const [at, moment] of moments.entries()) {
        for (const fault of FAULTS[moment]) {
          const pair = prepared();
          pair.contact(purpose, [{ at, fault }]);
          expectRest(pair, { at, fault, transcript: pair.transcript });
          faults += 1;
        }
      }
      expect(faults).toBeGreaterThan(20);
    },
  );
});

describe.each(['nothing', 'a vote that was committed', 'a file that is not forgotten'])('with %s', (name) => {
  const prepared = (): Pair => {
    const pair = new Pair();
    BEFORE[name]?.(pair);
    return pair;
  };

  test('every two faults of an exchange are healed by the next contact', () => {
    for (const [first, moment] of prepared().contact('initiate').entries()) {
      for (const fault of FAULTS[moment]) {
        const one = { at: first, fault };
        for (const [later, then] of prepared().contact('initiate', [one]).entries()) {
          if (later <= first) continue;
          for (const other of FAULTS[then]) {
            const pair = prepared();
            const two = { at: later, fault: other };
            pair.contact('initiate', [one, two]);
            expectRest(pair, { one, two, transcript: pair.transcript });
          }
        }
      }
    }
  });
});

describe('any sequence of faulty contacts', () => {
  const faults: Fault[] = Object.values(FAULTS).flat();
  const mishaps: fc.Arbitrary<Mishap[]> = fc.array(
    fc.record({ at: fc.nat({ max: 45 }), fault: fc.constantFrom(...faults) }),
    { maxLength: 4 },
  );
  const contacts = fc.array(fc.tuple(fc.constantFrom('initiate' as const, 'recover' as const), mishaps), {
    minLength: 1,
    maxLength: 8,
  });

  test('is healed by one good one, and the next exchange succeeds', () => {
    fc.assert(
      fc.property(contacts, (story) => {
        const pair = new Pair();
        for (const [purpose, mishap] of story) pair.contact(purpose, mishap);
        expectRest(pair, story);
        const { size } = pair.a.published;
        pair.contact('initiate');
        expect(pair.unrest()).toEqual([]);
        expect(pair.b.published.size).toBe(size + 1);
      }),
      { numRuns: 1_000 },
    );
  });
});
