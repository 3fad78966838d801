/** Where the initiator's machine is in its contact, and what it remembers on the way. */
import type { QkdSyncError } from '../base/errors.js';
import type { KeyId } from '../base/key.js';
import type { Task } from './agenda.js';

/** A new exchange: an ID that was never used, and its nonce. */
export interface Attempt {
  readonly id: string;
  readonly alpha: string;
}

/** What one contact is for. */
export interface InitiatorContext {
  readonly site: string;
  readonly sae: string;
  readonly stateId: string;
  /** The exchange to try once all else is settled; absent where only settling is wanted. */
  readonly attempt?: Attempt;
}

/** The peer has the word. */
export type WaitingPhase =
  /** `attempt`: HELLO has said what it wants, and nothing that is open here stands in its way. */
  | {
      readonly at: 'greeting';
      readonly committed: readonly string[];
      readonly attempt: Attempt | undefined;
    }
  | { readonly at: 'offering'; readonly attempt: Attempt }
  | { readonly at: 'told-commit' | 'told-abort' | 'told-end'; readonly task: Task };

/** The driver is at work. */
export type WorkingPhase =
  | { readonly at: 'surveying' }
  | { readonly at: 'drawing'; readonly attempt: Attempt; readonly peerStateId: string }
  | { readonly at: 'staging'; readonly attempt: Attempt; readonly keyIds: readonly KeyId[] }
  | { readonly at: 'deciding'; readonly attempt: Attempt }
  /** `mute`: the peer need not hear of an abort. */
  | { readonly at: 'judging'; readonly task: Task; readonly mute: boolean }
  | { readonly at: 'finishing'; readonly task: Task }
  /** `ended`: the peer has contradicted END, so that there need be no record here any more. */
  | { readonly at: 'marking'; readonly task: Task; readonly ended: boolean };

export type InitiatorPhase = WaitingPhase | WorkingPhase | { readonly at: 'ended' };

export interface InitiatorState {
  readonly context: InitiatorContext;
  readonly phase: InitiatorPhase;
  readonly queue: readonly Task[];
  /** Exchanges that this contact has dealt with, well or not; they are not taken up again. */
  readonly met: ReadonlySet<string>;
  /** How many open exchanges only an operator at the peer can settle, as it has said. */
  readonly peerAlarms: number;
  /** The exchanges with a record here that this contact has found to be for an operator of this site. */
  readonly alarmed: ReadonlySet<string>;
  /** Those that the peer has said it can save only once an operator there has acted: to tell it again is in vain. */
  readonly barred: ReadonlySet<string>;
  /** How many open exchanges that only an operator can settle the peer has told of on this connection. */
  readonly stuck: number;
  /** The least number that the next file may have, as far as the peer says. */
  readonly leastIndex: number;
  /** The peer's own limit for one contact, as it says in STATUS; no longer than that is worth waiting. */
  readonly peerDeadlineMs: number;
  /** Why the contact failed, if it has. */
  readonly error: QkdSyncError | undefined;
}

export function isWaiting(phase: InitiatorPhase): phase is WaitingPhase {
  switch (phase.at) {
    case 'greeting':
    case 'offering':
    case 'told-commit':
    case 'told-abort':
    case 'told-end':
      return true;
    case 'surveying':
    case 'drawing':
    case 'staging':
    case 'deciding':
    case 'judging':
    case 'finishing':
    case 'marking':
    case 'ended':
      return false;
  }
}

/** Whether this is the contact's own exchange. */
export function isOwn(state: InitiatorState, task: Task): boolean {
  return task.id === state.context.attempt?.id;
}
