/** Who can be reached where: doors that processes listen at, and the dialling of them. */
import { QkdSyncError } from '../../src/base/errors.js';
import type { Channel, Dial, Listen } from '../../src/peer/channel.js';
import { Connection, type Judge } from './connection.js';
import type { Belonging, Process } from './process.js';
import type { World } from './world.js';

/** How long dialling takes before it is given up, where nobody says anything (docs/protocol.md, "The channel"). */
const DIAL_MS = 10_000;

interface Door extends Belonging {
  readonly process: Process;
  readonly accept: (channel: Channel) => void;
  /** All that have come in. */
  readonly channels: Channel[];
}

const unreachable = (to: string): QkdSyncError =>
  new QkdSyncError('peer-unreachable', `nobody answers at ${to}`);

export class Network {
  readonly #world: World;
  readonly #judge: Judge;
  readonly #doors = new Map<string, Door>();

  constructor(world: World, judge: Judge) {
    this.#world = world;
    this.#judge = judge;
  }

  dial(process: Process, to: string): Dial {
    return (signal) =>
      new Promise((resolve, reject) => {
        const run = (): void => {
          const door = this.#doors.get(to);
          if (signal.aborted) reject(new QkdSyncError('interrupted', 'interrupted'));
          else if (door === undefined) reject(unreachable(to));
          else if (door.process.frozen) this.#hang(process, to, signal, reject);
          else resolve(this.#connect(process, door));
        };
        this.#world.add({ actor: process, run });
      });
  }

  listen(process: Process): Listen {
    const site = process.host.id;
    return (accept) => {
      if (this.#doors.has(site)) return Promise.reject(new QkdSyncError('config', 'the address is in use'));
      const leave = (): void => {
        if (this.#doors.get(site) === door) this.#doors.delete(site);
      };
      const channels: Channel[] = [];
      const door: Door = { process, accept, channels, ownerDied: leave, ownerFroze: () => undefined };
      this.#doors.set(site, door);
      process.belongings.add(door);
      const close = async (): Promise<void> => {
        leave();
        await Promise.all(channels.map((channel) => channel.close()));
      };
      return Promise.resolve({ host: site, port: 7000, close });
    };
  }

  #connect(process: Process, door: Door): Channel {
    const connection = new Connection(this.#world, this.#judge, process, door.process);
    const [near, far] = connection.ends;
    door.channels.push(far);
    this.#world.add({
      actor: door.process,
      run: () => {
        door.accept(far);
      },
    });
    return near;
  }

  /** Somebody listens and says nothing. */
  #hang(process: Process, to: string, signal: AbortSignal, reject: (error: QkdSyncError) => void): void {
    const stop = (): void => {
      cancel();
      reject(new QkdSyncError('interrupted', 'interrupted'));
    };
    const cancel = this.#world.after(DIAL_MS, process, () => {
      signal.removeEventListener('abort', stop);
      reject(unreachable(to));
    });
    signal.addEventListener('abort', stop);
  }
}
