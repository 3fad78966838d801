/**
 * How two sites prove to each other who they are (docs/protocol.md, "The channel"): one way for a whole site,
 * one identity for each peer.
 *
 * Error contract: `config` where a credential is missing or cannot be used.
 */
import { QkdSyncError } from '../base/errors.js';
import type { Secret } from '../base/key.js';

/** The WebSocket subprotocol; its number is the protocol's. */
export const SUBPROTOCOL = 'qkd-sync.v1';

/** One way to authenticate per site. Certificates and key as PEM text. */
export type ChannelAuth =
  | { readonly kind: 'certificates'; readonly ca: string; readonly cert: string; readonly key: string }
  | { readonly kind: 'psk' }
  | { readonly kind: 'none' };

export interface PeerIdentity {
  readonly site: string;
  /** The name that the peer's certificate must carry. */
  readonly name: string;
  /** The pre-shared key of this direction: the dialling site is its initiator. */
  readonly psk?: Secret | undefined;
}

/** Shorter ones can be guessed offline; 512 bytes are what OpenSSL takes at most. */
const PSK_MIN_BYTES = 32;
const PSK_MAX_BYTES = 512;

/** OpenSSL's bound (PSK_MAX_IDENTITY_LEN). */
const IDENTITY_MAX_BYTES = 256;

/** The TLS-PSK identity of one direction between two sites. */
export function pskIdentity(initiator: string, responder: string): string {
  return `${SUBPROTOCOL}|${initiator}|${responder}`;
}

/** One direction's identity and key, checked. */
export interface PskCredential {
  readonly identity: string;
  readonly psk: Uint8Array;
}

/** The credential of `peer`, where the exchange goes from `initiator` to `responder`; undefined where it has no key. */
export function pskCredential(
  peer: PeerIdentity,
  initiator: string,
  responder: string,
): PskCredential | undefined {
  if (peer.psk === undefined) return undefined;
  const setting = `peers.${peer.site}.pskFile`;
  const { byteLength } = peer.psk;
  if (byteLength < PSK_MIN_BYTES || byteLength > PSK_MAX_BYTES) {
    throw new QkdSyncError('config', `the pre-shared key of ${peer.site} has ${byteLength} bytes`, {
      hint: `${setting} must hold ${PSK_MIN_BYTES} to ${PSK_MAX_BYTES} bytes`,
    });
  }
  const identity = pskIdentity(initiator, responder);
  if (Buffer.byteLength(identity) > IDENTITY_MAX_BYTES) {
    throw new QkdSyncError('config', `the site IDs ${initiator} and ${responder} are too long for TLS-PSK`, {
      hint: `shorten them, or use certificates: "${identity}" has more than ${IDENTITY_MAX_BYTES} bytes`,
    });
  }
  return { identity, psk: peer.psk.reveal() };
}
