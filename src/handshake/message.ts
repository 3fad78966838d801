/**
 * The messages between two sites and their strict codec (docs/protocol.md, "Messages"): one JSON object a text
 * frame, no field missing, none too many. Nothing here ever carries key bytes.
 */
import type { ErrorCode } from '../base/errors.js';
import { KEY_ID_MAX_BYTES, type KeyId } from '../base/key.js';

export const PROTOCOL_VERSION = 1;

/** STATUS names at most so many open exchanges of each kind; `more` says that there are others. */
export const STATUS_MAX_IDS = 64;

/** The most keys of one exchange. */
export const COUNT_MAX = 65_536;

/** The longest reason of a NAK, in characters. */
export const REASON_MAX = 300;

/** What the initiator would like to exchange; the responder must be configured alike. */
export interface Want {
  readonly count: number;
  /** Bits of each key. */
  readonly size: number;
  readonly naming: Naming;
  /** The number of the next file; only with `naming: index`. */
  readonly index?: number;
}

export type Naming = 'index' | 'key-id';

/** Why the responder says no. */
export const NAK_CODES = [
  'version',
  'role',
  'identity',
  'count',
  'size',
  'naming',
  'index',
  'name-taken',
  'storage',
  'suspect',
  'kme-unreachable',
  'kme-refused',
  'kme-empty',
  'kme-answer',
  'busy',
  'stopping',
  'foreign',
  'contradiction',
  'protocol',
] as const;
export type NakCode = (typeof NAK_CODES)[number];

export interface Hello {
  readonly type: 'HELLO';
  readonly version: number;
  readonly site: string;
  readonly sae: string;
  /** The initiator's state ID. */
  readonly stateId: string;
  /** Exchanges of the two sites that only an operator at the initiator can settle. */
  readonly alarms: number;
  /** Absent where nothing is wanted but settlement. */
  readonly want?: Want;
}

/** What an operator has decided about a vote. */
export interface Resolved {
  readonly id: string;
  readonly decision: 'commit' | 'abort';
}

export interface Status {
  readonly type: 'STATUS';
  /** The responder's state ID. */
  readonly stateId: string;
  readonly inDoubt: readonly string[];
  readonly done: readonly string[];
  /** Votes that an operator at the responder has decided, because the initiator seemed lost for good. */
  readonly resolved: readonly Resolved[];
  /** There are open exchanges beyond these. */
  readonly more: boolean;
  /** Open exchanges that name another state folder of the initiator. */
  readonly foreign: number;
  /** Exchanges of the two sites that only an operator at the responder can settle. */
  readonly alarms: number;
  readonly nextIndex: number;
  /** The responder has checked what HELLO wants and will take a SYN. */
  readonly ready: boolean;
  /** The responder's own limit for one contact. */
  readonly deadlineMs: number;
}

export interface Syn {
  readonly type: 'SYN';
  readonly id: string;
  readonly keyIds: readonly KeyId[];
  readonly alpha: string;
}

export interface SynAck {
  readonly type: 'SYN_ACK';
  readonly id: string;
  /** SYN's alpha + 1. */
  readonly alpha: string;
  readonly beta: string;
}

export interface Nak {
  readonly type: 'NAK';
  /** The exchange that it is about, if any. */
  readonly id?: string;
  readonly code: NakCode;
  readonly reason: string;
}

export interface Ack {
  readonly type: 'ACK';
  readonly id: string;
  /** SYN_ACK's beta + 1. */
  readonly beta: string;
}

/** The messages that say one word about an exchange. */
export type WordType = 'FIN' | 'ABORT' | 'ABORT_OK' | 'END' | 'END_OK' | 'UNKNOWN';
export interface Word<T extends WordType = WordType> {
  readonly type: T;
  readonly id: string;
}

export type Message =
  | Hello
  | Status
  | Syn
  | SynAck
  | Nak
  | Ack
  | Word<'FIN'>
  | Word<'ABORT'>
  | Word<'ABORT_OK'>
  | Word<'END'>
  | Word<'END_OK'>
  | Word<'UNKNOWN'>;

export type MessageType = Message['type'];

/** The error that a NAK means at the initiator. */
export const NAK_ERRORS: Readonly<Record<NakCode, ErrorCode>> = {
  version: 'protocol',
  role: 'role',
  identity: 'peer-refused',
  count: 'disagreement',
  size: 'disagreement',
  naming: 'disagreement',
  index: 'disagreement',
  'name-taken': 'peer-aborted',
  storage: 'peer-aborted',
  suspect: 'peer-aborted',
  'kme-unreachable': 'kme-unreachable',
  'kme-refused': 'peer-aborted',
  'kme-empty': 'kme-empty',
  'kme-answer': 'peer-aborted',
  busy: 'busy',
  stopping: 'peer-aborted',
  foreign: 'alarm',
  contradiction: 'alarm',
  protocol: 'protocol',
};

/** Room for every message but SYN, in bytes. */
const MESSAGE_MAX_BYTES = 16_384;

/** The largest legal frame of an exchange of `count` keys, in bytes: each byte of a key ID may need an escape. */
export function maxFrameBytes(count: number): number {
  return MESSAGE_MAX_BYTES + count * (2 * KEY_ID_MAX_BYTES + 3);
}
