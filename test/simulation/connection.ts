/**
 * One connection between two processes. Frames arrive in order, each as a step of the world; what becomes of each is
 * decided by the nemesis. An end learns that the connection is gone by a close that comes like a frame, or by silence.
 */
import { QkdSyncError } from '../../src/base/errors.js';
import type { MessageType } from '../../src/handshake/message.js';
import type { Channel, ChannelEvents, ChannelSecurity } from '../../src/peer/channel.js';
import type { Fate, StrikingFate } from './fault.js';
import type { Belonging, Process } from './process.js';
import type { World } from './world.js';

const SECURITY: ChannelSecurity = { method: 'psk', version: 'TLSv1.3', suite: 'none', group: undefined };

/** After so long without a word, an end gives the connection up (docs/protocol.md, "The channel"). */
const SILENCE_MS = 15_000;
/** A late frame is at most this late: one that were later would be taken for silence. */
const LATE_MS = 14_000;

const broken = (): QkdSyncError => new QkdSyncError('peer-lost', 'the connection broke');

/** Something that is on its way to an end: a frame, or the news that there will be none any more. */
interface Arrival {
  readonly at: number;
  readonly frame: string | undefined;
  readonly error: QkdSyncError | undefined;
}

export type Judge = (from: string, type: MessageType) => Fate;

export class Connection {
  readonly ends: readonly [End, End];
  readonly world: World;
  readonly #judge: Judge;
  /** Nothing passes any more. */
  #silent = false;
  #over = false;

  constructor(world: World, judge: Judge, dialler: Process, listener: Process) {
    this.world = world;
    this.#judge = judge;
    this.ends = [new End(this, dialler, listener.host.id), new End(this, listener, dialler.host.id)];
  }

  carry(from: End, frame: string): void {
    if (this.#over || this.#silent) return;
    const { world } = this;
    const type = typeOf(frame);
    const fate = this.#judge(from.process.host.id, type);
    world.trace?.(`${from.process.name}: sends ${frame}${fate === 'deliver' ? '' : `   *** ${fate}`}`);
    const target = this.#other(from);
    switch (fate) {
      case 'deliver':
        target.expect(frame, 0);
        return;
      case 'late':
        target.expect(frame, 1 + world.dice.below(LATE_MS));
        return;
      case 'cut':
        this.cut();
        return;
      case 'deliver-and-cut':
        target.expect(frame, 0);
        this.cut();
        return;
      case 'hang':
        this.#fallSilent();
        return;
      case 'vanish':
        this.#silent = true;
        from.expectEnd(broken(), 0);
        target.expectEnd(broken(), SILENCE_MS);
        return;
      case 'kill-sender':
      case 'power-sender':
      case 'freeze-sender':
        target.expect(frame, 0);
        strike(from.process, fate);
        return;
      case 'kill-receiver':
      case 'power-receiver':
      case 'freeze-receiver':
        target.expect(frame, 0);
        strike(target.process, fate);
        return;
    }
  }

  /** One end closes it in order. */
  hangUp(from: End): void {
    from.expectEnd(undefined, 0);
    if (this.#over) return;
    this.#over = true;
    this.#other(from).expectEnd(undefined, this.#silent ? SILENCE_MS : 0);
  }

  cut(): void {
    this.#over = true;
    for (const end of this.ends) end.expectEnd(broken(), 0);
  }

  /** The process at one end is no more. */
  lose(from: End, silently: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#other(from).expectEnd(broken(), silently || this.#silent ? SILENCE_MS : 0);
  }

  /** The process at one end sleeps: the other end waits for a sign of life in vain. */
  sleepAt(process: Process): void {
    this.world.after(SILENCE_MS, undefined, () => {
      if (process.frozen) this.cut();
    });
  }

  #fallSilent(): void {
    this.#silent = true;
    for (const end of this.ends) end.expectEnd(broken(), SILENCE_MS);
  }

  #other(end: End): End {
    return this.ends[end === this.ends[0] ? 1 : 0];
  }
}

function strike(process: Process, fate: StrikingFate): void {
  if (fate.startsWith('kill')) process.kill();
  else if (fate.startsWith('power')) process.host.losePower();
  else {
    process.freeze();
    process.host.nemesis.froze(process);
  }
}

/** Frames are JSON objects that begin with their type, because our own encoder makes them. */
function typeOf(frame: string): MessageType {
  return frame.slice(9, frame.indexOf('"', 9)) as MessageType;
}

class End implements Channel, Belonging {
  readonly peer: string;
  readonly remote: string;
  readonly security = SECURITY;
  readonly process: Process;
  readonly #connection: Connection;
  readonly #gone: Promise<void>;
  #go: () => void = () => undefined;
  #events: ChannelEvents | undefined;
  #inbound: Arrival[] = [];
  #waiting: string[] = [];
  #due = false;
  #closing = false;
  #ended: { readonly error: QkdSyncError | undefined; told: boolean } | undefined;

  constructor(connection: Connection, process: Process, peer: string) {
    this.#connection = connection;
    this.process = process;
    this.peer = peer;
    this.remote = `${peer}:1`;
    this.#gone = new Promise((resolve) => {
      this.#go = resolve;
    });
    process.belongings.add(this);
  }

  attach(events: ChannelEvents): void {
    this.#events = events;
    for (const frame of this.#waiting.splice(0)) events.frame(frame);
    this.#tell();
  }

  send(frame: string): void {
    if (this.#ended === undefined && !this.#closing) this.#connection.carry(this, frame);
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#waiting = [];
      this.#connection.hangUp(this);
    }
    return this.#gone;
  }

  ownerDied(silently: boolean): void {
    this.#connection.lose(this, silently);
  }

  ownerFroze(): void {
    this.#connection.sleepAt(this.process);
  }

  expect(frame: string, ms: number): void {
    this.#push({ at: this.#connection.world.now + ms, frame, error: undefined });
  }

  expectEnd(error: QkdSyncError | undefined, ms: number): void {
    this.#push({ at: this.#connection.world.now + ms, frame: undefined, error });
  }

  #push(arrival: Arrival): void {
    // News that come at once overtake an end that silence would bring later, and nothing else.
    const before = this.#inbound.findIndex(({ at, frame }) => frame === undefined && at > arrival.at);
    if (before < 0) this.#inbound.push(arrival);
    else this.#inbound.splice(before, 0, arrival);
    this.#arrange();
  }

  #arrange(): void {
    const [head] = this.#inbound;
    if (head === undefined || this.#due) return;
    const { world } = this.#connection;
    if (head.at > world.now) {
      world.after(head.at - world.now, undefined, () => {
        this.#arrange();
      });
      return;
    }
    this.#due = true;
    world.add({
      actor: this.process,
      run: () => {
        this.#due = false;
        const arrival = this.#inbound.shift();
        if (arrival !== undefined) this.#take(arrival);
        this.#arrange();
      },
    });
  }

  #take({ frame, error }: Arrival): void {
    if (frame === undefined) {
      this.#end(error);
    } else if (!this.#closing && this.#ended === undefined) {
      if (this.#events === undefined) this.#waiting.push(frame);
      else this.#events.frame(frame);
    }
  }

  #end(error: QkdSyncError | undefined): void {
    this.process.belongings.delete(this);
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
