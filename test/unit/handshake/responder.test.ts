import { describe, expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import type { Hello, Message, NakCode, Status } from '../../../src/handshake/message.js';
import {
  isWaiting,
  type ResponderContext,
  type ResponderState,
} from '../../../src/handshake/responder-state.js';
import type { Inspection, ResponderAction, ResponderEvent } from '../../../src/handshake/responder-work.js';
import { nextResponder, startResponder } from '../../../src/handshake/responder.js';
import {
  errorOf,
  ID,
  KEY_IDS,
  OLD,
  OTHER,
  STATE_A,
  STATE_B,
  talk,
  WANT,
  type Talk,
} from '../../support/handshake-talk.js';

type ResponderTalk = Talk<ResponderState, ResponderAction, ResponderEvent>;

const AT_B: ResponderContext = {
  site: 'B',
  stateId: STATE_B,
  peers: [{ site: 'A', sae: 'sae-a' }],
  anyRole: false,
  terms: { count: 2, size: 256, naming: 'index' },
  deadlineMs: 600_000,
};
const HELLO: Hello = { type: 'HELLO', version: 1, site: 'A', sae: 'sae-a', stateId: STATE_A, alarms: 0 };
const HELLO_WANT: Hello = { ...HELLO, want: WANT };
const NOTHING: Inspection = { inDoubt: [], done: [], resolved: [], foreign: 0, alarms: 0, nextIndex: 7 };
const CLEAR: Status = {
  type: 'STATUS',
  stateId: STATE_B,
  inDoubt: [],
  done: [],
  resolved: [],
  more: false,
  foreign: 0,
  alarms: 0,
  nextIndex: 7,
  ready: false,
  deadlineMs: 600_000,
};
const READY: Status = { ...CLEAR, ready: true };
const SYN = { type: 'SYN', id: ID, keyIds: KEY_IDS, alpha: '41' } as const;
const SYN_ACK: Message = { type: 'SYN_ACK', id: ID, alpha: '42', beta: '8' };
const BROKEN = new QkdSyncError('peer-lost', 'the connection broke');

const INSPECT: ResponderAction = { do: 'inspect', peer: 'A', stateId: STATE_A };
const EXAMINE: ResponderAction = { do: 'examine', peer: 'A', want: WANT };
const VOTE: ResponderAction = { do: 'vote', peer: 'A', stateId: STATE_A, want: WANT, syn: SYN };

const inspected = (inspection: Partial<Inspection> = {}): ResponderEvent => ({
  on: 'inspected',
  inspection: { ...NOTHING, ...inspection },
});
const declined = (code: NakCode, reason = 'because'): ResponderEvent => ({ on: 'declined', code, reason });
const committed = (outcome: 'done' | 'unknown' | 'mismatch' | 'taken'): ResponderEvent => ({
  on: 'committed',
  outcome,
});
const failed: ResponderEvent = { on: 'failed', error: new QkdSyncError('suspect', 'it failed') };
const ack = (id = ID): Message => ({ type: 'ACK', id, beta: '9' });
const fin = (id = ID): Message => ({ type: 'FIN', id });
const nak = (code: NakCode, reason: string): Message => ({ type: 'NAK', code, reason });

const begin = (context = AT_B): ResponderTalk =>
  talk<ResponderState, ResponderAction, ResponderEvent>(startResponder(context), nextResponder).does({
    do: 'wait',
    for: 'greeting',
  });

/** Conversations up to a phase, for what follows. */
const inspecting = (hello = HELLO_WANT): ResponderTalk => begin().hears(hello).does(INSPECT);
const examining = (): ResponderTalk => inspecting().on(inspected()).does(EXAMINE);
const ready = (): ResponderTalk => examining().on({ on: 'examined' }).says(READY, 'order');
const voting = (): ResponderTalk => ready().hears(SYN).does(VOTE);
const voted = (): ResponderTalk => voting().on({ on: 'voted', beta: '8' }).says(SYN_ACK, 'order');
const committing = (): ResponderTalk =>
  voted().hears(ack()).does({ do: 'commit', peer: 'A', id: ID, beta: '8' });
const settling = (): ResponderTalk => inspecting(HELLO).on(inspected()).says(CLEAR, 'order');
const discarding = (id = ID): ResponderTalk =>
  settling().hears({ type: 'ABORT', id }).does({ do: 'discard', peer: 'A', id, stateId: STATE_A });
const forgetting = (): ResponderTalk =>
  settling().hears({ type: 'END', id: ID }).does({ do: 'forget', peer: 'A', id: ID, stateId: STATE_A });

describe('an exchange', () => {
  test('goes from HELLO to END_OK', () => {
    const state = committing()
      .on(committed('done'))
      .says(fin(), 'order')
      .hears({ type: 'END', id: ID })
      .does({ do: 'forget', peer: 'A', id: ID, stateId: STATE_A })
      .on({ on: 'forgotten', outcome: 'gone' })
      .says({ type: 'END_OK', id: ID }, 'order')
      .on({ on: 'closed', error: undefined })
      .ends();
    expect(state).toMatchObject({ hello: HELLO_WANT, error: undefined, refusal: undefined, clear: true });
  });

  test('wraps alpha and beta around', () => {
    const largest = (2n ** 128n - 1n).toString();
    ready()
      .hears({ ...SYN, alpha: largest })
      .on({ on: 'voted', beta: largest })
      .says({ ...SYN_ACK, alpha: '0', beta: largest }, 'order')
      .hears({ ...ack(), beta: '0' } as Message)
      .does({ do: 'commit', peer: 'A', id: ID, beta: largest });
  });

  test('that the initiator aborts is discarded', () => {
    const state = voted()
      .hears({ type: 'ABORT', id: ID })
      .does({ do: 'discard', peer: 'A', id: ID, stateId: STATE_A })
      .on({ on: 'discarded', outcome: 'gone' })
      .says({ type: 'ABORT_OK', id: ID }, 'order')
      .on({ on: 'closed', error: undefined })
      .ends();
    expect(state.error).toBeUndefined();
  });

  test.each<NakCode>(['kme-empty', 'storage', 'name-taken', 'stopping'])('is refused for %s', (code) => {
    const refused = voting()
      .on(declined(code, 'no\nroom'))
      .says({ type: 'NAK', id: ID, code, reason: 'no room' }, 'order');
    const state = refused.on({ on: 'closed', error: undefined }).ends();
    expect(state).toMatchObject({ refusal: { code, reason: 'no room' }, error: undefined });
  });

  test('is refused where SYN names more or fewer keys than were agreed to', () => {
    const refused = ready()
      .hears({ ...SYN, keyIds: ['k1'] })
      .says({ type: 'NAK', id: ID, code: 'count', reason: 'SYN has 1 keys, not 2' }, 'order');
    refused.hears(SYN).ends(nak('protocol', 'SYN does not fit here'));
  });
});

describe('after the vote', () => {
  test.each<[string, ResponderEvent, string]>([
    ['the connection breaks', { on: 'closed', error: BROKEN }, 'peer-lost'],
    ['the initiator hangs up', { on: 'closed', error: undefined }, 'peer-lost'],
    ['the initiator is silent', { on: 'timeout' }, 'peer-lost'],
    ['a signal comes', { on: 'interrupted' }, 'interrupted'],
  ])('nothing is done and nothing said when %s', (_, event, code) => {
    const state = voted().on(event).ends();
    expect(state).toMatchObject({ undecided: ID, error: { code } });
  });

  test('a frame that is no message ends the connection, and no record is touched', () => {
    const state = voted()
      .on({ on: 'malformed', reason: 'a frame that is not JSON' })
      .ends(nak('protocol', 'a frame that is not JSON'));
    expect(errorOf(state.error)).toEqual(['protocol', 'the peer sent a frame that is not JSON']);
  });

  test.each([SYN, { ...SYN, id: OTHER }])(
    'another SYN ends the connection, and no record is touched',
    (syn) => {
      expect(voted().hears(syn).ends(nak('protocol', 'SYN does not fit here')).undecided).toBe(ID);
    },
  );

  test('the work that failed has no answer', () => {
    expect(errorOf(committing().on(failed).ends().error)).toEqual(['suspect', 'it failed']);
  });

  test('the decision on another exchange leaves this one undecided', () => {
    const other = voted().hears(ack(OLD)).on(committed('done')).says(fin(OLD), 'order');
    expect(other.on({ on: 'closed', error: undefined }).ends().error?.code).toBe('peer-lost');
  });

  test('HELLO may come again, and what it is told is in doubt', () => {
    voted()
      .hears(HELLO)
      .does(INSPECT)
      .on(inspected({ inDoubt: [ID] }))
      .says({ ...CLEAR, inDoubt: [ID] }, 'order');
  });
});

describe('an order about one exchange is answered with the real state', () => {
  test.each([
    ['done', fin()],
    ['unknown', { type: 'UNKNOWN', id: ID }],
    [
      'mismatch',
      { type: 'NAK', id: ID, code: 'contradiction', reason: 'ACK answers another SYN_ACK than ours' },
    ],
    [
      'taken',
      {
        type: 'NAK',
        id: ID,
        code: 'name-taken',
        reason: 'the file of this exchange cannot be saved: its name is taken',
      },
    ],
  ] as const)('ACK: %s', (outcome, message) => {
    const answered = committing().on(committed(outcome)).says(message, 'order');
    expect(answered.state.refusal?.code).toBe(message.type === 'NAK' ? message.code : undefined);
  });

  test.each([
    ['gone', 'ABORT_OK'],
    ['done', 'FIN'],
  ] as const)('ABORT: %s', (outcome, type) => {
    discarding().on({ on: 'discarded', outcome }).says({ type, id: ID }, 'order');
  });

  test('END: gone', () => {
    forgetting().on({ on: 'forgotten', outcome: 'gone' }).says({ type: 'END_OK', id: ID }, 'order');
  });

  test('and after a no the next order is taken', () => {
    const refused = discarding().on({ on: 'discarded', outcome: 'foreign' });
    expect(refused.state).toMatchObject({ phase: { at: 'order' }, refusal: { code: 'foreign' } });
    refused.hears(ack(OLD)).does({ do: 'commit', peer: 'A', id: OLD, beta: '8' });
  });
});

describe('HELLO', () => {
  test.each<[Partial<Hello>, NakCode]>([
    [{ version: 2 }, 'version'],
    [{ sae: 'sae-x' }, 'identity'],
    [{ site: 'C' }, 'identity'],
  ])('with %j is refused, and nothing is looked at', (claim, code) => {
    const { actions } = nextResponder(begin().state, { on: 'message', message: { ...HELLO, ...claim } });
    expect(actions).toEqual([
      { do: 'send', message: nak(code, expect.any(String) as unknown as string) },
      { do: 'end' },
    ]);
  });

  test('may not change the state folder in the middle of a connection', () => {
    const refused = settling().hears({ ...HELLO, stateId: OTHER });
    expect(refused.state).toMatchObject({
      phase: { at: 'ended' },
      hello: HELLO,
      refusal: { code: 'identity' },
    });
  });

  test.each<ResponderEvent>([
    { on: 'timeout' },
    { on: 'closed', error: undefined },
    { on: 'closed', error: BROKEN },
  ])('that never comes: %j', (event) => {
    expect(begin().on(event).ends()).toMatchObject({ hello: undefined, error: { code: 'peer-lost' } });
  });

  const EARLY: Message[] = [SYN, ack(), { type: 'ABORT', id: ID }, { type: 'END', id: ID }, CLEAR];
  test.each(EARLY.map((message) => [message.type, message] as const))('comes before %s', (type, message) => {
    const state = begin()
      .hears(message)
      .ends(nak('protocol', `${type} does not fit here`));
    expect(errorOf(state.error)).toEqual(['protocol', `the peer sent ${type} out of turn`]);
  });

  test.each(
    [CLEAR, SYN_ACK, fin(), nak('busy', 'x')]
      .concat((['ABORT_OK', 'END_OK', 'UNKNOWN'] as const).map((type) => ({ type, id: ID })))
      .map((message) => [message.type, message] as const),
  )('is not followed by %s from an initiator', (type, message) => {
    ready()
      .hears(message)
      .ends(nak('protocol', `${type} does not fit here`));
  });
});

describe('STATUS', () => {
  test('is said only once what is committed here is finished', () => {
    expect(errorOf(inspecting().on(failed).ends().error)).toEqual(['suspect', 'it failed']);
  });

  test.each<[string, () => ResponderTalk]>([
    ['inspecting', inspecting],
    ['examining', examining],
  ])('is not said, and the contact is over, when %s says no', (_, conversation) => {
    const state = conversation()
      .on(declined('busy', 'another run holds the lock'))
      .ends(nak('busy', 'another run holds the lock'));
    expect(state.refusal).toEqual({ code: 'busy', reason: 'another run holds the lock' });
  });

  test('is not ready, and nothing is examined, while the initiator has not heard of all that is open', () => {
    const open = { inDoubt: [ID], done: [OLD] };
    const told = inspecting()
      .on(inspected(open))
      .says({ ...CLEAR, ...open }, 'order');
    expect(told.state.clear).toBe(false);
    // What the initiator could not settle stands no longer in the way, what is new does.
    told
      .hears(HELLO_WANT)
      .on(inspected({ inDoubt: [ID, OTHER], done: [] }))
      .says({ ...CLEAR, inDoubt: [ID, OTHER] }, 'order')
      .hears(HELLO_WANT)
      .on(inspected({ inDoubt: [ID, OTHER], done: [] }))
      .does(EXAMINE)
      .on({ on: 'examined' })
      .says({ ...READY, inDoubt: [ID, OTHER] }, 'order');
  });

  test('is clear where nothing is open', () => {
    expect(settling().state).toMatchObject({ clear: true, agreed: undefined });
    expect(inspecting(HELLO).on(inspected({ done: [ID] })).state.clear).toBe(false);
    expect(inspecting(HELLO).on(inspected({ inDoubt: [ID] })).state.clear).toBe(false);
  });

  test('is clear where no more is open than the initiator says that it cannot settle', () => {
    const stuck = { ...HELLO, alarms: 1 };
    expect(inspecting(stuck).on(inspected({ done: [ID] })).state.clear).toBe(true);
    expect(inspecting(stuck).on(inspected({ done: [ID], inDoubt: [OTHER] })).state.clear).toBe(false);
  });

  test('says what only an operator can settle', () => {
    inspecting(HELLO)
      .on(inspected({ foreign: 2, alarms: 3 }))
      .says({ ...CLEAR, foreign: 2, alarms: 3 }, 'order');
  });

  test.each(['foreign', 'alarms'] as const)('says so before it says no to what is wanted: %s', (kind) => {
    const told = inspecting()
      .on(inspected({ [kind]: 1, nextIndex: 8 }))
      .says({ ...CLEAR, [kind]: 1, nextIndex: 8 }, 'order');
    const state = told
      .hears(HELLO_WANT)
      .on(inspected({ [kind]: 1, nextIndex: 8 }))
      .ends(
        nak(
          'index',
          'the next file has number 8 here, 7 at the initiator; --index 8 on both sites brings them together',
        ),
      );
    expect(state.refusal?.code).toBe('index');
  });

  test('agrees to a higher number where the initiator holds one that only an operator can free', () => {
    const want = { ...WANT, index: 8 };
    inspecting({ ...HELLO, alarms: 1, want })
      .on(inspected())
      .does({ ...EXAMINE, want });
  });

  test.each(['inDoubt', 'done'] as const)('names 64 that are %s, and says that there are more', (kind) => {
    const all = Array.from({ length: 65 }, (_, at) => at.toString(16).padStart(32, '0'));
    const told = inspecting(HELLO)
      .on(inspected({ [kind]: all.slice(0, 64) }))
      .says({ ...CLEAR, [kind]: all.slice(0, 64) }, 'order');
    told
      .hears(HELLO)
      .on(inspected({ [kind]: all }))
      .says({ ...CLEAR, [kind]: all.slice(0, 64), more: true }, 'order');
    expect(told.state.told.size).toBe(64);
  });

  test('is not said where the sites do not agree', () => {
    const state = inspecting()
      .on(inspected({ nextIndex: 8 }))
      .ends(
        nak(
          'index',
          'the next file has number 8 here, 7 at the initiator; --index 8 on both sites brings them together',
        ),
      );
    expect(state.refusal?.code).toBe('index');
  });
});

describe('SYN', () => {
  test('is taken only after a STATUS that is ready', () => {
    settling().hears(SYN).ends(nak('protocol', 'SYN does not fit here'));
  });

  test('is taken once', () => {
    voting().on(declined('kme-empty')).hears(SYN).ends(nak('protocol', 'SYN does not fit here'));
  });

  test.each<[string, (conversation: ResponderTalk) => ResponderTalk]>([
    ['another HELLO', (conversation) => conversation.hears(HELLO).on(inspected())],
    [
      'a no to something else',
      (conversation) => conversation.hears({ type: 'END', id: OLD }).on({ on: 'forgotten', outcome: 'open' }),
    ],
  ])('is not taken after %s, which takes the agreement back', (_, between) => {
    between(ready()).hears(SYN).ends(nak('protocol', 'SYN does not fit here'));
  });
});

/** One conversation in each phase, and the events that it takes there. */
const WAITING = ['message', 'closed', 'timeout', 'malformed', 'interrupted'] as const;
const PLACES: readonly [() => ResponderTalk, ...ResponderEvent['on'][]][] = [
  [begin, ...WAITING],
  [inspecting, 'inspected', 'declined', 'failed'],
  [examining, 'examined', 'declined', 'failed'],
  [ready, ...WAITING],
  [voting, 'voted', 'declined', 'failed'],
  [committing, 'committed', 'failed'],
  [discarding, 'discarded', 'failed'],
  [forgetting, 'forgotten', 'failed'],
  [() => ready().on({ on: 'timeout' })],
];
const EVENTS: readonly ResponderEvent[] = [
  { on: 'message', message: HELLO },
  { on: 'closed', error: undefined },
  { on: 'timeout' },
  { on: 'malformed', reason: 'nonsense' },
  { on: 'interrupted' },
  failed,
  inspected(),
  { on: 'examined' },
  { on: 'voted', beta: '8' },
  declined('busy'),
  committed('done'),
  { on: 'discarded', outcome: 'gone' },
  { on: 'forgotten', outcome: 'gone' },
];

describe.each(PLACES.map((place) => [place[0]().state.phase.at, ...place] as const))(
  'while %s',
  (at, conversation, ...taken) => {
    test.each(EVENTS.map((event) => [event.on, event] as const))('%s is taken or a bug', (on, event) => {
      const take = (): unknown => conversation().on(event);
      if (taken.includes(on)) expect(take).not.toThrow();
      else expect(take).toThrow(`the handshake cannot take '${on}' while '${at}'`);
    });

    test("it is the peer's turn exactly where a timeout can come", () => {
      expect(isWaiting(conversation().state.phase)).toBe(taken.includes('timeout'));
    });
  },
);
