/**
 * The responder's contacts under way and those that have ended: one for each peer, because a new connection of a
 * peer supersedes its old one.
 *
 * Calling sequence: `take` each channel as it comes, `next` again and again, at last `end` and `rest`.
 * Errors of `next` and `rest`: a bug in an answer, which must end the run.
 */
import type { Channel } from '../peer/channel.js';
import { answer, type AnswerResult } from './answer.js';
import { Presence } from './presence.js';
import type { KeyPorts, PeerSite, SiteSettings } from './run.js';

/** A contact that is over. */
export interface EndedContact extends AnswerResult {
  /** A new connection of the same peer goes on where this one ended. */
  readonly superseded: boolean;
}

interface Current {
  readonly channel: Channel;
  readonly handled: Promise<void>;
}

export class Contacts {
  readonly #settings: SiteSettings;
  readonly #peers: readonly PeerSite[];
  readonly #ports: KeyPorts;
  readonly #stateId: string;
  /** By the site that has authenticated itself. */
  readonly #current = new Map<string | undefined, Current>();
  /** Of all that are under way, those too that are being superseded. */
  readonly #present = new Set<Presence>();
  /** When the first contact of each site began that has said HELLO and is over. */
  readonly #firstAt = new Map<string, number>();
  /** Those that nobody has looked at yet. */
  readonly #ended: (EndedContact | Error)[] = [];
  #wake: () => void = () => undefined;

  constructor(settings: SiteSettings, peers: readonly PeerSite[], stateId: string, ports: KeyPorts) {
    this.#settings = settings;
    this.#peers = peers;
    this.#stateId = stateId;
    this.#ports = ports;
  }

  /**
   * How long, on the monotonic clock, those that are under way are worth waiting for: one that is in the middle of a vote
   * or of a decision until it ends, and one that has said HELLO for the deadline of one contact, counted from the first
   * contact of its site, so that nobody stretches it by coming again. Who says nothing counts for nothing.
   * @param site whose contacts alone are waited for; undefined: anybody's
   */
  worthUntil(site: string | undefined): number {
    let until = -Infinity;
    for (const { site: who, startedAt, isEngaged } of this.#present) {
      if (isEngaged) return Infinity;
      if (who === undefined || (site !== undefined && who !== site)) continue;
      until = Math.max(until, (this.#firstAt.get(who) ?? startedAt) + this.#settings.terms.deadlineMs);
    }
    return until;
  }

  take(channel: Channel): void {
    const before = this.#current.get(channel.peer);
    const presence = new Presence(this.#ports.clock.monotonic());
    this.#present.add(presence);
    const handled = this.#handle(channel, before, presence);
    this.#current.set(channel.peer, { channel, handled });
  }

  /**
   * The next one that has ended; undefined when the deadline (on the monotonic clock, Infinity for none) has come, or the
   * run is told to stop.
   */
  async next(deadline: number): Promise<EndedContact | undefined> {
    const { clock, signal } = this.#ports;
    if (this.#ended.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          cancel?.();
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const cancel = deadline === Infinity ? undefined : clock.after(deadline - clock.monotonic(), wake);
        signal.addEventListener('abort', wake);
        this.#wake = wake;
      });
    }
    const ended = this.#ended.shift();
    return ended === undefined ? undefined : sound(ended);
  }

  /** Waits for those that are under way; their channels must have been closed. */
  async end(): Promise<void> {
    await Promise.all([...this.#current.values()].map(({ handled }) => handled));
  }

  /** All that have ended and nobody has looked at. */
  rest(): EndedContact[] {
    return this.#ended.splice(0).map(sound);
  }

  async #handle(channel: Channel, before: Current | undefined, presence: Presence): Promise<void> {
    const { log } = this.#ports;
    if (before !== undefined) {
      log(
        'info',
        'superseded',
        `a new connection of ${channel.peer ?? channel.remote} takes the place of its old one`,
      );
      await before.channel.close();
      await before.handled;
    }
    const { method, suite, version } = channel.security;
    log('step', 'connected', `connection from ${channel.remote}`, {
      peer: channel.peer,
      method,
      version,
      suite,
    });
    const allowed = this.#peers.filter((peer) => channel.peer === undefined || peer.site === channel.peer);
    const ended = await this.#answer(allowed, channel, presence);
    this.#present.delete(presence);
    const { site, startedAt } = presence;
    if (site !== undefined && !this.#firstAt.has(site)) this.#firstAt.set(site, startedAt);
    const superseded = this.#current.get(channel.peer)?.channel !== channel;
    if (!superseded) this.#current.delete(channel.peer);
    this.#ended.push(ended instanceof Error ? ended : { ...ended, superseded });
    this.#wake();
  }

  async #answer(
    allowed: readonly PeerSite[],
    channel: Channel,
    presence: Presence,
  ): Promise<AnswerResult | Error> {
    const { log } = this.#ports;
    try {
      const ended = await answer(this.#settings, allowed, this.#stateId, this.#ports, channel, presence);
      if (ended.error !== undefined) {
        log('warn', 'contact-failed', ended.error.message, {
          peer: ended.peer?.site,
          code: ended.error.code,
        });
      }
      return ended;
    } catch (error) {
      // A bug: it must end the run loudly, not vanish in a handler that nobody awaits.
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

function sound(ended: EndedContact | Error): EndedContact {
  if (ended instanceof Error) throw ended;
  return ended;
}
