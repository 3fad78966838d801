/**
 * One incoming connection's way through TLS: it is handed on when its other end has authenticated itself, or it
 * is destroyed and the reason is logged.
 *
 * Each connection has a TLS server of its own, which never listens. So every event and every claimed identity
 * belongs to exactly one connection, whose address is known even after it has gone; and no session of one
 * connection can be resumed by another, as nothing is shared between them.
 */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { clean } from '../base/errors.js';
import { certificateNames, peerNamed } from './certificate-names.js';
import type { ChannelSecurity } from './channel.js';
import type { PeerIdentity } from './credentials.js';
import { reasonOf } from './reason.js';
import { securityOf } from './security.js';
import { unproven, type ListenTls } from './tls.js';

/** A connection whose other end holds credentials that we trust. */
export interface Admitted {
  readonly socket: Socket;
  readonly security: ChannelSecurity;
  /** Whose credentials they are; undefined where nothing authenticates. */
  readonly peer: PeerIdentity | undefined;
  /** Set where the credentials are good and yet no one peer's: how they call their owner. */
  readonly stranger?: string | undefined;
}

export interface AdmissionEvents {
  admitted(admitted: Admitted): void;
  /** The other end has no credentials, or no good ones. */
  refused(reason: string): void;
}

export function admitPlain(socket: Socket): Admitted {
  const security = { method: 'none', version: undefined, suite: undefined, group: undefined } as const;
  return { socket, security, peer: undefined };
}

/** Speaks TLS on `raw` and reports one of `events`; none where `raw` is destroyed meanwhile. */
export function admit(
  raw: Socket,
  { kind, options, pskTable }: ListenTls,
  peers: readonly PeerIdentity[],
  events: AdmissionEvents,
): void {
  let claimed: string | undefined;
  let pskPeer: PeerIdentity | undefined;
  const server = createServer({
    ...options,
    ...(pskTable !== undefined && {
      pskCallback: (_socket: TLSSocket, identity: string) => {
        claimed = identity;
        const entry = pskTable.find(identity);
        pskPeer = entry?.peer;
        return entry?.psk ?? null;
      },
    }),
  });
  server.once('tlsClientError', (error, socket) => {
    // Node ends a connection because of its certificate with no more than a hang-up as the error.
    const verdict: unknown = socket.authorizationError;
    const reason =
      typeof verdict === 'string' ? `its certificate is not trusted: ${verdict}` : reasonOf(error);
    events.refused(claimed === undefined ? reason : `${reason} (it claims to be ${clean(claimed)})`);
  });
  server.once('secureConnection', (socket) => {
    const problem = unproven(socket, kind);
    if (problem !== undefined) {
      events.refused(problem);
      return;
    }
    const security = securityOf(socket, kind);
    if (kind === 'psk') {
      events.admitted({ socket, security, peer: pskPeer, stranger: pskPeer ? undefined : 'nobody' });
      return;
    }
    const names = certificateNames(socket.getPeerCertificate());
    const peer = peerNamed(names, peers);
    const stranger = peer === undefined ? names.join(', ') || 'nobody' : undefined;
    events.admitted({ socket, security, peer, stranger });
  });
  server.emit('connection', raw);
}
