/** What the responder's machine asks of its driver, and what comes of it: each piece of work has one result. */
import type { CommonAction, CommonEvent } from './machine.js';
import type { NakCode, Resolved, Syn, Want } from './message.js';

export type ResponderAction =
  | CommonAction
  /** Finish what is committed, list what is open with this state folder of the peer → `inspected` or `declined`. */
  | { readonly do: 'inspect'; readonly peer: string; readonly stateId: string }
  /** Check name, folders, room and KME for a new exchange → `examined` or `declined`. */
  | { readonly do: 'examine'; readonly peer: string; readonly want: Want }
  /** Reserve the name, fetch the keys, stage them durably: the vote → `voted` or `declined`. */
  | {
      readonly do: 'vote';
      readonly peer: string;
      readonly stateId: string;
      readonly want: Want;
      readonly syn: Syn;
    }
  /** The initiator has committed → `committed`. */
  | { readonly do: 'commit'; readonly peer: string; readonly id: string; readonly beta: string }
  /** The initiator has aborted → `discarded`. */
  | { readonly do: 'discard'; readonly peer: string; readonly id: string; readonly stateId: string }
  /** The initiator has saved and forgotten → `forgotten`. */
  | { readonly do: 'forget'; readonly peer: string; readonly id: string; readonly stateId: string };

/** What is open here with the initiator at the other end. */
export interface Inspection {
  readonly inDoubt: readonly string[];
  readonly done: readonly string[];
  readonly resolved: readonly Resolved[];
  readonly foreign: number;
  readonly alarms: number;
  readonly nextIndex: number;
}

/** `overruled`: an operator here has decided otherwise; `damaged`: its record cannot be read. */
export type CommitOutcome = 'done' | 'unknown' | 'mismatch' | 'taken' | 'overruled' | 'damaged';
export type DiscardOutcome = 'gone' | 'done' | 'taken' | 'foreign' | 'overruled' | 'damaged';
export type ForgetOutcome = 'gone' | 'open' | 'foreign' | 'damaged';

export type ResponderEvent =
  | CommonEvent
  | { readonly on: 'inspected'; readonly inspection: Inspection }
  | { readonly on: 'examined' }
  | { readonly on: 'voted'; readonly beta: string }
  /** The work before the vote failed, and nothing has happened. */
  | { readonly on: 'declined'; readonly code: NakCode; readonly reason: string }
  | { readonly on: 'committed'; readonly outcome: CommitOutcome }
  | { readonly on: 'discarded'; readonly outcome: DiscardOutcome }
  | { readonly on: 'forgotten'; readonly outcome: ForgetOutcome };
