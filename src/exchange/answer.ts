/**
 * One contact of the responder: answers whoever has authenticated on a channel until it closes. Does the work that
 * the handshake's machine asks for.
 *
 * Never rejects but for a bug: what went wrong is in the answer.
 */
import { QkdSyncError } from '../base/errors.js';
import type { Awaited, CommonAction } from '../handshake/machine.js';
import { NAK_ERRORS, type NakCode } from '../handshake/message.js';
import { REFUSAL_HINTS } from '../handshake/refusal.js';
import type { ResponderState } from '../handshake/responder-state.js';
import type { ResponderAction, ResponderEvent } from '../handshake/responder-work.js';
import { nextResponder, startResponder } from '../handshake/responder.js';
import type { Channel } from '../peer/channel.js';
import { converse } from './converse.js';
import { Duties } from './duties.js';
import type { OwnExchange } from './outcome.js';
import type { Presence } from './presence.js';
import type { KeyPorts, PeerSite, SiteSettings } from './run.js';

/** How long an authenticated peer may take to say HELLO, in milliseconds. */
const GREETING_MS = 10_000;

/** How many exchanges with a peer only an operator can settle. */
export interface Stuck {
  /** Open here, and made with another state folder of the peer. */
  readonly foreign: number;
  /** At the peer, as it says. */
  readonly atPeer: number;
}

export interface AnswerResult {
  /** Who it was, as HELLO said and the configuration confirms. */
  readonly peer: PeerSite | undefined;
  /** The exchange that this contact voted for. */
  readonly exchange: OwnExchange | undefined;
  /** The initiator wanted nothing but settlement, and nothing was left open that can be settled. */
  readonly recovered: boolean;
  /** The exchanges whose decision to commit this contact has heard, whoever voted for them. */
  readonly committed: ReadonlySet<string>;
  /** What the initiator has said last of each exchange, whatever has come of it. */
  readonly told: ReadonlyMap<string, 'commit' | 'abort'>;
  /** The exchanges of which this contact has heard END. */
  readonly ended: ReadonlySet<string>;
  /** What only an operator can settle; undefined where nobody has looked. */
  readonly stuck: Stuck | undefined;
  /** Why this side said no, or how the contact failed. */
  readonly error: QkdSyncError | undefined;
}

type Work = Exclude<ResponderAction, CommonAction>;

/**
 * @param peers who may be at the other end of this channel
 * @param presence is told how far the contact has come
 */
export async function answer(
  settings: SiteSettings,
  peers: readonly PeerSite[],
  stateId: string,
  ports: KeyPorts,
  channel: Channel,
  presence: Presence,
): Promise<AnswerResult> {
  const { clock, log, signal } = ports;
  const { terms, site, anyRole } = settings;
  const startedAt = clock.monotonic();
  const duties = new Duties(settings, peers, ports);

  const patienceMs = (awaited: Awaited): number => {
    const leftMs = startedAt + terms.deadlineMs - clock.monotonic();
    return awaited === 'greeting' ? Math.min(GREETING_MS, leftMs) : leftMs;
  };

  let state: ResponderState;
  try {
    state = await converse<ResponderState, Work, ResponderEvent>({
      channel,
      start: startResponder({ site, stateId, peers, anyRole, terms, deadlineMs: terms.deadlineMs }),
      next: nextResponder,
      perform: async (work, cancel) => {
        presence.note(work);
        const event = await duties.perform(work, cancel);
        presence.done(work);
        return event;
      },
      patienceMs,
      clock,
      log,
      signal,
    });
  } finally {
    await duties.release();
  }
  const { hello, clear, refusal } = state;
  return {
    peer: hello === undefined ? undefined : peers.find((peer) => peer.site === hello.site),
    exchange: duties.exchange,
    committed: duties.committed,
    recovered: hello !== undefined && hello.want === undefined && clear && refusal === undefined,
    told: duties.told,
    ended: duties.ended,
    stuck: duties.foreign === undefined ? undefined : { foreign: duties.foreign, atPeer: hello?.alarms ?? 0 },
    error:
      duties.declined ?? (refusal === undefined ? state.error : refusalError(refusal.code, refusal.reason)),
  };
}

function refusalError(code: NakCode, reason: string): QkdSyncError {
  return new QkdSyncError(NAK_ERRORS[code], `refused the initiator: ${reason}`, {
    hint: REFUSAL_HINTS[code],
  });
}
