/** Name service, TCP and TLS of this machine, as `doctor` uses them. */
import type { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { agentOptions } from '../kme/tls.js';
import type { KmeTls } from '../kme/tls.js';
import type { Network, Target, TlsSight } from './ports.js';

/** Longer than any chain is; a certificate may be its own issuer. */
const CHAIN_MAX = 10;

export const nodeNetwork: Network = {
  lookup: async (host) => {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  },

  connect: async ({ host, port }, signal) => {
    const socket = connect({ host, port });
    try {
      await open(socket, 'connect', signal);
      return socket.remoteAddress ?? host;
    } finally {
      socket.destroy();
    }
  },

  connectTls: async (target, tls, signal) => {
    const socket = connectTls(optionsFor(target, tls));
    try {
      await open(socket, 'secureConnect', signal);
      return sightOf(socket);
    } finally {
      socket.destroy();
    }
  },
};

/** As the client connects, but for the one thing that this is about: the other side's certificate is not judged yet. */
function optionsFor({ host, port }: Target, tls: KmeTls): ConnectionOptions {
  const { connect: options } = agentOptions(tls, 0);
  return {
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(options as ConnectionOptions),
    host,
    port,
    // Nothing is said on this connection.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  };
}

async function open(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  // What goes wrong afterwards no longer matters, but must have a listener.
  socket.on('error', () => undefined);
  const onAbort = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', onAbort);
  try {
    await once(socket, event, { signal });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function sightOf(socket: TLSSocket): TlsSight {
  const chain: X509Certificate[] = [];
  for (
    let next = socket.getPeerX509Certificate();
    next !== undefined &&
    chain.length < CHAIN_MAX &&
    !chain.some(({ raw }) => next?.raw.equals(raw) === true);
    next = next.issuerCertificate
  ) {
    chain.push(next);
  }
  return {
    protocol: socket.getProtocol() ?? 'an unknown version',
    chain,
    own: socket.getX509Certificate(),
    // Node sets a code here, whatever its type says; null where all is well.
    distrust: (socket.authorizationError as Error | string | null)?.toString() ?? undefined,
  };
}
