/** What undici tells before it writes: as long as `onSent` has not been called, no byte of a request has gone out. */
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from 'undici';
import { systemClock } from '../../../src/base/clock.js';
import { fetchBy } from '../../../src/kme/dispatch.js';
import { sendOnce } from '../../../src/kme/http.js';
import type { Sending } from '../../../src/kme/http.js';
import { agentOptions } from '../../../src/kme/tls.js';
import type { KmeTls } from '../../../src/kme/tls.js';
import { makeTestCa } from '../../support/certificates.js';
import type { Credentials, Subject, TestCa } from '../../support/certificates.js';

const never = new AbortController().signal;
const cleanUps: (() => Promise<unknown>)[] = [];
let ca: TestCa;
let other: TestCa;

beforeAll(async () => {
  [ca, other] = await Promise.all([makeTestCa('test CA'), makeTestCa('other CA')]);
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A server that does `answer` once something has come. */
async function rawServer(answer: (socket: Socket) => unknown): Promise<string> {
  const server = createServer((socket) => socket.once('data', () => answer(socket)));
  return `127.0.0.1:${await listen(server)}/`;
}

async function send(url: string, tls: KmeTls = {}, timeoutMs = 5_000): Promise<Sending> {
  const agent = new Agent(agentOptions(tls, timeoutMs));
  cleanUps.push(() => agent.destroy());
  const request = { method: 'POST', url: new URL(url), body: '{}', maxBytes: 1_000 } as const;
  return sendOnce({ fetch: fetchBy(agent), clock: systemClock, timeoutMs }, request, never);
}

/** A server that counts the requests that it has seen. */
async function secureServer(options: object): Promise<{ url: string; seen: () => number }> {
  let seen = 0;
  const server = createTlsServer(options, (_request, response) => {
    seen += 1;
    response.end('{}');
  });
  return { url: `https://127.0.0.1:${await listen(server)}/`, seen: () => seen };
}

const issue = (issuer: TestCa, more: Partial<Subject> = {}): Promise<Credentials> =>
  issuer.issue({ commonName: 'kme', san: [{ type: 'ip', value: '127.0.0.1' }], ...more });

describe('nothing is sent', () => {
  test.each([
    ['to a port that nobody listens on', 'https://127.0.0.1:1/'],
    ['to a host that has no address', 'https://kme.invalid/'],
  ])('%s', async (_name, url) => {
    expect(await send(url)).toMatchObject({ came: 'unsent', error: { code: 'kme-unreachable' } });
  });

  test.each([
    ['of an unknown CA', () => issue(other)],
    ['that has expired', () => issue(ca, { notBefore: new Date(1e12), notAfter: new Date(1.1e12) })],
    ['of another name', () => issue(ca, { san: [{ type: 'ip', value: '10.0.0.1' }] })],
  ])('to a KME with a certificate %s', async (_name, make) => {
    const { url, seen } = await secureServer(await make());
    const sending = await send(url, { ca: ca.cert });
    expect(sending).toMatchObject({ came: 'unsent', error: { code: 'kme-unreachable' } });
    expect(seen()).toBe(0);
  });

  test('to a KME that refuses our certificate by an alert', async () => {
    const options = { requestCert: true, rejectUnauthorized: true, ca: ca.cert, maxVersion: 'TLSv1.2' };
    const { url, seen } = await secureServer({ ...(await issue(ca)), ...options });
    const sending = await send(url, { ca: ca.cert });
    expect(sending).toMatchObject({ came: 'unsent', error: { code: 'kme-refused' } });
    expect(seen()).toBe(0);
  });

  test('where the handshake of TLS hangs until the time is up', async () => {
    const bytes: Buffer[] = [];
    const port = await listen(createServer((socket) => socket.on('data', (data) => bytes.push(data))));
    const sending = await send(`https://127.0.0.1:${port}/`, {}, 200);
    expect(sending).toMatchObject({
      came: 'unsent',
      error: { code: 'kme-unreachable', message: expect.stringContaining('no connection') },
    });
    expect(Buffer.concat(bytes).includes('POST')).toBe(false);
  });

  test('where the connection breaks within the handshake', async () => {
    const url = await rawServer((socket) => socket.destroy());
    expect(await send(`https://${url}`)).toMatchObject({ came: 'unsent' });
  });
});

describe('something is sent', () => {
  const CUT = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{';

  test.each([
    ['and nobody answers', (): void => undefined, 'no answer'],
    ['and the connection ends', (socket: Socket) => socket.end(), 'broke the connection'],
    ['and the connection is reset', (socket: Socket) => socket.resetAndDestroy(), 'broke the connection'],
    ['and the answer is cut', (socket: Socket) => socket.end(CUT), 'broke the connection'],
  ])('%s: lost', async (_name, answer, message) => {
    const url = await rawServer(answer);
    expect(await send(`http://${url}`, {}, 300)).toMatchObject({
      came: 'lost',
      error: { code: 'kme-unreachable', message: expect.stringContaining(message) },
    });
  });

  test('and an error comes that is cut: its status counts, and the first of two headers', async () => {
    const headers = 'content-length: 99\r\nretry-after: 7\r\nretry-after: 9';
    const url = await rawServer((socket) => socket.end(`HTTP/1.1 503 Busy\r\n${headers}\r\n\r\nno keys`));
    expect(await send(`http://${url}`)).toMatchObject({
      came: 'answered',
      answer: { status: 503, retryAfter: '7', body: Buffer.from('no keys') },
    });
  });

  test('and 100 comes before the answer, which undici does not take: lost', async () => {
    const url = await rawServer((socket) =>
      socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'),
    );
    expect(await send(`http://${url}`)).toMatchObject({
      came: 'lost',
      error: {
        code: 'kme-answer',
        message: `the KME answered with HTTP 100, which nobody asked for (http://${url.slice(0, -1)})`,
        hint: expect.stringContaining('kme.method'),
      },
    });
  });

  test('and other 1xx come before the answer', async () => {
    const early = 'HTTP/1.1 103 Early\r\nlink: x\r\n\r\n';
    const url = await rawServer((socket) =>
      socket.end(`${early}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`),
    );
    expect(await send(`http://${url}`)).toMatchObject({ came: 'answered', answer: { status: 200 } });
  });
});
