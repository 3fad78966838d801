/**
 * Sites connected in memory: each listens under its own name, and the wire between them can lose or cut.
 *
 * Frames arrive in order and never in the tick in which they were sent. What becomes of each frame is decided by
 * `wire`, which sees every frame of every connection with its place in all that has passed.
 */
import { QkdSyncError } from '../../src/base/errors.js';
import type { Channel, ChannelEvents, ChannelSecurity, Dial, Listen } from '../../src/peer/channel.js';

/** One frame on its way. */
export interface Passing {
  readonly from: string;
  readonly type: string;
  /** Which connection of the network, from 1. */
  readonly connection: number;
  /** How many frames have been sent in all, this one included. */
  readonly nth: number;
  readonly text: string;
}

/**
 * `lose`: this frame vanishes; `mute`: it and all later ones of its sender on this connection vanish, unnoticed;
 * `cut`: it is lost with the connection; `deliver-and-cut`: the connection breaks right after it has arrived;
 * `vanish`: its sender loses the connection, and the other end does not notice.
 */
export type Fate = 'deliver' | 'lose' | 'mute' | 'cut' | 'deliver-and-cut' | 'vanish';
export type Wire = (passing: Passing) => Fate;

export const SOUND_WIRE: Wire = () => 'deliver';

/** Does `fate` to the `count`th frame of `type`, and nothing to the others. */
export function once(type: string, fate: Fate, count = 1): Wire {
  let seen = 0;
  return (passing) => {
    if (passing.type !== type) return 'deliver';
    seen += 1;
    return seen === count ? fate : 'deliver';
  };
}

const SECURITY: ChannelSecurity = { method: 'psk', version: 'TLSv1.3', suite: 'test', group: undefined };

const broken = (): QkdSyncError => new QkdSyncError('peer-lost', 'the connection broke');

export class MemoryNetwork {
  wire: Wire = SOUND_WIRE;
  readonly passed: Passing[] = [];
  /** How often somebody was called, whether he answered or not. */
  dials = 0;
  readonly #doors = new Map<string, (channel: Channel) => void>();
  readonly #connections = new Set<Connection>();
  #count = 0;

  dial(from: string, to: string): Dial {
    return async (signal) => {
      this.dials += 1;
      await new Promise(setImmediate);
      if (signal.aborted) throw new QkdSyncError('interrupted', 'interrupted');
      const accept = this.#doors.get(to);
      if (accept === undefined) throw new QkdSyncError('peer-unreachable', `nobody answers at ${to}`);
      this.#count += 1;
      const connection = new Connection(this, this.#count, from, to);
      this.#connections.add(connection);
      setImmediate(() => {
        accept(connection.ends[1]);
      });
      return connection.ends[0];
    };
  }

  listen(site: string): Listen {
    return (accept) => {
      if (this.#doors.has(site)) {
        return Promise.reject(new QkdSyncError('config', `${site} is listening already`));
      }
      this.#doors.set(site, accept);
      const close = async (): Promise<void> => {
        this.#doors.delete(site);
        await Promise.all(this.#of(site).map(({ ends }) => ends[1].close()));
      };
      return Promise.resolve({ host: site, port: 7000, close });
    };
  }

  listens(site: string): boolean {
    return this.#doors.has(site);
  }

  /** A site's process is no more: nobody listens there, and its connections break. */
  drop(site: string): void {
    this.#doors.delete(site);
    for (const connection of this.#of(site)) connection.cut();
  }

  /** The types of the frames that were sent, in order, of one connection or all. */
  types(connection?: number): string[] {
    return this.passed
      .filter((one) => connection === undefined || one.connection === connection)
      .map(({ type }) => type);
  }

  pass(from: string, connection: number, text: string): Fate {
    const parsed: unknown = JSON.parse(text);
    const type =
      typeof parsed === 'object' && parsed !== null && 'type' in parsed ? String(parsed.type) : '?';
    const passing = { from, type, connection, nth: this.passed.length + 1, text };
    this.passed.push(passing);
    return this.wire(passing);
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  #of(site: string): Connection[] {
    return [...this.#connections].filter(({ sites }) => sites.includes(site));
  }
}

class Connection {
  readonly sites: readonly [string, string];
  readonly ends: readonly [End, End];
  readonly #network: MemoryNetwork;
  readonly #number: number;
  readonly #muted = new Set<string>();
  #open = true;
  /** Who has lost the connection that the other end still believes in. */
  #lostBy: string | undefined;

  constructor(network: MemoryNetwork, number: number, from: string, to: string) {
    this.#network = network;
    this.#number = number;
    this.sites = [from, to];
    this.ends = [new End(this, from, to), new End(this, to, from)];
  }

  carry(from: string, text: string): void {
    if (!this.#open || this.#lostBy !== undefined) return;
    const fate = this.#network.pass(from, this.#number, text);
    if (fate === 'mute') this.#muted.add(from);
    if (fate === 'cut') {
      this.cut();
      return;
    }
    if (fate === 'vanish') {
      this.#lostBy = from;
      setImmediate(() => {
        this.#own(from).end(broken());
      });
      return;
    }
    if (fate !== 'lose' && !this.#muted.has(from)) {
      const target = this.#other(from);
      setImmediate(() => {
        target.receive(text);
      });
    }
    if (fate === 'deliver-and-cut') this.cut();
  }

  /** Frames that are under way still arrive. */
  hangUp(from: string): void {
    if (this.#lostBy !== from) this.#end(undefined);
  }

  cut(): void {
    this.#end(broken());
  }

  #end(error: QkdSyncError | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    this.#network.forget(this);
    setImmediate(() => {
      for (const end of this.ends) end.end(error);
    });
  }

  #own(from: string): End {
    return this.ends[from === this.sites[0] ? 0 : 1];
  }

  #other(from: string): End {
    return this.ends[from === this.sites[0] ? 1 : 0];
  }
}

/** One site's end of a connection. */
class End implements Channel {
  readonly peer: string;
  readonly remote: string;
  readonly security = SECURITY;
  readonly #connection: Connection;
  readonly #site: string;
  readonly #gone: Promise<void>;
  #go: () => void = () => undefined;
  #events: ChannelEvents | undefined;
  #waiting: string[] = [];
  #closing = false;
  #ended: { readonly error: QkdSyncError | undefined; told: boolean } | undefined;

  constructor(connection: Connection, site: string, peer: string) {
    this.#connection = connection;
    this.#site = site;
    this.peer = peer;
    this.remote = `${peer}:1`;
    this.#gone = new Promise((resolve) => {
      this.#go = resolve;
    });
  }

  attach(events: ChannelEvents): void {
    this.#events = events;
    for (const frame of this.#waiting.splice(0)) this.receive(frame);
    this.#tell();
  }

  send(frame: string): void {
    if (this.#ended === undefined && !this.#closing) this.#connection.carry(this.#site, frame);
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#waiting = [];
      this.#connection.hangUp(this.#site);
    }
    return this.#gone;
  }

  receive(frame: string): void {
    if (this.#closing || this.#ended?.told === true) return;
    if (this.#events === undefined) this.#waiting.push(frame);
    else this.#events.frame(frame);
  }

  end(error: QkdSyncError | undefined): void {
    this.#ended ??= { error: this.#closing ? undefined : error, told: false };
    this.#go();
    this.#tell();
  }

  #tell(): void {
    if (this.#events === undefined || this.#ended === undefined || this.#ended.told) return;
    this.#ended.told = true;
    this.#events.closed(this.#ended.error);
  }
}
