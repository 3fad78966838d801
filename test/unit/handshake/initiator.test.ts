import { describe, expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import {
  isWaiting,
  type InitiatorContext,
  type InitiatorState,
} from '../../../src/handshake/initiator-state.js';
import type { InitiatorAction, InitiatorEvent, Verdict } from '../../../src/handshake/initiator-work.js';
import { nextInitiator, startInitiator } from '../../../src/handshake/initiator.js';
import type { Message, NakCode, Status, Want } from '../../../src/handshake/message.js';
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

type InitiatorTalk = Talk<InitiatorState, InitiatorAction, InitiatorEvent>;

const BASE = { site: 'A', sae: 'sae-a', stateId: STATE_A };
const ATTEMPT = { id: ID, alpha: '41' };
const INITIATE: InitiatorContext = { ...BASE, attempt: ATTEMPT };

const HELLO = { type: 'HELLO', version: 1, ...BASE, alarms: 0 } as const;
const HELLO_WANT: Message = { ...HELLO, want: WANT };
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
const SYN: Message = { type: 'SYN', id: ID, keyIds: KEY_IDS, alpha: '41' };
const SYN_ACK = { type: 'SYN_ACK', id: ID, alpha: '42', beta: '8' } as const;
const COMMITTED: Verdict = { decided: 'committed', beta: '8' };
const ABORTED: Verdict = { decided: 'aborted' };
const NO_ALARM = { alarmed: new Set(), peerAlarms: 0 };
const BROKEN = new QkdSyncError('peer-lost', 'the connection broke');

/** `recover` wants nothing. */
const surveyed = (committed: string[] = [], want: Want | 'nothing' = WANT): InitiatorEvent => ({
  on: 'surveyed',
  committed,
  alarms: 0,
  want: want === 'nothing' ? undefined : want,
});
const judged = (verdict: Verdict): InitiatorEvent => ({ on: 'judged', verdict });
const finished: InitiatorEvent = { on: 'finished' };
const alarmed: InitiatorEvent = { on: 'alarmed' };
const fin = (id = ID): Message => ({ type: 'FIN', id });
const ack = (id = ID): Message => ({ type: 'ACK', id, beta: '9' });
const abort = (id = ID): Message => ({ type: 'ABORT', id });
const end = (id = ID): Message => ({ type: 'END', id });
const nak = (code: NakCode, id?: string): Message => ({
  type: 'NAK',
  code,
  reason: 'because',
  ...(id !== undefined && { id }),
});
const failed = (code: QkdSyncError['code']): InitiatorEvent => ({
  on: 'failed',
  error: new QkdSyncError(code, 'it failed'),
});

const begin = (context = INITIATE): InitiatorTalk =>
  talk<InitiatorState, InitiatorAction, InitiatorEvent>(startInitiator(context), nextInitiator).does({
    do: 'survey',
    leastIndex: 0,
  });

/** Conversations up to a phase, for what follows. */
const greeted = (): InitiatorTalk => begin().on(surveyed()).says(HELLO_WANT, 'status');
const drawing = (): InitiatorTalk => greeted().hears(READY).does({ do: 'draw' });
const staging = (): InitiatorTalk =>
  drawing()
    .on({ on: 'drawn', keyIds: KEY_IDS })
    .does({ do: 'stage', ...ATTEMPT, peerStateId: STATE_B });
const offering = (): InitiatorTalk => staging().on({ on: 'staged' }).says(SYN, 'vote');
const deciding = (): InitiatorTalk => offering().hears(SYN_ACK).does({ do: 'decide', id: ID, beta: '8' });
const acknowledged = (): InitiatorTalk => deciding().on(judged(COMMITTED)).says(ack(), 'fin');
const finishing = (): InitiatorTalk => acknowledged().hears(fin()).does({ do: 'finish', id: ID });
const ending = (): InitiatorTalk => finishing().on(finished).says(end(), 'answer');

/** Conversations that settle an exchange of an earlier run. */
const recovering = (): InitiatorTalk => begin(BASE).on(surveyed([], 'nothing')).says(HELLO, 'status');
const judging = (): InitiatorTalk =>
  recovering()
    .hears({ ...CLEAR, inDoubt: [OLD] })
    .does({ do: 'judge', id: OLD });
const toldCommit = (): InitiatorTalk => judging().on(judged(COMMITTED)).says(ack(OLD), 'fin');
const toldAbort = (): InitiatorTalk => judging().on(judged(ABORTED)).says(abort(OLD), 'answer');
const toldEnd = (): InitiatorTalk =>
  toldCommit().hears(fin(OLD)).does({ do: 'finish', id: OLD }).on(finished).says(end(OLD), 'answer');
const ownAbort = (): InitiatorTalk =>
  offering().on({ on: 'timeout' }).does({ do: 'judge', id: ID }).on(judged(ABORTED)).says(abort(), 'answer');

/** The conversation goes on: it looks at everything again. */
function goesOn(conversation: InitiatorTalk, leastIndex = 0): InitiatorTalk {
  return conversation.does({ do: 'survey', leastIndex });
}

describe('an exchange', () => {
  test('goes from HELLO to END_OK', () => {
    const state = ending().hears({ type: 'END_OK', id: ID }).ends();
    expect(state).toMatchObject({ ...NO_ALARM, error: undefined, phase: { at: 'ended' } });
  });

  test('wraps alpha and beta around', () => {
    const largest = (2n ** 128n - 1n).toString();
    const context = { ...BASE, attempt: { id: ID, alpha: largest } };
    begin(context)
      .on(surveyed())
      .hears(READY)
      .on({ on: 'drawn', keyIds: KEY_IDS })
      .on({ on: 'staged' })
      .hears({ type: 'SYN_ACK', id: ID, alpha: '0', beta: largest })
      .does({ do: 'decide', id: ID, beta: largest })
      .on(judged({ decided: 'committed', beta: largest }))
      .says({ type: 'ACK', id: ID, beta: '0' }, 'fin');
  });

  test.each<[string, Message]>([
    ['alpha itself', { ...SYN_ACK, alpha: '41' }],
    ['another nonce', { ...SYN_ACK, alpha: '43' }],
    ['another exchange', { ...SYN_ACK, id: OTHER }],
  ])('is aborted when SYN_ACK answers %s', (_, message) => {
    const state = offering()
      .hears(message)
      .does({ do: 'judge', id: ID })
      .on(judged(ABORTED))
      .says(abort(), 'answer')
      .hears({ type: 'ABORT_OK', id: ID })
      .ends();
    expect(errorOf(state.error)).toEqual(['protocol', 'the peer answered another SYN than ours']);
  });

  test('is told as aborted where another run was faster than the decision', () => {
    const state = deciding()
      .on(judged(ABORTED))
      .says(abort(), 'answer')
      .hears({ type: 'ABORT_OK', id: ID })
      .ends();
    expect(errorOf(state.error)).toEqual(['peer-aborted', 'another run here has aborted the exchange']);
  });

  test('that the peer refuses is aborted without a word', () => {
    const refused = offering().hears(nak('kme-empty', ID)).does({ do: 'judge', id: ID });
    const state = refused.on(judged(ABORTED)).ends();
    expect(errorOf(state.error)).toEqual(['kme-empty', 'the peer refused: because']);
  });

  test.each([
    ['count', 'exchange.count (--count)'],
    ['size', 'exchange.size (--size)'],
    ['naming', 'exchange.naming (--naming)'],
    ['identity', 'peers.<site>.sae'],
    ['role', '--any-role'],
    ['kme-refused', "the peer's KME"],
  ] as const)('that the peer refuses for its %s names what to set', (code, setting) => {
    const state = offering().hears(nak(code)).on(judged(ABORTED)).ends();
    expect(state.error?.hint).toContain(setting);
  });

  test('that another run has decided all the same is told as it is, also to a peer that refused', () => {
    offering().hears(nak('busy')).on(judged(COMMITTED)).says(ack(), 'fin');
  });

  test('whose decision failed is told as it stands', () => {
    const state = deciding()
      .on(failed('storage'))
      .does({ do: 'judge', id: ID })
      .on(judged(ABORTED))
      .says(abort(), 'answer')
      .on({ on: 'closed', error: BROKEN })
      .ends();
    expect(errorOf(state.error)).toEqual(['storage', 'it failed']);
  });

  test('whose decision cannot be read is told nothing', () => {
    const state = deciding().on(failed('storage')).on(failed('suspect')).ends();
    expect(errorOf(state.error)).toEqual(['storage', 'it failed']);
  });

  test.each<[string, InitiatorEvent, string]>([
    ['the connection breaks', { on: 'closed', error: BROKEN }, 'peer-lost'],
    ['the peer hangs up', { on: 'closed', error: undefined }, 'peer-lost'],
    ['the peer is silent', { on: 'timeout' }, 'peer-lost'],
    ['the peer talks nonsense', { on: 'malformed', reason: 'nonsense' }, 'protocol'],
    ['a signal comes', { on: 'interrupted' }, 'interrupted'],
    ['FIN comes', { on: 'message', message: fin() }, 'protocol'],
  ])('is aborted, and the peer is told, when before its vote %s', (_, event, code) => {
    const state = offering()
      .on(event)
      .does({ do: 'judge', id: ID })
      .on(judged(ABORTED))
      .says(abort(), 'answer')
      .hears({ type: 'ABORT_OK', id: ID })
      .ends();
    expect(state.error?.code).toBe(code);
  });

  test('that the peer has saved although it was aborted is an alarm', () => {
    const state = ownAbort().hears(fin()).does({ do: 'finish', id: ID }).on(alarmed).ends();
    expect([...state.alarmed]).toEqual([ID]);
  });

  test.each<[string, () => InitiatorTalk]>([
    ['ACK', acknowledged],
    ['END', ending],
  ])('is past the point of no return after %s: a signal changes nothing', (_, conversation) => {
    const before = conversation();
    const { state } = before;
    before.on({ on: 'interrupted' }).does();
    expect(before.state).toBe(state);
    if (state.phase.at === 'told-commit') before.hears(fin()).does({ do: 'finish', id: ID });
    else before.hears({ type: 'END_OK', id: ID }).ends();
  });

  test('that has been aborted is left to itself when a signal comes', () => {
    const state = ownAbort().on({ on: 'interrupted' }).ends();
    expect(errorOf(state.error)).toEqual(['peer-lost', 'the peer has not answered in time']);
  });

  test.each<[string, InitiatorEvent, string]>([
    ['the connection breaks', { on: 'closed', error: BROKEN }, 'peer-lost'],
    ['x runs out', { on: 'timeout' }, 'peer-lost'],
    ['the peer talks nonsense', { on: 'malformed', reason: 'nonsense' }, 'protocol'],
    ['FIN names another one', { on: 'message', message: fin(OTHER) }, 'protocol'],
    ['UNKNOWN names another one', { on: 'message', message: { type: 'UNKNOWN', id: OTHER } }, 'protocol'],
    ['the peer asks for the end', { on: 'message', message: { type: 'END_OK', id: ID } }, 'protocol'],
    ['the peer refuses everything', { on: 'message', message: nak('protocol') }, 'protocol'],
    ['the peer refuses another one', { on: 'message', message: nak('name-taken', OTHER) }, 'peer-aborted'],
    ['the peer cannot save it', { on: 'message', message: nak('storage', ID) }, 'peer-aborted'],
    ['the name is taken at the peer', { on: 'message', message: nak('name-taken', ID) }, 'alarm'],
  ])('stays committed, and no more is said, when after ACK %s', (_, event, code) => {
    expect(acknowledged().on(event).ends().error?.code).toBe(code);
  });

  test('that the peer never heard of is an alarm', () => {
    const state = acknowledged()
      .hears({ type: 'UNKNOWN', id: ID })
      .does({ do: 'alarm', id: ID, reason: 'unknown-to-peer' })
      .on(alarmed)
      .ends();
    expect(state).toMatchObject({ alarmed: new Set([ID]), peerAlarms: 0, error: undefined });
  });

  test('that the peer has with another beta is an alarm', () => {
    const state = acknowledged()
      .hears(nak('contradiction', ID))
      .does({ do: 'alarm', id: ID, reason: 'contradiction' })
      .on(alarmed)
      .ends();
    expect([...state.alarmed]).toEqual([ID]);
    expect(state.error?.code).toBe('alarm');
  });

  test('whose decision cannot be read is an alarm', () => {
    expect([...deciding().on(alarmed).ends().alarmed]).toEqual([ID]);
  });

  test('whose name is taken at the peer is an alarm of the peer, and not worth telling again', () => {
    const state = acknowledged().hears(nak('name-taken', ID)).ends();
    expect(state).toMatchObject({ alarmed: new Set(), peerAlarms: 1, barred: new Set([ID]) });
    expect(state.error?.hint).toContain("'qkd-sync status' there");
  });

  test.each(['storage', 'stopping'] as const)(
    'that the peer refuses by %s is worth telling again',
    (code) => {
      expect(acknowledged().hears(nak(code, ID)).ends()).toMatchObject({ ...NO_ALARM, barred: new Set() });
    },
  );

  test('whose END the peer contradicts is an alarm of the peer, for no record is left here', () => {
    const marking = ending().hears(nak('contradiction', ID));
    const state = marking.does({ do: 'alarm', id: ID, reason: 'contradiction' }).on(finished).ends();
    expect(state).toMatchObject({ alarmed: new Set(), peerAlarms: 1 });
  });

  test('that the peer never heard of, because another run here has settled it, is none', () => {
    const marking = acknowledged().hears({ type: 'UNKNOWN', id: ID });
    expect(marking.on(finished).ends()).toMatchObject({ ...NO_ALARM, error: undefined });
  });

  test('that cannot be finished here is not confirmed', () => {
    expect(finishing().on(alarmed).ends()).toMatchObject({ alarmed: new Set([ID]), peerAlarms: 0 });
    expect(errorOf(finishing().on(failed('storage')).ends().error)).toEqual(['storage', 'it failed']);
  });

  test.each<[string, () => InitiatorTalk, QkdSyncError['code']]>([
    ['nothing can be surveyed', begin, 'storage'],
    ['the KME has no key', drawing, 'kme-empty'],
    ['staging fails', staging, 'storage'],
  ])('ends before SYN when %s', (_, conversation, code) => {
    expect(errorOf(conversation().on(failed(code)).ends().error)).toEqual([code, 'it failed']);
  });
});

describe('a key is drawn only', () => {
  test('when the peer is ready', () => {
    const state = greeted().hears(CLEAR).ends();
    expect(errorOf(state.error)).toEqual([
      'protocol',
      'the peer neither names what is open nor takes a new exchange',
    ]);
  });

  test('when nothing is open at the peer, ready or not', () => {
    greeted()
      .hears({ ...READY, inDoubt: [OLD] })
      .does({ do: 'judge', id: OLD });
    greeted()
      .hears({ ...READY, done: [OLD] })
      .does({ do: 'finish', id: OLD });
  });

  test('when nothing is open here: what is wanted is not even said', () => {
    const settling = begin()
      .on(surveyed([OLD]))
      .says(HELLO, 'status')
      .hears(READY)
      .does({ do: 'judge', id: OLD })
      .on(judged(COMMITTED))
      .says(ack(OLD), 'fin')
      .hears(fin(OLD))
      .does({ do: 'finish', id: OLD })
      .on(finished)
      .says(end(OLD), 'answer')
      .hears({ type: 'END_OK', id: OLD });
    goesOn(settling).on(surveyed()).says(HELLO_WANT, 'status').hears(READY).does({ do: 'draw' });
  });

  test('when the peer has named all that is open', () => {
    const state = greeted()
      .hears({ ...READY, more: true })
      .ends();
    expect(state.error?.code).toBe('alarm');
  });

  test('when an exchange is to be made', () => {
    recovering().hears(READY).ends();
    begin(BASE).on(surveyed([], WANT)).says(HELLO, 'status').hears(READY).ends();
  });

  test('when something is wanted', () => {
    begin().on(surveyed([], 'nothing')).says(HELLO, 'status').hears(READY).ends();
  });

  test.each<[string, InitiatorEvent, string]>([
    ['refuses', { on: 'message', message: nak('size') }, 'disagreement'],
    ['says something else', { on: 'message', message: SYN_ACK }, 'protocol'],
    ['says nothing', { on: 'timeout' }, 'peer-lost'],
    ['goes', { on: 'closed', error: undefined }, 'peer-lost'],
  ])('after STATUS: not when the peer %s', (_, event, code) => {
    expect(greeted().on(event).ends().error?.code).toBe(code);
  });

  test('as long as no signal has come', () => {
    expect(greeted().on({ on: 'interrupted' }).ends().error?.code).toBe('interrupted');
  });
});

describe('settling', () => {
  test('ends at once where nothing is open', () => {
    expect(recovering().hears(CLEAR).ends()).toMatchObject({ ...NO_ALARM, error: undefined });
  });

  test('takes each exchange once, done ones first, then looks again', () => {
    const talked = begin(BASE)
      .on(surveyed([OTHER, ID], 'nothing'))
      .says(HELLO, 'status')
      .hears({ ...CLEAR, done: [OLD], inDoubt: [OTHER] })
      .does({ do: 'finish', id: OLD })
      .on(finished)
      .says(end(OLD), 'answer')
      .hears({ type: 'END_OK', id: OLD })
      .does({ do: 'judge', id: OTHER })
      .on(judged(ABORTED))
      .says(abort(OTHER), 'answer')
      .hears({ type: 'ABORT_OK', id: OTHER })
      .does({ do: 'judge', id: ID })
      .on(judged(COMMITTED))
      .says(ack(), 'fin')
      .hears(fin())
      .does({ do: 'finish', id: ID })
      .on(finished)
      .says(end(), 'answer')
      .hears({ type: 'END_OK', id: ID });
    goesOn(talked).on(surveyed([], 'nothing')).says(HELLO, 'status').hears(CLEAR).ends();
  });

  test('asks again while the peer names more', () => {
    const more = goesOn(
      recovering()
        .hears({ ...CLEAR, done: [OLD], more: true })
        .on(finished)
        .hears({ type: 'END_OK', id: OLD }),
    );
    more
      .on(surveyed([], 'nothing'))
      .hears({ ...CLEAR, inDoubt: [OTHER] })
      .does({ do: 'judge', id: OTHER });
  });

  test('does not take up again what could not be settled, and reports why', () => {
    const state = goesOn(toldCommit().hears(nak('name-taken', OLD)))
      .on(surveyed([OLD], 'nothing'))
      .says(HELLO, 'status')
      .hears({ ...CLEAR, inDoubt: [OLD] })
      .ends();
    expect(errorOf(state.error)).toEqual(['alarm', 'the peer refused: because']);
  });

  test('goes on to the new exchange, whose own failure is then the one to report', () => {
    const refused = greeted()
      .hears({ ...CLEAR, done: [OLD] })
      .on(finished)
      .hears(nak('foreign', OLD));
    const drawn = goesOn(refused).on(surveyed()).says(HELLO_WANT, 'status').hears(READY).does({ do: 'draw' });
    expect(drawn.state.error?.code).toBe('alarm');
    expect(drawn.on(failed('kme-empty')).ends().error?.code).toBe('kme-empty');
  });

  test('keeps the first error of several', () => {
    const state = goesOn(toldCommit().hears(nak('storage', OLD)))
      .on(surveyed([], 'nothing'))
      .on({ on: 'timeout' })
      .ends();
    expect(state.error?.code).toBe('peer-aborted');
  });

  test('counts what the peer says that only an operator can settle', () => {
    expect(
      recovering()
        .hears({ ...CLEAR, foreign: 2, alarms: 1 })
        .ends().peerAlarms,
    ).toBe(3);
  });

  test.each<[string, Partial<Status>]>([
    ['foreign', { foreign: 1 }],
    ['in alarm', { alarms: 1 }],
  ])('is told of what is %s there first, and then asks for a number above it', (_, stuck) => {
    const again = greeted()
      .hears({ ...CLEAR, ...stuck, nextIndex: 9 })
      .does({ do: 'survey', leastIndex: 9 });
    expect(again.state).toMatchObject({ alarmed: new Set(), peerAlarms: 1 });
    const asked = again.on(surveyed([], { ...WANT, index: 9 }));
    asked.says({ ...HELLO, want: { ...WANT, index: 9 } }, 'status');
    const told = asked.hears({ ...CLEAR, ...stuck, nextIndex: 9 });
    expect(errorOf(told.ends().error)).toEqual([
      'protocol',
      'the peer neither names what is open nor takes a new exchange',
    ]);
  });

  test('takes no number from a peer where nothing holds one', () => {
    const told = greeted().hears({ ...CLEAR, done: [OLD], nextIndex: 9 });
    goesOn(told.on(finished).hears({ type: 'END_OK', id: OLD }));
  });

  test('says how many of its own only an operator can settle', () => {
    begin(BASE)
      .on({ on: 'surveyed', committed: [], alarms: 2, want: undefined })
      .says({ ...HELLO, alarms: 2 }, 'status');
  });

  test('goes on with the others where a record here cannot be read', () => {
    expect(goesOn(judging().on(alarmed)).state).toMatchObject({ alarmed: new Set([OLD]), peerAlarms: 0 });
  });

  test('is an alarm, without END, where the peer has saved what was aborted here', () => {
    const conversation = recovering()
      .hears({ ...CLEAR, done: [OLD] })
      .does({ do: 'finish', id: OLD })
      .on(alarmed);
    expect(goesOn(conversation).state).toMatchObject({ alarmed: new Set([OLD]), peerAlarms: 0 });
  });

  test('is ended where the peer has saved what another run here has finished and forgotten', () => {
    const conversation = toldAbort()
      .hears(fin(OLD))
      .does({ do: 'finish', id: OLD })
      .on({ on: 'finished' })
      .says({ type: 'END', id: OLD }, 'answer');
    expect(goesOn(conversation.hears({ type: 'END_OK', id: OLD })).state).toMatchObject(NO_ALARM);
  });

  test.each<[string, InitiatorTalk, Message, 'contradiction' | 'unknown-to-peer']>([
    ['never heard of a commit', toldCommit(), { type: 'UNKNOWN', id: OLD }, 'unknown-to-peer'],
    ['has voted with another beta', toldCommit(), nak('contradiction', OLD), 'contradiction'],
    ['has committed what is aborted', toldAbort(), nak('contradiction', OLD), 'contradiction'],
    ['has not saved what is finished', toldEnd(), nak('contradiction', OLD), 'contradiction'],
  ])('is an alarm where the peer %s', (_, conversation, message, reason) => {
    const marking = conversation.hears(message).does({ do: 'alarm', id: OLD, reason });
    expect(goesOn(marking.on(alarmed)).state).toMatchObject({ alarmed: new Set([OLD]), peerAlarms: 0 });
  });

  test('is an alarm of the peer where it contradicts END, counted once with its next STATUS', () => {
    const again = goesOn(toldEnd().hears(nak('contradiction', OLD)).on(finished))
      .on(surveyed([], 'nothing'))
      .hears({ ...CLEAR, alarms: 1 });
    expect(again.ends()).toMatchObject({ alarmed: new Set(), peerAlarms: 1 });
  });

  test('is counted once where the name is taken at the peer, which its STATUS has said', () => {
    const state = goesOn(toldCommit().hears(nak('name-taken', OLD))).state;
    expect(state).toMatchObject({ ...NO_ALARM, barred: new Set([OLD]) });
  });

  test.each<[string, () => InitiatorTalk, Message]>([
    ['ACK', toldCommit, fin(OTHER)],
    ['ACK', toldCommit, { type: 'UNKNOWN', id: OTHER }],
    ['ACK', toldCommit, { type: 'ABORT_OK', id: OLD }],
    ['ABORT', toldAbort, { type: 'ABORT_OK', id: OTHER }],
    ['ABORT', toldAbort, fin(OTHER)],
    ['ABORT', toldAbort, { type: 'END_OK', id: OLD }],
    ['END', toldEnd, { type: 'END_OK', id: OTHER }],
    ['END', toldEnd, { type: 'ABORT_OK', id: OLD }],
    ['HELLO', recovering, fin(OLD)],
  ])('takes no answer to %s but its own', (_, conversation, message) => {
    expect(errorOf(conversation().hears(message).ends().error)).toEqual([
      'protocol',
      `the peer sent ${message.type} out of turn`,
    ]);
  });

  test.each<[string, () => InitiatorTalk, string | undefined]>([
    ['ACK', toldCommit, OTHER],
    ['ABORT', toldAbort, undefined],
    ['END', toldEnd, undefined],
  ])('ends when the answer to %s refuses something else', (_, conversation, id) => {
    expect(conversation().hears(nak('name-taken', id)).ends().error?.code).toBe('peer-aborted');
  });

  test.each<[string, () => InitiatorTalk]>([
    ['ACK', toldCommit],
    ['ABORT', toldAbort],
    ['END', toldEnd],
  ])('of an earlier exchange stops after %s when a signal comes', (_, conversation) => {
    expect(conversation().on({ on: 'interrupted' }).ends().error?.code).toBe('interrupted');
  });

  test.each<[string, () => InitiatorTalk]>([
    ['judging', judging],
    ['finishing', () => toldCommit().hears(fin(OLD))],
    ['marking', () => toldCommit().hears({ type: 'UNKNOWN', id: OLD })],
  ])('ends when %s fails', (_, conversation) => {
    expect(errorOf(conversation().on(failed('suspect')).ends().error)).toEqual(['suspect', 'it failed']);
  });
});

/** One conversation in each phase, and the events that it takes there. */
const PLACES: readonly [() => InitiatorTalk, ...InitiatorEvent['on'][]][] = [
  [begin, 'surveyed', 'failed'],
  [greeted, 'message', 'closed', 'timeout', 'malformed', 'interrupted'],
  [drawing, 'drawn', 'failed'],
  [staging, 'staged', 'failed'],
  [offering, 'message', 'closed', 'timeout', 'malformed', 'interrupted'],
  [deciding, 'judged', 'alarmed', 'failed'],
  [judging, 'judged', 'alarmed', 'failed'],
  [acknowledged, 'message', 'closed', 'timeout', 'malformed', 'interrupted'],
  [toldAbort, 'message', 'closed', 'timeout', 'malformed', 'interrupted'],
  [finishing, 'finished', 'alarmed', 'failed'],
  [ending, 'message', 'closed', 'timeout', 'malformed', 'interrupted'],
  [() => ownAbort().hears(nak('contradiction', ID)), 'finished', 'alarmed', 'failed'],
  [() => ending().hears({ type: 'END_OK', id: ID })],
];
const EVENTS: readonly InitiatorEvent[] = [
  { on: 'message', message: HELLO },
  { on: 'closed', error: undefined },
  { on: 'timeout' },
  { on: 'malformed', reason: 'nonsense' },
  { on: 'interrupted' },
  failed('storage'),
  surveyed(),
  judged(ABORTED),
  finished,
  alarmed,
  { on: 'drawn', keyIds: KEY_IDS },
  { on: 'staged' },
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
      const { state } = conversation();
      expect(isWaiting(state.phase)).toBe(taken.includes('timeout'));
    });
  },
);
