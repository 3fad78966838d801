/**
 * Listens for peers and hands over a channel for each that has authenticated itself.
 *
 * An incoming connection is *pending* from TCP to the end of its upgrade, with a deadline for TLS and one for the
 * upgrade. Whatever goes wrong with it is logged with its address and ends only this connection.
 *
 * Errors: `config` (a credential is missing or unusable, the address is in use, not ours, or not loopback where
 * nothing authenticates).
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../base/clock.js';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { authority, isLoopback, systemResolve, type Resolve } from './address.js';
import { admit, admitPlain, type Admitted } from './admission.js';
import type { Channel, Listen, Listener } from './channel.js';
import type { ChannelAuth, PeerIdentity } from './credentials.js';
import { PendingConnections, type PendingConnection } from './pending.js';
import { Reception } from './reception.js';
import { listenOptions, type ListenTls } from './tls.js';
import { WebSocketChannel } from './web-socket-channel.js';

export interface ListenSettings {
  readonly site: string;
  readonly peers: readonly PeerIdentity[];
  /** Name or address; undefined for all addresses of this machine. */
  readonly host?: string | undefined;
  /** 0 for one that is free. */
  readonly port: number;
  readonly auth: ChannelAuth;
  readonly requireHybrid: boolean;
  /** For TLS, and again for the upgrade. */
  readonly handshakeTimeoutMs?: number;
  readonly maxPayloadBytes: number;
  readonly maxSendBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly resolve?: Resolve;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** A peer needs one; more are its reconnections. */
const CHANNELS_MAX = 32;

export function createListen(settings: ListenSettings): Listen {
  return async (accept) => {
    const { site, peers, auth, requireHybrid } = settings;
    const tls = auth.kind === 'none' ? undefined : listenOptions({ site, auth, requireHybrid }, peers);
    const host = tls === undefined ? await loopbackAddress(settings) : settings.host;
    const door = new Door(settings, tls, accept);
    return door.open(host);
  };
}

/** How long a connection may take to come to its end when the listener closes, in milliseconds. */
const CLOSE_GRACE_MS = 1_000;

class Door {
  readonly #settings: ListenSettings;
  readonly #tls: ListenTls | undefined;
  readonly #accept: (channel: Channel) => void;
  readonly #server: Server;
  readonly #reception: Reception;
  readonly #pending: PendingConnections;
  readonly #channels = new Set<Channel>();
  #closing = false;

  constructor(settings: ListenSettings, tls: ListenTls | undefined, accept: (channel: Channel) => void) {
    this.#settings = settings;
    this.#tls = tls;
    this.#accept = accept;
    const { clock, log, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = settings;
    this.#pending = new PendingConnections({ timeoutMs: handshakeTimeoutMs, clock, log });
    this.#reception = new Reception(settings.maxPayloadBytes);
    this.#server = createServer({ noDelay: true, keepAlive: true }, (raw) => {
      this.#come(raw);
    });
  }

  open(host: string | undefined): Promise<Listener> {
    const { port, log } = this.#settings;
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        reject(listenError(host, port, error));
      };
      this.#server.once('error', failed);
      this.#server.listen({ port, ...(host !== undefined && { host }) }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => {
          log('error', 'listener-failed', `cannot take a connection: ${describe(error)}`);
        });
        const bound = this.#server.address();
        const address = typeof bound === 'object' && bound !== null ? bound : { address: '', port };
        resolve({ host: host ?? address.address, port: address.port, close: () => this.#close() });
      });
    });
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    // Who is on the way in hears that nobody answers here any more, and not a hang-up that looks like a refusal.
    this.#closing = true;
    await this.#pending.clear(CLOSE_GRACE_MS);
    await Promise.all([...this.#channels].map((channel) => channel.close()));
    await closed;
  }

  #come(raw: Socket): void {
    const pending = this.#pending.take(raw);
    if (this.#tls === undefined) {
      this.#receive(pending, admitPlain(raw));
      return;
    }
    pending.arm('TLS handshake');
    admit(raw, this.#tls, this.#settings.peers, {
      admitted: (admitted) => {
        this.#receive(pending, admitted);
      },
      refused: (reason) => {
        pending.refuse(reason);
      },
    });
  }

  #receive(pending: PendingConnection, admitted: Admitted): void {
    pending.arm('WebSocket upgrade');
    admitted.socket.on('error', () => undefined);
    admitted.socket.once('close', () => {
      pending.note('it hung up before its upgrade');
    });
    this.#reception.receive({
      admitted,
      turnedAway: () => this.#turnedAway(),
      refused: (reason) => {
        pending.note(reason);
      },
      upgraded: (ws) => {
        this.#welcome(pending, admitted, ws);
      },
    });
  }

  /** Why nobody more can come in. */
  #turnedAway(): string | undefined {
    if (this.#closing) return 'this responder is ending';
    return this.#channels.size < CHANNELS_MAX ? undefined : 'too many channels are open';
  }

  #welcome(pending: PendingConnection, { socket, security, peer }: Admitted, ws: WebSocket): void {
    if (!pending.finish()) {
      ws.terminate();
      return;
    }
    const { maxPayloadBytes, maxSendBytes, clock, log } = this.#settings;
    const { remote } = pending;
    const bytesRead = (): number => socket.bytesRead;
    const channel = new WebSocketChannel(ws, {
      peer: peer?.site,
      remote,
      security,
      maxPayloadBytes,
      maxSendBytes,
      clock,
      bytesRead,
    });
    this.#channels.add(channel);
    ws.once('close', () => {
      this.#channels.delete(channel);
    });
    log('step', 'peer-connected', `${peer?.site ?? 'somebody'} connected from ${remote}`, {
      peer: peer?.site,
      remote,
      ...security,
    });
    this.#accept(channel);
  }
}

/** The one address to listen on where nothing authenticates. */
async function loopbackAddress({ host, resolve = systemResolve }: ListenSettings): Promise<string> {
  const addresses = host === undefined ? [] : await resolve(host).catch(() => []);
  const [first] = addresses;
  if (first !== undefined && addresses.every(isLoopback)) return first.address;
  throw new QkdSyncError('config', `${host ?? 'the set of all addresses'} is not this machine alone`, {
    hint: 'with --insecure listen on a loopback address (--listen 127.0.0.1:7000), or set channel or pskFile',
  });
}

function listenError(host: string | undefined, port: number, cause: Error): QkdSyncError {
  const code = systemCode(cause) ?? describe(cause);
  const where = host === undefined ? `port ${port}` : authority(host, port);
  return new QkdSyncError('config', `cannot listen on ${where}: ${code}`, { hint: hintFor(code), cause });
}

function hintFor(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another program has this port, maybe another "qkd-sync respond": choose another with --listen';
    case 'EACCES':
      return 'ports below 1024 need privileges: choose a higher one with --listen';
    default:
      return 'see --listen: the host must be a name or address of this machine';
  }
}
