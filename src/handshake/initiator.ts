/**
 * The initiator's side of the handshake, pure: (state, event) → (state, actions). docs/protocol.md, "Rules".
 *
 *   surveying → greeting → settling … → surveying → greeting → drawing → staging → offering → deciding → settling
 *
 * A's own exchange, once it is staged, is told to the peer and finished in the same way as one that an earlier run
 * left open, so there is one path for both: `settling`. An event out of place is a bug and throws.
 */
import { QkdSyncError } from '../base/errors.js';
import type { KeyId } from '../base/key.js';
import { agendaOf } from './agenda.js';
import {
  isOwn,
  isWaiting,
  type Attempt,
  type InitiatorContext,
  type InitiatorState,
  type WaitingPhase,
} from './initiator-state.js';
import type { InitiatorEvent, Survey, Verdict } from './initiator-work.js';
import { endingError, misplaced, outOfTurn } from './machine.js';
import { NAK_ERRORS, PROTOCOL_VERSION, type Message, type Nak, type Status, type SynAck } from './message.js';
import { answerTo } from './nonce.js';
import { REFUSAL_HINTS } from './refusal.js';
import {
  alarmed,
  alarmedThere,
  barred,
  end,
  enter,
  finish,
  judge,
  mark,
  ownTask,
  sayEnd,
  send,
  settled,
  survey,
  takeNext,
  tell,
  type InitiatorStep,
} from './settling.js';

export function startInitiator(context: InitiatorContext): InitiatorStep {
  const state = {
    context,
    queue: [],
    met: new Set<string>(),
    peerAlarms: 0,
    alarmed: new Set<string>(),
    barred: new Set<string>(),
    error: undefined,
    stuck: 0,
    leastIndex: 0,
    peerDeadlineMs: Infinity,
  };
  return survey({ ...state, phase: { at: 'surveying' } });
}

export function nextInitiator(state: InitiatorState, event: InitiatorEvent): InitiatorStep {
  const { phase } = state;
  switch (event.on) {
    case 'surveyed':
      if (phase.at === 'surveying') return greet(state, event);
      break;
    case 'drawn':
      if (phase.at === 'drawing') return stage(state, phase.attempt, event.keyIds, phase.peerStateId);
      break;
    case 'staged':
      if (phase.at === 'staging') return offer(state, phase.attempt, phase.keyIds);
      break;
    case 'judged':
      if (phase.at === 'deciding') return tellOwn(state, phase.attempt, event.verdict);
      if (phase.at === 'judging') return tell(state, phase.task, event.verdict, phase.mute);
      break;
    case 'finished':
      if (phase.at === 'finishing') return sayEnd(state, phase.task);
      // No record is left here to mark: the one in alarm is the peer's.
      if (phase.at === 'marking') return settled(phase.ended ? alarmedThere(state) : state, phase.task);
      break;
    case 'alarmed':
      if (phase.at === 'deciding') return alarmed(state, ownTask(phase.attempt));
      if (phase.at === 'judging' || phase.at === 'finishing' || phase.at === 'marking') {
        return alarmed(state, phase.task);
      }
      break;
    case 'failed':
      if (!isWaiting(phase) && phase.at !== 'ended') return stop(state, event.error);
      break;
    case 'message':
      if (isWaiting(phase)) return hear(state, phase, event.message);
      break;
    case 'interrupted':
      if (!isWaiting(phase)) break;
      return isDecided(state, phase) ? { state, actions: [] } : stop(state, endingError(event, ''));
    case 'closed':
    case 'timeout':
    case 'malformed':
      if (isWaiting(phase)) return stop(state, endingError(event, 'the peer has not answered in time'));
      break;
  }
  throw misplaced(event.on, phase.at);
}

/** Whether this contact's own exchange has passed the point of no return: a signal must not end it any more. */
function isDecided(state: InitiatorState, phase: WaitingPhase): boolean {
  return (phase.at === 'told-commit' || phase.at === 'told-end') && isOwn(state, phase.task);
}

function greet(state: InitiatorState, { committed, alarms, want }: Survey): InitiatorStep {
  const { site, sae, stateId } = state.context;
  const open = committed.filter((id) => !state.met.has(id));
  // What is open here may change what is wanted, so it is settled first.
  const wanted = open.length > 0 ? undefined : want;
  const attempt = wanted === undefined ? undefined : state.context.attempt;
  const hello: Message = {
    type: 'HELLO',
    version: PROTOCOL_VERSION,
    site,
    sae,
    stateId,
    alarms,
    ...(attempt && wanted && { want: wanted }),
  };
  return enter(state, { at: 'greeting', committed: open, attempt }, send(hello), {
    do: 'wait',
    for: 'status',
  });
}

function hear(state: InitiatorState, phase: WaitingPhase, message: Message): InitiatorStep {
  if (message.type === 'NAK') return refused(state, phase, message);
  switch (phase.at) {
    case 'greeting':
      if (message.type === 'STATUS') return plan(state, message, phase.committed, phase.attempt);
      break;
    case 'offering':
      if (message.type === 'SYN_ACK') return decide(state, phase.attempt, message);
      break;
    case 'told-commit':
      if (message.type === 'FIN' && message.id === phase.task.id) return finish(state, phase.task);
      if (message.type === 'UNKNOWN' && message.id === phase.task.id) {
        return mark(state, phase.task, 'unknown-to-peer', false);
      }
      break;
    case 'told-abort':
      if (message.type === 'ABORT_OK' && message.id === phase.task.id) return settled(state, phase.task);
      // Another run here has committed, finished and forgotten it meanwhile, or the records contradict each other.
      if (message.type === 'FIN' && message.id === phase.task.id) return finish(state, phase.task);
      break;
    case 'told-end':
      if (message.type === 'END_OK' && message.id === phase.task.id) return settled(state, phase.task);
      break;
  }
  return stop(state, outOfTurn(message));
}

const HINT_NAME_THERE =
  "an operator at the peer must act: 'qkd-sync status' there names the exchange, see docs/operations.md, Alarms";
const HINT_KME_THERE = "it is about the peer's KME: what 'qkd-sync respond' says there names the setting";

function refused(state: InitiatorState, phase: WaitingPhase, nak: Nak): InitiatorStep {
  // A name that is taken after the decision is for an operator of the peer to free.
  const isAlarm = phase.at === 'told-commit' && nak.id === phase.task.id && nak.code === 'name-taken';
  const hint = isAlarm ? HINT_NAME_THERE : REFUSAL_HINTS[nak.code];
  const error = new QkdSyncError(
    isAlarm ? 'alarm' : NAK_ERRORS[nak.code],
    `the peer refused: ${nak.reason}`,
    { hint: hint ?? (nak.code.startsWith('kme-') ? HINT_KME_THERE : undefined) },
  );
  // The peer has not voted, so it need not hear of the abort.
  if (phase.at === 'offering') return judge({ ...state, error }, ownTask(phase.attempt), true);
  if (phase.at === 'greeting' || nak.id !== phase.task.id) return stop(state, error);
  // One exchange cannot be settled now; the others may.
  const failed = { ...state, error: state.error ?? error };
  if (nak.code === 'contradiction') {
    return mark(failed, phase.task, 'contradiction', phase.at === 'told-end');
  }
  return settled(isAlarm ? barred(failed, phase.task) : failed, phase.task);
}

/** STATUS: what the peer has open, what we have, and then the new exchange. */
function plan(
  before: InitiatorState,
  status: Status,
  committed: readonly string[],
  attempt: Attempt | undefined,
): InitiatorStep {
  const stuck = status.foreign + status.alarms;
  const state = {
    ...before,
    peerAlarms: Math.max(before.peerAlarms, stuck),
    stuck,
    // A number that is held by what only an operator can settle is passed over on both sites.
    leastIndex: stuck > 0 ? status.nextIndex : before.leastIndex,
    peerDeadlineMs: status.deadlineMs,
  };
  const queue = agendaOf(status, committed, state.met);
  if (queue.length > 0) return takeNext({ ...state, queue });
  if (status.more) {
    const message = 'too many exchanges with this peer are open that cannot be settled';
    return stop(state, new QkdSyncError('alarm', message));
  }
  if (attempt === undefined) return end(state);
  if (!status.ready) {
    // The peer tells of what only an operator can settle before it looks at what is wanted.
    if (stuck > before.stuck) return takeNext(state);
    const message = 'the peer neither names what is open nor takes a new exchange';
    return stop(state, new QkdSyncError('protocol', message));
  }
  return enter(state, { at: 'drawing', attempt, peerStateId: status.stateId }, { do: 'draw' });
}

function stage(
  state: InitiatorState,
  attempt: Attempt,
  keyIds: readonly KeyId[],
  peerStateId: string,
): InitiatorStep {
  const { id, alpha } = attempt;
  return enter(state, { at: 'staging', attempt, keyIds }, { do: 'stage', id, alpha, peerStateId });
}

function offer(state: InitiatorState, attempt: Attempt, keyIds: readonly KeyId[]): InitiatorStep {
  const { id, alpha } = attempt;
  const syn: Message = { type: 'SYN', id, keyIds, alpha };
  return enter(state, { at: 'offering', attempt }, send(syn), { do: 'wait', for: 'vote' });
}

function decide(state: InitiatorState, attempt: Attempt, { id, alpha, beta }: SynAck): InitiatorStep {
  if (attempt.id !== id || answerTo(attempt.alpha) !== alpha) {
    return stop(state, new QkdSyncError('protocol', 'the peer answered another SYN than ours'));
  }
  return enter(state, { at: 'deciding', attempt }, { do: 'decide', id, beta });
}

function tellOwn(state: InitiatorState, attempt: Attempt, verdict: Verdict): InitiatorStep {
  const lost = new QkdSyncError('peer-aborted', 'another run here has aborted the exchange');
  const error = verdict.decided === 'aborted' ? lost : state.error;
  return tell({ ...state, error }, ownTask(attempt), verdict, false);
}

/** The contact fails. An exchange that the peer may have voted for is decided first, so that it can be told. */
function stop(before: InitiatorState, error: QkdSyncError): InitiatorStep {
  const { phase } = before;
  // What the new exchange fails of says more about this run than what an earlier one was refused for.
  const attempt = 'attempt' in phase ? phase.attempt : undefined;
  const state = { ...before, error: attempt === undefined ? (before.error ?? error) : error };
  return phase.at === 'offering' || phase.at === 'deciding'
    ? judge(state, ownTask(phase.attempt), false)
    : end(state);
}
