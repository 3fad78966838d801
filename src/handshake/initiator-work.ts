/** What the initiator's machine asks of its driver, and what comes of it: each piece of work has one result. */
import type { KeyId } from '../base/key.js';
import type { CommonAction, CommonEvent } from './machine.js';
import type { Want } from './message.js';

/** What is decided about an exchange on this site. */
export type Verdict =
  { readonly decided: 'committed'; readonly beta: string } | { readonly decided: 'aborted' };

/** What is open at the initiator, and what it wants. */
export interface Survey {
  /** The exchanges that are committed and whose records can be read. */
  readonly committed: readonly string[];
  /** How many records only an operator can settle. */
  readonly alarms: number;
  readonly want: Want | undefined;
}

/** What an operator must look at. */
export type AlarmReason = 'unknown-to-peer' | 'contradiction';

export type InitiatorAction =
  | CommonAction
  /** List what is open here with the peer, and say what is wanted, numbered no lower than this → `surveyed`. */
  | { readonly do: 'survey'; readonly leastIndex: number }
  /** Read the decision, making it (an abort) where there is none → `judged`, or `alarmed` where it cannot be read. */
  | { readonly do: 'judge'; readonly id: string }
  /** The peer has saved it: publish, make durable, remove the record → `finished`, or `alarmed` where it must stay. */
  | { readonly do: 'finish'; readonly id: string }
  /** Mark the record for an operator → `alarmed`, or `finished` where another run has settled it meanwhile. */
  | { readonly do: 'alarm'; readonly id: string; readonly reason: AlarmReason }
  /** Get keys from the KME → `drawn`. */
  | { readonly do: 'draw' }
  /** Reserve the name and stage the keys durably → `staged`. */
  | { readonly do: 'stage'; readonly id: string; readonly alpha: string; readonly peerStateId: string }
  /** The point of no return → `judged`, or `alarmed` as above. */
  | { readonly do: 'decide'; readonly id: string; readonly beta: string };

export type InitiatorEvent =
  | CommonEvent
  | ({ readonly on: 'surveyed' } & Survey)
  | { readonly on: 'judged'; readonly verdict: Verdict }
  | { readonly on: 'finished' }
  /** Only an operator can settle the exchange. */
  | { readonly on: 'alarmed' }
  | { readonly on: 'drawn'; readonly keyIds: readonly KeyId[] }
  | { readonly on: 'staged' };
