/**
 * The responder's side of the handshake, pure: (state, event) → (state, actions). docs/protocol.md, "Rules".
 *
 *   greeting → inspecting (→ examining) → order → voting, committing, discarding, forgetting, inspecting … → order …
 *
 * It answers and never asks: one order of the initiator, one piece of work, one answer. Where the work fails after
 * the vote there is no answer at all, because none would be true. An event out of place is a bug and throws.
 */
import { endingError, misplaced, outOfTurn, type Step } from './machine.js';
import { STATUS_MAX_IDS, type Hello, type Message, type Status, type Syn, type Want } from './message.js';
import { answeredBy, answerTo } from './nonce.js';
import { refusal, refusalOfHello, refusalOfWant, type Refusal } from './refusal.js';
import { noTo, replyToAbort, replyToAck, replyToEnd } from './reply.js';
import {
  isWaiting,
  type ResponderContext,
  type ResponderPhase,
  type ResponderState,
  type WaitingPhase,
} from './responder-state.js';
import type { Inspection, ResponderAction, ResponderEvent } from './responder-work.js';

type ResponderStep = Step<ResponderState, ResponderAction>;

export function startResponder(context: ResponderContext): ResponderStep {
  const state: ResponderState = {
    context,
    phase: { at: 'greeting' },
    hello: undefined,
    told: new Set(),
    stuck: 0,
    agreed: undefined,
    undecided: undefined,
    clear: false,
    refusal: undefined,
    error: undefined,
  };
  return { state, actions: [{ do: 'wait', for: 'greeting' }] };
}

export function nextResponder(state: ResponderState, event: ResponderEvent): ResponderStep {
  const { phase } = state;
  switch (event.on) {
    case 'inspected':
      if (phase.at === 'inspecting') return weigh(state, phase.hello, event.inspection);
      break;
    case 'examined':
      if (phase.at === 'examining') return sayStatus(state, phase.hello, phase.inspection, phase.want);
      break;
    case 'voted':
      if (phase.at === 'voting') return saySynAck(state, phase.hello, phase.syn, event.beta);
      break;
    case 'declined': {
      const no = refusal(event.code, event.reason);
      if (phase.at === 'voting') return say(state, phase.hello, noTo(phase.syn.id, no));
      if (phase.at === 'inspecting' || phase.at === 'examining') return refuse(state, no);
      break;
    }
    case 'committed':
      if (phase.at === 'committing') return say(state, phase.hello, replyToAck(phase.id, event.outcome));
      break;
    case 'discarded':
      if (phase.at === 'discarding') return say(state, phase.hello, replyToAbort(phase.id, event.outcome));
      break;
    case 'forgotten':
      if (phase.at === 'forgetting') return say(state, phase.hello, replyToEnd(phase.id, event.outcome));
      break;
    case 'failed':
      if (!isWaiting(phase) && phase.at !== 'ended') return end({ ...state, error: event.error });
      break;
    case 'message':
      if (isWaiting(phase)) return hear(state, phase, event.message);
      break;
    case 'malformed':
      if (!isWaiting(phase)) break;
      return refuse({ ...state, error: endingError(event, '') }, refusal('protocol', event.reason));
    case 'closed':
      if (!isWaiting(phase)) break;
      // It is the initiator who ends a conversation; only in the middle of something is that a failure.
      if (event.error === undefined && phase.at === 'order' && state.undecided === undefined) {
        return end(state);
      }
      return end({ ...state, error: endingError(event, '') });
    case 'timeout':
    case 'interrupted':
      if (!isWaiting(phase)) break;
      return end({ ...state, error: endingError(event, 'the peer has said nothing for too long') });
  }
  throw misplaced(event.on, phase.at);
}

function enter(state: ResponderState, phase: ResponderPhase, ...actions: ResponderAction[]): ResponderStep {
  return { state: { ...state, phase }, actions };
}

const send = (message: Message): ResponderAction => ({ do: 'send', message });

/** Says something and waits for the next order. */
function say(before: ResponderState, hello: Hello, message: Message): ResponderStep {
  const state = remember(before, message);
  return enter(state, { at: 'order', hello }, send(message), { do: 'wait', for: 'order' });
}

/** What an answer means for the rest of the conversation. */
function remember(state: ResponderState, message: Message): ResponderState {
  if (message.type === 'SYN_ACK') return { ...state, undecided: message.id };
  if (message.type === 'NAK') {
    return { ...state, agreed: undefined, refusal: { code: message.code, reason: message.reason } };
  }
  const decided = message.type === 'FIN' || message.type === 'ABORT_OK';
  return decided && message.id === state.undecided ? { ...state, undecided: undefined } : state;
}

function hear(state: ResponderState, phase: WaitingPhase, message: Message): ResponderStep {
  if (message.type === 'HELLO') return greet(state, message);
  if (phase.at === 'greeting') return breach(state, message);
  const { hello } = phase;
  const { site: peer, stateId } = hello;
  switch (message.type) {
    case 'SYN':
      return takeSyn(state, hello, message);
    case 'ACK': {
      const { id } = message;
      const beta = answeredBy(message.beta);
      return enter(state, { at: 'committing', hello, id }, { do: 'commit', peer, id, beta });
    }
    case 'ABORT': {
      const { id } = message;
      return enter(state, { at: 'discarding', hello, id }, { do: 'discard', peer, id, stateId });
    }
    case 'END': {
      const { id } = message;
      return enter(state, { at: 'forgetting', hello, id }, { do: 'forget', peer, id, stateId });
    }
    case 'STATUS':
    case 'SYN_ACK':
    case 'NAK':
    case 'FIN':
    case 'ABORT_OK':
    case 'END_OK':
    case 'UNKNOWN':
      return breach(state, message);
  }
}

function breach(state: ResponderState, message: Message): ResponderStep {
  return refuse(
    { ...state, error: outOfTurn(message) },
    refusal('protocol', `${message.type} does not fit here`),
  );
}

function greet(state: ResponderState, hello: Hello): ResponderStep {
  const no = refusalOfHello(state.context, hello, state.hello);
  if (no !== undefined) return refuse(state, no);
  const { site: peer, stateId } = hello;
  return enter({ ...state, hello }, { at: 'inspecting', hello }, { do: 'inspect', peer, stateId });
}

/** What is open is told first; only what the initiator has heard of stands no longer in the way of a new exchange. */
function weigh(state: ResponderState, hello: Hello, inspection: Inspection): ResponderStep {
  const { site: peer, want } = hello;
  const open = idsOf(inspection);
  // It may have come to that in this very conversation.
  const untold = stuckIn(inspection) > state.stuck || !open.every((id) => state.told.has(id));
  if (want === undefined || untold) {
    return sayStatus(state, hello, inspection, undefined);
  }
  const no = refusalOfWant(state.context.terms, inspection.nextIndex, hello.alarms, want);
  if (no !== undefined) return refuse(state, no);
  return enter(state, { at: 'examining', hello, inspection, want }, { do: 'examine', peer, want });
}

function sayStatus(
  state: ResponderState,
  hello: Hello,
  inspection: Inspection,
  agreed: Want | undefined,
): ResponderStep {
  const { inDoubt, done, resolved, foreign, alarms, nextIndex } = inspection;
  const { stateId, deadlineMs } = state.context;
  const status: Status = {
    type: 'STATUS',
    stateId,
    inDoubt: inDoubt.slice(0, STATUS_MAX_IDS),
    done: done.slice(0, STATUS_MAX_IDS),
    resolved: resolved.slice(0, STATUS_MAX_IDS),
    more: [inDoubt, done, resolved].some(({ length }) => length > STATUS_MAX_IDS),
    foreign,
    alarms,
    nextIndex,
    ready: agreed !== undefined,
    deadlineMs,
  };
  const told = new Set([...state.told, ...idsOf(status)]);
  const clear = idsOf(inspection).length <= hello.alarms;
  // What was refused before concerned one exchange; what is open now has just been looked at.
  return say({ ...state, told, stuck: stuckIn(status), agreed, clear, refusal: undefined }, hello, status);
}

/** How many of what is open only an operator can settle. */
function stuckIn({ foreign, alarms }: Pick<Inspection, 'foreign' | 'alarms'>): number {
  return foreign + alarms;
}

/** The exchanges that the initiator must hear of. */
function idsOf({ inDoubt, done, resolved }: Pick<Inspection, 'inDoubt' | 'done' | 'resolved'>): string[] {
  return [...inDoubt, ...done, ...resolved.map(({ id }) => id)];
}

function takeSyn(before: ResponderState, hello: Hello, syn: Syn): ResponderStep {
  const { agreed: want } = before;
  if (want === undefined) return breach(before, syn);
  const { site: peer, stateId } = hello;
  const state = { ...before, agreed: undefined };
  const count = syn.keyIds.length;
  if (count !== want.count) {
    return say(state, hello, noTo(syn.id, refusal('count', `SYN has ${count} keys, not ${want.count}`)));
  }
  return enter(state, { at: 'voting', hello, syn }, { do: 'vote', peer, stateId, want, syn });
}

function saySynAck(state: ResponderState, hello: Hello, { id, alpha }: Syn, beta: string): ResponderStep {
  return say(state, hello, { type: 'SYN_ACK', id, alpha: answerTo(alpha), beta });
}

/** A no to the whole conversation. */
function refuse(state: ResponderState, no: Refusal): ResponderStep {
  return enter({ ...state, refusal: no }, { at: 'ended' }, send({ type: 'NAK', ...no }), { do: 'end' });
}

function end(state: ResponderState): ResponderStep {
  return enter(state, { at: 'ended' }, { do: 'end' });
}
