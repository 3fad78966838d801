/** How a connection is protected, as its TLS socket tells. */
import type { TLSSocket } from 'node:tls';
import type { ChannelSecurity } from './channel.js';

/** The group is known at the dialling end only; Node before OpenSSL 3.5, and some after, cannot name a hybrid one. */
function groupOf(socket: TLSSocket): string | undefined {
  const info = socket.getEphemeralKeyInfo();
  return info !== null && 'name' in info && typeof info.name === 'string' ? info.name : undefined;
}

export function securityOf(socket: TLSSocket, method: ChannelSecurity['method']): ChannelSecurity {
  return {
    method,
    version: socket.getProtocol() ?? undefined,
    suite: socket.getCipher().name,
    group: groupOf(socket),
  };
}
