/**
 * Settling, the part of the initiator's contact that is the same for an exchange of its own and for one that an
 * earlier run left open: the decision is read, told to the peer, and finished once the peer has done its part.
 *
 *   judging → told-commit → finishing → told-end        judging → told-abort        marking
 */
import type { Task } from './agenda.js';
import { isOwn, type Attempt, type InitiatorPhase, type InitiatorState } from './initiator-state.js';
import type { AlarmReason, InitiatorAction, Verdict } from './initiator-work.js';
import type { Step } from './machine.js';
import type { Message } from './message.js';
import { answerTo } from './nonce.js';

export type InitiatorStep = Step<InitiatorState, InitiatorAction>;

export function enter(
  state: InitiatorState,
  phase: InitiatorPhase,
  ...actions: InitiatorAction[]
): InitiatorStep {
  return { state: { ...state, phase }, actions };
}

export const send = (message: Message): InitiatorAction => ({ do: 'send', message });

export function survey(state: InitiatorState): InitiatorStep {
  return enter(state, { at: 'surveying' }, { do: 'survey', leastIndex: state.leastIndex });
}

/** The next open exchange; after the last one all is looked at again. */
export function takeNext(state: InitiatorState): InitiatorStep {
  const [task, ...queue] = state.queue;
  if (task === undefined) return survey(state);
  return task.kind === 'done' ? finish({ ...state, queue }, task) : judge({ ...state, queue }, task, false);
}

/** This contact has done what it can about an exchange; after its own one it is over. */
export function settled(state: InitiatorState, task: Task): InitiatorStep {
  return isOwn(state, task) ? end(state) : takeNext({ ...state, met: new Set([...state.met, task.id]) });
}

export function alarmed(state: InitiatorState, task: Task): InitiatorStep {
  return settled({ ...state, alarmed: new Set([...state.alarmed, task.id]) }, task);
}

/** One more of the peer's than it has said: its next STATUS, if there is one, counts it too. */
export function alarmedThere(state: InitiatorState): InitiatorState {
  return { ...state, peerAlarms: state.peerAlarms + 1 };
}

/** The peer cannot save this one before an operator there has acted. Of an earlier one its STATUS has said so. */
export function barred(state: InitiatorState, task: Task): InitiatorState {
  const told = { ...state, barred: new Set([...state.barred, task.id]) };
  return isOwn(state, task) ? alarmedThere(told) : told;
}

export const ownTask = ({ id }: Attempt): Task => ({ id, kind: 'undecided' });

export function judge(state: InitiatorState, task: Task, mute: boolean): InitiatorStep {
  return enter(state, { at: 'judging', task, mute }, { do: 'judge', id: task.id });
}

export function finish(state: InitiatorState, task: Task): InitiatorStep {
  return enter(state, { at: 'finishing', task }, { do: 'finish', id: task.id });
}

export function mark(state: InitiatorState, task: Task, reason: AlarmReason, ended: boolean): InitiatorStep {
  return enter(state, { at: 'marking', task, ended }, { do: 'alarm', id: task.id, reason });
}

/** The decision as it stands is told to the peer. */
export function tell(state: InitiatorState, task: Task, verdict: Verdict, mute: boolean): InitiatorStep {
  const { id } = task;
  if (verdict.decided === 'committed') {
    const ack: Message = { type: 'ACK', id, beta: answerTo(verdict.beta) };
    return enter(state, { at: 'told-commit', task }, send(ack), { do: 'wait', for: 'fin' });
  }
  if (mute) return end(state);
  const abort: Message = { type: 'ABORT', id };
  return enter(state, { at: 'told-abort', task }, send(abort), { do: 'wait', for: 'answer' });
}

export function sayEnd(state: InitiatorState, task: Task): InitiatorStep {
  const done: Message = { type: 'END', id: task.id };
  return enter(state, { at: 'told-end', task }, send(done), { do: 'wait', for: 'answer' });
}

export function end(state: InitiatorState): InitiatorStep {
  return enter(state, { at: 'ended' }, { do: 'end' });
}
