/** Where the responder's machine is in its contact, and what it remembers on the way. */
import type { QkdSyncError } from '../base/errors.js';
import type { Hello, Syn, Want } from './message.js';
import type { AgreedTerms, Doorkeeper, Refusal } from './refusal.js';
import type { Inspection } from './responder-work.js';

export interface ResponderContext extends Doorkeeper {
  /** This site's state ID. */
  readonly stateId: string;
  readonly terms: AgreedTerms;
  readonly deadlineMs: number;
}

/** The initiator has the word. */
export type WaitingPhase =
  | { readonly at: 'greeting' }
  /** It has said HELLO and gives orders. */
  | { readonly at: 'order'; readonly hello: Hello };

/** The driver is at work. */
export type WorkingPhase = { readonly hello: Hello } & (
  | { readonly at: 'inspecting' }
  | { readonly at: 'examining'; readonly inspection: Inspection; readonly want: Want }
  | { readonly at: 'voting'; readonly syn: Syn }
  | { readonly at: 'committing' | 'discarding' | 'forgetting'; readonly id: string }
);

export type ResponderPhase = WaitingPhase | WorkingPhase | { readonly at: 'ended' };

export interface ResponderState {
  readonly context: ResponderContext;
  readonly phase: ResponderPhase;
  /** The last HELLO; undefined before the first one. */
  readonly hello: Hello | undefined;
  /** Open exchanges that this connection has been told of. */
  readonly told: ReadonlySet<string>;
  /** How many open exchanges that only an operator can settle this connection has been told of. */
  readonly stuck: number;
  /** What the last STATUS agreed to; a SYN uses it up. */
  readonly agreed: Want | undefined;
  /** The exchange that this connection voted for and has heard no decision of. */
  readonly undecided: string | undefined;
  /** The last STATUS named nothing open, or no more than the initiator had said that it cannot settle. */
  readonly clear: boolean;
  /** Why this side said no last, if it has since its last STATUS. */
  readonly refusal: Refusal | undefined;
  /** How the conversation failed, if it did. */
  readonly error: QkdSyncError | undefined;
}

export function isWaiting(phase: ResponderPhase): phase is WaitingPhase {
  return phase.at === 'greeting' || phase.at === 'order';
}
