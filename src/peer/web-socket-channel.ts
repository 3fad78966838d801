/**
 * A channel over an open WebSocket.
 *
 * Made in the same tick in which the WebSocket opened, or the first frames are lost. Keeps itself alive by pings
 * and ends itself where the other end is silent, does not read, or sends what is no text frame. Whatever a
 * handler of `events` does, `closed` comes once and nothing after it.
 */
import { WebSocket, type RawData } from 'ws';
import type { Clock } from '../base/clock.js';
import { describe, QkdSyncError, systemCode, type ErrorCode } from '../base/errors.js';
import type { Channel, ChannelEvents, ChannelSecurity } from './channel.js';

const PING_EVERY_MS = 5_000;
const SILENCE_MS = 15_000;
/** How long an orderly close may take. */
const CLOSE_MS = 3_000;

/** Before `attach`: an honest peer sends one frame and waits for the answer. */
const WAITING_FRAMES_MAX = 16;

/** Codes of RFC 6455, section 7.4.1. */
const CLOSE_NORMAL = 1000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_NO_TEXT = 1003;
const CLOSE_NO_CODE = 1005;
const CLOSE_BROKEN = 1006;
const CLOSE_VIOLATION = 1008;
const ORDERLY: readonly number[] = [CLOSE_NORMAL, CLOSE_GOING_AWAY, CLOSE_NO_CODE];

export interface WebSocketChannelSettings {
  readonly peer: string | undefined;
  readonly remote: string;
  readonly security: ChannelSecurity;
  /** The largest frame that may come in, and the largest that we send. */
  readonly maxPayloadBytes: number;
  readonly maxSendBytes: number;
  readonly clock: Clock;
  /** How much has come in so far, whole frames or not: a long frame on a slow line is no silence. */
  readonly bytesRead: () => number;
}

export class WebSocketChannel implements Channel {
  readonly peer: string | undefined;
  readonly remote: string;
  readonly security: ChannelSecurity;
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  readonly #maxPayloadBytes: number;
  readonly #maxSendBytes: number;
  readonly #bytesRead: () => number;
  readonly #gone: Promise<void>;
  #events: ChannelEvents | undefined;
  #waiting: string[] = [];
  #waitingLength = 0;
  #heardAtMs: number;
  #bytesSeen: number;
  #closing = false;
  #ended: { readonly error: QkdSyncError | undefined; told: boolean } | undefined;
  #cancelPing: () => void;
  #cancelSilence: () => void;

  constructor(ws: WebSocket, settings: WebSocketChannelSettings) {
    const { peer, remote, security, maxPayloadBytes, maxSendBytes, clock, bytesRead } = settings;
    this.peer = peer;
    this.remote = remote;
    this.security = security;
    this.#ws = ws;
    this.#clock = clock;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#maxSendBytes = maxSendBytes;
    this.#bytesRead = bytesRead;
    this.#bytesSeen = bytesRead();
    this.#heardAtMs = clock.monotonic();
    this.#cancelPing = clock.after(PING_EVERY_MS, this.#ping);
    this.#cancelSilence = clock.after(PING_EVERY_MS, this.#checkSilence);
    ws.on('message', this.#receive);
    ws.on('ping', this.#heard);
    ws.on('pong', this.#heard);
    ws.on('error', this.#failed);
    this.#gone = new Promise((resolve) => {
      ws.once('close', (code, reason) => {
        this.#closed(code, reason.toString());
        resolve();
      });
    });
  }

  attach(events: ChannelEvents): void {
    this.#events = events;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingLength = 0;
    for (const frame of waiting) this.#deliver(frame);
    this.#tell();
  }

  send(frame: string): void {
    if (this.#ended !== undefined || this.#closing) return;
    // A failure to send shows as the end of the connection.
    this.#ws.send(frame, { binary: false, compress: false }, () => undefined);
    this.#checkOutgoing();
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#waiting = [];
      this.#stopWatching();
      this.#hangUp(CLOSE_NORMAL);
    }
    return this.#gone;
  }

  readonly #receive = (data: RawData, isBinary: boolean): void => {
    this.#heard();
    if (this.#ended !== undefined || this.#closing) return;
    if (isBinary) {
      this.#violated('the peer sent a binary frame', CLOSE_NO_TEXT);
      return;
    }
    const frame = textOf(data);
    if (this.#events !== undefined) {
      this.#deliver(frame);
      return;
    }
    this.#waitingLength += frame.length;
    if (this.#waiting.length >= WAITING_FRAMES_MAX || this.#waitingLength > this.#maxPayloadBytes) {
      this.#violated('the peer sent too many frames at once', CLOSE_VIOLATION);
      return;
    }
    this.#waiting.push(frame);
  };

  #deliver(frame: string): void {
    // A frame that came in order before a violation is still good; one after our own close is not wanted.
    if (!this.#closing && this.#ended?.told !== true) this.#events?.frame(frame);
  }

  readonly #heard = (): void => {
    this.#heardAtMs = this.#clock.monotonic();
    this.#bytesSeen = this.#bytesRead();
    this.#checkOutgoing();
  };

  readonly #ping = (): void => {
    this.#cancelPing = this.#clock.after(PING_EVERY_MS, this.#ping);
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping(undefined, undefined, () => undefined);
  };

  readonly #checkSilence = (): void => {
    if (this.#bytesRead() !== this.#bytesSeen) this.#heard();
    const left = this.#heardAtMs + SILENCE_MS - this.#clock.monotonic();
    if (left > 0) this.#cancelSilence = this.#clock.after(Math.min(left, PING_EVERY_MS), this.#checkSilence);
    else this.#lost(`the peer has been silent for ${SILENCE_MS / 1_000} s`);
  };

  /** What we owe the peer waits in our memory, pongs included: one that does not read must not fill it. */
  #checkOutgoing(): void {
    if (this.#ws.bufferedAmount > 4 * this.#maxSendBytes) this.#lost('the peer does not read what we send');
  }

  readonly #failed = (error: Error): void => {
    // ws names what the other end did wrong by codes of its own; what else comes here is the socket's.
    const code: ErrorCode = systemCode(error)?.startsWith('WS_ERR_') === true ? 'protocol' : 'peer-lost';
    const what = code === 'protocol' ? 'the peer broke the WebSocket protocol' : 'the connection broke';
    this.#end(new QkdSyncError(code, `${what}: ${describe(error)}`, { cause: error }));
    this.#terminateSoon();
  };

  #violated(what: string, code: number): void {
    this.#end(new QkdSyncError('protocol', what));
    this.#hangUp(code);
  }

  #lost(why: string): void {
    this.#end(new QkdSyncError('peer-lost', why));
    this.#ws.terminate();
  }

  #closed(code: number, reason: string): void {
    if (ORDERLY.includes(code)) {
      this.#end(undefined);
      return;
    }
    const why =
      code === CLOSE_BROKEN ? 'the connection broke' : `the peer closed the connection with code ${code}`;
    this.#end(new QkdSyncError('peer-lost', describe(reason === '' ? why : `${why}: ${reason}`)));
  }

  #hangUp(code: number): void {
    this.#ws.close(code);
    this.#terminateSoon();
  }

  #terminateSoon(): void {
    if (this.#ws.readyState === WebSocket.CLOSED) return;
    const cancel = this.#clock.after(CLOSE_MS, () => {
      this.#ws.terminate();
    });
    this.#ws.once('close', cancel);
  }

  #end(error: QkdSyncError | undefined): void {
    this.#stopWatching();
    // How the connection goes down after our own close is nobody's concern.
    this.#ended ??= { error: this.#closing ? undefined : error, told: false };
    this.#tell();
  }

  #stopWatching(): void {
    this.#cancelPing();
    this.#cancelSilence();
  }

  #tell(): void {
    if (this.#events === undefined || this.#ended === undefined || this.#ended.told) return;
    this.#ended.told = true;
    this.#events.closed(this.#ended.error);
  }
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)).toString('utf8');
}
