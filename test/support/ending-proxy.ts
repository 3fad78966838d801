/**
 * A TCP proxy that lets so many connections through and then ends: a KME that fails in the middle of a block, whose
 * client makes a connection for each request.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface EndingProxy {
  readonly port: number;
  /** Resolves when the last connection that is let through has come. */
  readonly spent: Promise<void>;
  close(): Promise<void>;
}

export async function startEndingProxy(targetPort: number, connections: number): Promise<EndingProxy> {
  const sockets = new Set<Socket>();
  let left = connections;
  let spend = (): void => undefined;
  const spent = new Promise<void>((resolve) => {
    spend = resolve;
  });
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((incoming) => {
    keep(incoming);
    if (left === 0) {
      incoming.destroy();
      return;
    }
    left -= 1;
    if (left === 0) spend();
    const outgoing = connect(targetPort, '127.0.0.1');
    keep(outgoing);
    incoming.pipe(outgoing).pipe(incoming);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    spent,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
