/**
 * What became of a run, told by the records as they are at its end and never by the error that ended it
 * (docs/protocol.md, "Exit codes").
 */
import type { QkdSyncError } from '../base/errors.js';
import type { Role } from '../base/site.js';
import type { PublishedFile } from '../store/context.js';
import type { SurveyedRecord } from '../store/survey.js';
import type { HookRun } from './hook.js';

/** How an exchange stands that has not come to its end. From worst to best; the order in which they override. */
export const STANDINGS = ['alarm', 'pending', 'in-doubt', 'unconfirmed'] as const;
export type Standing = (typeof STANDINGS)[number];

/** `saved` and `settled` are good ends; `aborted` leaves no file. */
export type OutcomeKind = 'saved' | 'settled' | 'aborted' | Standing;

/** An exchange that is open at the end of a run. */
export interface OpenExchange {
  readonly id: string;
  readonly peer: string;
  readonly role: Role;
  readonly standing: Standing;
  /** The key file's name. */
  readonly name: string | undefined;
  /** What is contradictory, for `alarm`. */
  readonly reason: string | undefined;
}

/** What this run's own exchange had come to, as far as the run itself knows. */
export interface OwnExchange {
  readonly id: string;
  readonly keyIds: readonly string[];
  readonly name: string;
  readonly index: number | undefined;
  /**
   * `deciding`: the decision to commit was tried, and whether it was made only the records know. `elsewhere`: another run
   * of the site has ended it, and this one has not heard how.
   */
  readonly progress: 'open' | 'deciding' | 'committed' | 'elsewhere';
}

/** What a responder has heard of its own exchange, whatever its disk has made of it. */
export interface Heard {
  readonly id: string;
  readonly decision: 'commit' | 'abort';
}

/** A peer whose records cannot be read, and why. */
export interface UnreadPeer {
  /** Undefined where not even the peers can be listed. */
  readonly peer: string | undefined;
  readonly error: QkdSyncError;
}

export interface RunReport {
  readonly outcome: OutcomeKind;
  readonly role: Role;
  /** The peer, where the run had one. */
  readonly peer: string | undefined;
  readonly exchange: OwnExchange | undefined;
  /** Key files that this run put in place, in the order in which it did. */
  readonly published: readonly PublishedFile[];
  readonly open: readonly OpenExchange[];
  /** Open exchanges that only an operator can settle, at the peer as it said. */
  readonly peerAlarms: number;
  /** Open exchanges here that were made with another state folder of the peer. */
  readonly foreign: number;
  /** Other peers: what is open with them nobody knows. */
  readonly unread: readonly UnreadPeer[];
  /** The origin of the KME that gave the keys; undefined where none has. */
  readonly kme: string | undefined;
  /** The hooks that were run for saved key files, of earlier runs too, in the order in which they ended. */
  readonly hooks: readonly HookRun[];
  readonly error: QkdSyncError | undefined;
}

/** How a record stands; undefined where it needs nobody: aborted, or not yet decided by the one who decides. */
export function standingOf({ place, published, alarm, resolution }: SurveyedRecord): Standing | undefined {
  if (alarm !== undefined) return 'alarm';
  switch (place.state) {
    case 'aborted':
      return undefined;
    case 'staged':
      return place.role === 'responder' ? 'in-doubt' : undefined;
    case 'committed':
      return published ? 'unconfirmed' : 'pending';
    case 'done':
      return 'unconfirmed';
    case 'resolved':
      if (resolution === 'abort') return undefined;
      return published ? 'unconfirmed' : 'pending';
  }
}

export function openExchanges(records: readonly SurveyedRecord[], heard?: Heard): OpenExchange[] {
  return records.flatMap((record) => {
    const { id, peer, role } = record.place;
    // An operator has decided otherwise meanwhile; where the mark could not be made, the next contact makes it.
    const { resolution } = record;
    const contradicts = id === heard?.id && resolution !== undefined && resolution !== heard.decision;
    const standing = contradicts ? 'alarm' : standingOf(record);
    if (standing === undefined) return [];
    const reason = record.alarm ?? (contradicts ? 'contradiction' : undefined);
    return [{ id, peer, role, standing, name: record.exchange?.name, reason }];
  });
}

/** A vote that an operator has aborted; its record stays until the initiator has heard of it, and needs nobody. */
export type GivenUp = Pick<OpenExchange, 'id' | 'peer' | 'role' | 'name'>;

export function givenUp(records: readonly SurveyedRecord[]): GivenUp[] {
  return records
    .filter(({ resolution, alarm }) => resolution === 'abort' && alarm === undefined)
    .map(({ place: { id, peer, role }, exchange }) => ({ id, peer, role, name: exchange?.name }));
}

/** The worst standing among these, if there are any. */
export function worst(open: readonly { readonly standing: Standing }[]): Standing | undefined {
  return STANDINGS.find((standing) => open.some((exchange) => exchange.standing === standing));
}

/** The outcome of a run: that of its own exchange, or, where it had none, of what else is open with its peers. */
export function outcomeOf(
  { exchange, peerAlarms, foreign, error }: Pick<RunReport, 'exchange' | 'peerAlarms' | 'foreign' | 'error'>,
  open: readonly OpenExchange[],
): OutcomeKind {
  if (exchange !== undefined) {
    const own = open.find(({ id }) => id === exchange.id);
    if (own !== undefined) return own.standing;
    if (exchange.progress === 'committed') return 'saved';
    if (exchange.progress === 'elsewhere') return 'in-doubt';
    // Its record has gone, and the peer has decided otherwise than that says.
    return error?.code === 'alarm' ? 'alarm' : 'aborted';
  }
  if (error?.code === 'alarm') return 'alarm';
  // Rule 16: what an earlier run has decided, and the disk still does not take, is more than a failure of this run.
  if (error?.code === 'storage' && open.some(({ standing }) => standing === 'pending')) return 'pending';
  if (error !== undefined) return 'aborted';
  return peerAlarms > 0 || foreign > 0 ? 'alarm' : (worst(open) ?? 'settled');
}

/** The same where the records cannot be read or trusted: what the run itself has seen is all that can be said. */
export function outcomeUnread({
  role,
  exchange,
  published,
  error,
}: Pick<RunReport, 'role' | 'exchange' | 'published' | 'error'>): OutcomeKind {
  if (exchange === undefined) return hasFailedToSettle(error) ? 'pending' : 'aborted';
  if (published.some(({ id }) => id === exchange.id)) return 'unconfirmed';
  if (exchange.progress !== 'open') return 'pending';
  // A responder knows its exchange only once it has voted.
  return role === 'responder' ? 'in-doubt' : 'aborted';
}

/** The fsync of a decision failed in this very run: only then has the error a cause. */
function hasFailedToSettle(error: QkdSyncError | undefined): boolean {
  return error?.code === 'suspect' && error.cause !== undefined;
}
