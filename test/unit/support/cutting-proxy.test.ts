/** What a proxy that cuts at a message lets through of it. */
import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { startCuttingProxy, type Cut } from '../../support/cutting-proxy.js';

const HEAD = 'GET / HTTP/1.1\r\n\r\n';
const MESSAGE = JSON.stringify({ type: 'ACK', id: '5a'.repeat(16) });
const FRAME = Buffer.concat([Buffer.of(0x81, MESSAGE.length), Buffer.from(MESSAGE)]);

it.each<[Cut['how'], number]>([
  ['before', 0],
  ['half', Math.floor(FRAME.length / 2)],
  ['after', FRAME.length],
])('%s: so much of the frame and no more, and then the end', async (how, passed) => {
  const server = createServer().listen(0, '127.0.0.1');
  const received = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.once('close', () => {
        resolve(Buffer.concat(chunks));
      });
    });
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await startCuttingProxy(port, [{ from: 'initiator', message: 'ACK', how }]);
  const client = connect(proxy.port, '127.0.0.1');
  client.write(Buffer.concat([Buffer.from(HEAD), FRAME]));
  expect(await received).toEqual(Buffer.concat([Buffer.from(HEAD), FRAME.subarray(0, passed)]));
  expect(proxy.seen).toEqual(['> ACK']);
  client.destroy();
  await proxy.close();
  server.close();
});
