/** What the initiator's machine asks of its driver, and what comes of it: each piece of work has one result. */
import type { KeyId } from '../base/key.js';
import type { CommonAction, CommonEvent } from './machine.js';
import type { Want } from './message.js';

/** What is decided about an exchange on this site. */
export type Verdict =
  { readonly decided: 'committed'; readonly beta: string } | { readonly decided: 'aborted' };

/** What an operator must look at. */
export type AlarmReason = 'unknown-to-peer' | 'contradiction';

export type InitiatorAction =
  | CommonAction
  /** List this site's committed exchanges with the peer, and say what is wanted → `surveyed`. */
  | { readonly do: 'survey' }
  /** Read the decision, making it (an abort) where there is none → `judged`. */
  | { readonly do: 'judge'; readonly id: string }
  /** The peer has saved it: publish, make durable, remove the record → `finished`. */
  | { readonly do: 'finish'; readonly id: string }
  /** Mark the record for an operator → `noted`. */
  | { readonly do: 'alarm'; readonly id: string; readonly reason: AlarmReason }
  /** Get keys from the KME → `drawn`. */
  | { readonly do: 'draw' }
  /** Reserve the name and stage the keys durably → `staged`. */
  | { readonly do: 'stage'; readonly id: string; readonly alpha: string; readonly peerStateId: string }
  /** The point of no return → `judged`. */
  | { readonly do: 'decide'; readonly id: string; readonly beta: string };

export type InitiatorEvent =
  | CommonEvent
  | { readonly on: 'surveyed'; readonly committed: readonly string[]; readonly want: Want | undefined }
  | { readonly on: 'judged'; readonly verdict: Verdict }
  | { readonly on: 'finished'; readonly outcome: 'forgotten' | 'alarm' }
  | { readonly on: 'noted' }
  | { readonly on: 'drawn'; readonly keyIds: readonly KeyId[] }
  | { readonly on: 'staged' };
