/**
 * Dials a peer, once: TCP, TLS, proof of who answers, upgrade to a WebSocket.
 *
 * The TLS socket is made here and handed to ws when the peer has authenticated itself, so that nothing of ours
 * goes to anyone else. All steps together have one deadline. Whoever wants to try again for a while
 * (`connectWait`) calls again.
 *
 * Errors: `peer-unreachable` (try again), `peer-refused`, `protocol` (something answers that is not qkd-sync),
 * `config`, `interrupted`.
 */
import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import { QkdSyncError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { authority, isLoopback, systemResolve, type Resolve } from './address.js';
import type { Channel, ChannelSecurity, Dial } from './channel.js';
import { SUBPROTOCOL, type ChannelAuth, type PeerIdentity } from './credentials.js';
import {
  dialError,
  dialHangUp,
  httpError,
  refused,
  unreachable,
  type DialStep,
  type DialTarget,
} from './dial-error.js';
import { securityOf } from './security.js';
import { dialOptions, unproven } from './tls.js';
import { WebSocketChannel } from './web-socket-channel.js';

export interface DialSettings {
  readonly site: string;
  readonly peer: PeerIdentity;
  readonly host: string;
  readonly port: number;
  readonly auth: ChannelAuth;
  readonly requireHybrid: boolean;
  /** For all steps together. */
  readonly connectTimeoutMs?: number;
  /** The largest frame that may come in, and the largest that we send. */
  readonly maxPayloadBytes: number;
  readonly maxSendBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly resolve?: Resolve;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** How long each of several addresses has before the next is tried too: Node's 250 ms are short for a far peer. */
const NEXT_ADDRESS_MS = 1_000;

export function createDial(settings: DialSettings): Dial {
  return async (signal) => {
    if (signal.aborted) throw new QkdSyncError('interrupted', 'interrupted');
    const channel = await new Attempt(settings, signal).channel;
    const { method, version, suite, group } = channel.security;
    settings.log('step', 'peer-connected', `connected to ${settings.peer.site} at ${channel.remote}`, {
      peer: settings.peer.site,
      remote: channel.remote,
      method,
      version,
      suite,
      group,
    });
    return channel;
  };
}

class Attempt {
  readonly channel: Promise<Channel>;
  readonly #settings: DialSettings;
  readonly #target: DialTarget;
  readonly #stopWaiting: () => void;
  #resolve: (channel: Channel) => void = () => undefined;
  #reject: (error: QkdSyncError) => void = () => undefined;
  #settled = false;
  #step: DialStep = 'resolve';
  #socket: Socket | undefined;

  constructor(settings: DialSettings, signal: AbortSignal) {
    const { site, peer, host, port, auth, clock, connectTimeoutMs = CONNECT_TIMEOUT_MS } = settings;
    this.#settings = settings;
    this.#target = { site, peer, where: authority(host, port), kind: auth.kind };
    this.channel = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const interrupt = (): void => {
      this.#fail(new QkdSyncError('interrupted', 'interrupted'));
    };
    signal.addEventListener('abort', interrupt, { once: true });
    const cancel = clock.after(connectTimeoutMs, () => {
      this.#fail(unreachable(this.#target, `no answer within ${formatDuration(connectTimeoutMs)}`));
    });
    this.#stopWaiting = () => {
      cancel();
      signal.removeEventListener('abort', interrupt);
    };
    this.#start().catch((error: unknown) => {
      this.#broke(error);
    });
  }

  /** Settings that cannot work are said before anything is looked up or sent. */
  async #start(): Promise<void> {
    const { host, peer, auth, requireHybrid, site, resolve = systemResolve } = this.#settings;
    const secure = auth.kind === 'none' ? undefined : dialOptions({ site, auth, requireHybrid }, peer);
    const addresses = await resolve(host);
    if (this.#settled) return;
    if (secure === undefined) requireLoopback(host, addresses);
    const tcp = this.#connect(addresses);
    tcp.once('connect', () => {
      if (secure === undefined) {
        this.#upgrade(tcp, { method: 'none', version: undefined, suite: undefined, group: undefined });
      } else {
        this.#step = 'tls';
        this.#secure(connectTls({ ...secure, socket: tcp }));
      }
    });
  }

  #connect(addresses: LookupAddress[]): Socket {
    this.#step = 'connect';
    const { host, port } = this.#settings;
    // The addresses that were checked, and not those of a second look-up.
    const lookup: LookupFunction = (_host, _options, done) => {
      done(null, addresses);
    };
    const tcp = connectTcp({
      host,
      port,
      lookup,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      noDelay: true,
      keepAlive: true,
    });
    this.#watch(tcp);
    return tcp;
  }

  #secure(socket: TLSSocket): void {
    this.#watch(socket);
    socket.once('secureConnect', () => {
      const { kind } = this.#settings.auth;
      const problem = kind === 'none' ? undefined : unproven(socket, kind);
      if (problem === undefined) this.#upgrade(socket, securityOf(socket, kind));
      else this.#fail(refused(this.#target, problem));
    });
  }

  #upgrade(socket: Socket, security: ChannelSecurity): void {
    this.#step = 'upgrade';
    const { host, port, peer, auth, maxPayloadBytes, maxSendBytes, clock } = this.#settings;
    const ws = new WebSocket(`${auth.kind === 'none' ? 'ws' : 'wss'}://peer/`, [SUBPROTOCOL], {
      createConnection: () => socket,
      headers: { Host: authority(host, port) },
      perMessageDeflate: false,
      maxPayload: maxPayloadBytes,
    });
    ws.on('error', (error) => {
      this.#broke(error);
    });
    ws.on('unexpected-response', (_request, response) => {
      this.#fail(httpError(this.#target, response.statusCode ?? 0));
    });
    ws.once('open', () => {
      if (this.#settled) return;
      this.#settle();
      const remote = authority(socket.remoteAddress, socket.remotePort);
      const bytesRead = (): number => socket.bytesRead;
      const claimed = auth.kind === 'none' ? undefined : peer.site;
      this.#resolve(
        new WebSocketChannel(ws, {
          peer: claimed,
          remote,
          security,
          maxPayloadBytes,
          maxSendBytes,
          clock,
          bytesRead,
        }),
      );
    });
  }

  #watch(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#broke(error);
    });
    socket.once('close', () => {
      this.#fail(dialHangUp(this.#target, this.#step));
    });
  }

  #broke(error: unknown): void {
    const tls = this.#socket instanceof TLSSocket ? this.#socket : undefined;
    this.#fail(dialError(this.#target, this.#step, error, tls));
  }

  #fail(error: QkdSyncError): void {
    if (this.#settled) return;
    this.#settle();
    this.#socket?.destroy();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.#stopWaiting();
  }
}

function requireLoopback(host: string, addresses: readonly LookupAddress[]): void {
  if (addresses.length > 0 && addresses.every(isLoopback)) return;
  throw new QkdSyncError('config', `${host} is not this machine, and without credentials nothing leaves it`, {
    hint: '--insecure is for loopback addresses only; for others set channel (certificates) or pskFile',
  });
}
