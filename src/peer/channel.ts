/**
 * The authenticated connection between two sites: text frames in order, until it closes.
 *
 * Calling sequence: `attach` once (frames that came earlier are handed over then), `send` at will, `close` once
 * done. Nothing throws: a connection that breaks, falls silent, or is misused says so by `closed`, exactly once,
 * and `send` after that does nothing. After `close` no frame is handed over any more.
 */
import type { QkdSyncError } from '../base/errors.js';

export interface ChannelEvents {
  /** One text frame, as it came; not yet decoded. */
  frame(text: string): void;
  /**
   * No frame will come any more. Undefined after a close by either side that was in order; otherwise `peer-lost`
   * (broken, or silent for too long) or `protocol` (binary or oversized frames, too many at once).
   */
  closed(error: QkdSyncError | undefined): void;
}

/** How the connection is protected, for the log. */
export interface ChannelSecurity {
  readonly method: 'certificates' | 'psk' | 'none';
  /** `TLSv1.3`, or undefined without TLS. */
  readonly version: string | undefined;
  readonly suite: string | undefined;
  /** The key agreement's group; known on the dialling side only. */
  readonly group: string | undefined;
}

export interface Channel {
  /** The site that authenticated itself; undefined where nothing authenticates (`--insecure`). */
  readonly peer: string | undefined;
  /** Address and port of the other end, for the log. */
  readonly remote: string;
  readonly security: ChannelSecurity;
  attach(events: ChannelEvents): void;
  send(frame: string): void;
  /** Closes in order and resolves when the connection is gone, at the latest after some seconds. */
  close(): Promise<void>;
}

/**
 * Opens a channel to a peer: one attempt. Errors: `peer-unreachable` (trying again can help), `peer-refused`,
 * `protocol` (something answers that is not qkd-sync), `config`, `interrupted`.
 */
export type Dial = (signal: AbortSignal) => Promise<Channel>;

export interface Listener {
  readonly host: string;
  /** The port really listened on (another than asked for where that was 0). */
  readonly port: number;
  /** Accepts no more and closes what is open; resolves when all is closed. */
  close(): Promise<void>;
}

/** Listens and hands over each channel whose other end has authenticated itself. Errors: `config` (a credential that cannot be used, an address in use or not ours). */
export type Listen = (accept: (channel: Channel) => void) => Promise<Listener>;
