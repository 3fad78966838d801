/**
 * Connections on their way from TCP to a channel: how many there may be, how long each step may take, and why
 * nothing came of one.
 *
 * `take` a connection, `arm` it for each step, and either `finish` it (it has become a channel) or `refuse` it.
 * It stays here until one of these, or until it is gone.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import type { Log } from '../base/log.js';
import { authority } from './address.js';

/**
 * Where more are pending, the oldest goes and not the newest: an honest one is through in milliseconds, so
 * whoever fills this table by doing nothing keeps nobody out.
 */
const PENDING_MAX = 32;

export interface PendingSettings {
  /** For each step. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export class PendingConnections {
  readonly #settings: PendingSettings;
  readonly #all = new Set<PendingConnection>();
  #emptied = (): void => undefined;

  constructor(settings: PendingSettings) {
    this.#settings = settings;
  }

  take(socket: Socket): PendingConnection {
    const [oldest] = this.#all;
    if (this.#all.size >= PENDING_MAX) oldest?.refuse('too many connections wait');
    const connection = new PendingConnection(socket, this.#settings, () => {
      this.#all.delete(connection);
      if (this.#all.size === 0) this.#emptied();
    });
    this.#all.add(connection);
    return connection;
  }

  /** Ends all of them: those that come to an end by themselves within `graceMs` hear why, the others nothing. */
  async clear(graceMs: number): Promise<void> {
    if (this.#all.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#settings.clock.after(graceMs, resolve);
        this.#emptied = () => {
          cancel();
          resolve();
        };
      });
    }
    for (const connection of this.#all) connection.drop();
  }
}

export class PendingConnection {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #settings: PendingSettings;
  readonly #leave: () => void;
  #over = false;
  #cancel = (): void => undefined;

  constructor(socket: Socket, settings: PendingSettings, leave: () => void) {
    this.remote = authority(socket.remoteAddress, socket.remotePort);
    this.#socket = socket;
    this.#settings = settings;
    this.#leave = leave;
    // Whoever reads from it reports its errors; this only keeps Node from ending the process.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#cancel();
      this.#leave();
    });
  }

  /** Starts the time of the next step. */
  arm(step: string): void {
    this.#cancel();
    const { clock, timeoutMs } = this.#settings;
    this.#cancel = clock.after(timeoutMs, () => {
      this.refuse(`no ${step} within ${formatDuration(timeoutMs)}`);
    });
  }

  /** It has become a channel. False where it has been refused meanwhile. */
  finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#cancel();
    this.#leave();
    return true;
  }

  /** Says why nothing comes of it; the first reason counts. */
  note(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const { remote } = this;
    this.#settings.log('warn', 'connection-refused', `refused a connection from ${remote}: ${reason}`, {
      remote,
      reason,
    });
  }

  /** Says why, and ends it. After `note` alone it ends when the answer is out, or its time. */
  refuse(reason: string): void {
    this.note(reason);
    this.drop();
  }

  drop(): void {
    this.#over = true;
    this.#leave();
    this.#socket.destroy();
  }
}
