import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import * as net from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { Kme } from '../../../src/kme/kme.js';
import { allOf, errorOf, makeTestClient, spellings, TIMEOUT_MS } from '../../support/kme-client.js';
import type { TestClient } from '../../support/kme-client.js';

const never = new AbortController().signal;
const SECRET = Buffer.from('0123456789abcdef0123456789ABCDEF');
const CONTAINER = JSON.stringify({ keys: [{ key_ID: 'a', key: SECRET.toString('base64') }] });
const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function clientOf(server: Server): Promise<TestClient> {
  const client = makeTestClient({ url: await listen(server), waitMs: 60_000 });
  cleanUps.push(() => client.kme.close());
  return client;
}

/** A server that does `answer` once a whole request has come. */
function rawServer(answer: (socket: Socket) => void): { server: Server; asked: () => number } {
  let asked = 0;
  const server = net.createServer((socket) => {
    socket.on('data', (data) => {
      if (!data.includes('}')) return;
      asked += 1;
      answer(socket);
    });
  });
  return { server, asked: () => asked };
}

const draw = (kme: Kme, signal = never): Promise<unknown> =>
  kme.getKey('sae-b', { number: 1, size: 256 }, signal);

test.each([
  ['before the answer', ''],
  ['within the headers', 'HTTP/1.1 200 OK\r\ncontent-'],
  ['within the body', `HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n${CONTAINER}`],
])('a KME that hangs %s: the deadline ends it, and it is not asked again', async (_name, start) => {
  const { promise, resolve } = withResolvers();
  let closed: Promise<unknown> = Promise.resolve();
  const { server, asked } = rawServer((socket) => {
    closed = closeOf(socket);
    socket.write(start, resolve);
  });
  const { kme, clock } = await clientOf(server);
  const drawn = errorOf(draw(kme));
  await promise;
  clock.advance(TIMEOUT_MS - 1);
  expect(clock.pending).toBe(1);
  clock.advance(1);
  const error = await drawn;
  expect(error).toMatchObject({ code: 'kme-unreachable', message: expect.stringContaining('no answer') });
  expect(error.hint).toContain('kme.timeout');
  expectNoKey(error);
  await closed;
  expect(asked()).toBe(1);
});

test.each([
  ['before the answer', ''],
  ['within the body', `HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n${CONTAINER}`],
])('the signal ends a request %s', async (_name, start) => {
  const abort = new AbortController();
  let closed: Promise<unknown> = Promise.resolve();
  const { server } = rawServer((socket) => {
    closed = closeOf(socket);
    socket.write(start, () => {
      abort.abort();
    });
  });
  const { kme, clock } = await clientOf(server);
  const error = await errorOf(draw(kme, abort.signal));
  expect(error.code).toBe('interrupted');
  expect(clock.pending).toBe(0);
  await closed;
});

test('a signal that was given before: nothing is sent', async () => {
  const { server, asked } = rawServer(() => undefined);
  const { kme } = await clientOf(server);
  expect((await errorOf(draw(kme, AbortSignal.abort()))).code).toBe('interrupted');
  expect(asked()).toBe(0);
});

test.each([
  ['without an end', 'HTTP/1.1 200 OK\r\n\r\n', 'kme-answer', /longer than/],
  ['as an error', 'HTTP/1.1 500 Oh\r\n\r\n', 'kme-empty', /HTTP 500: (?:no ){66}no…/],
  ['in the headers', 'HTTP/1.1 200 OK\r\nx: ', 'kme-answer', /not proper HTTP/],
])('a KME that floods %s is cut off', async (_name, start, code, message) => {
  let closed: Promise<unknown> = Promise.resolve();
  const { server, asked } = rawServer((socket) => {
    closed = closeOf(socket);
    const flood = (): void => {
      while (!socket.destroyed && socket.write('no '.repeat(5_461)));
    };
    socket.on('drain', flood);
    socket.write(start);
    flood();
  });
  const { kme } = await clientOf(server);
  const error = await errorOf(draw(kme));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  await closed;
  // An error is a no, however long it is: asked again.
  if (code !== 'kme-empty') expect(asked()).toBe(1);
});

test.each([
  ['before the answer', '', 'kme-unreachable', /broke the connection/],
  [
    'within the body',
    `HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n${CONTAINER}`,
    'kme-unreachable',
    /broke the connection/,
  ],
  [
    'within a chunk',
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n400\r\n${CONTAINER}`,
    'kme-unreachable',
    /broke the connection/,
  ],
  [
    'after a chunk that is none',
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${CONTAINER}`,
    'kme-answer',
    /not proper HTTP/,
  ],
  ['without any HTTP', CONTAINER, 'kme-answer', /not proper HTTP/],
])('a KME that cuts %s is not asked again', async (_name, start, code, message) => {
  const { server, asked } = rawServer((socket) => socket.end(start));
  const { kme } = await clientOf(server);
  const error = await errorOf(draw(kme));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expectNoKey(error);
  expect(asked()).toBe(1);
});

test('each request has a connection of its own', async () => {
  const requests: IncomingMessage[] = [];
  const answer: RequestListener = (request, response) => {
    requests.push(request);
    response.end(CONTAINER);
  };
  const { kme } = await clientOf(createServer(answer));
  await draw(kme);
  await draw(kme);
  expect(requests.map(({ headers }) => headers.connection)).toEqual(['close', 'close']);
  expect(new Set(requests.map(({ socket }) => socket)).size).toBe(2);
});

test('nobody listens', async () => {
  const server = net.createServer();
  const url = await listen(server);
  await cleanUps.pop()?.();
  const { kme } = makeTestClient({ url });
  const error = await errorOf(draw(kme));
  expect(error).toMatchObject({ code: 'kme-unreachable', message: `the KME refuses connections (${url})` });
  expect(error.hint).toContain('kme.url');
});

/** Unlike `once`, takes a reset for a close too. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('close', () => {
      resolve();
    });
  });
}

test('https to a port that does not speak TLS', async () => {
  const url = await listen(createServer());
  const { kme } = makeTestClient({ url: url.replace('http:', 'https:') });
  const error = await errorOf(draw(kme));
  expect(error).toMatchObject({ code: 'kme-unreachable', message: expect.stringContaining('not speak TLS') });
  await kme.close();
});

function expectNoKey(error: unknown): void {
  for (const spelling of spellings(SECRET)) expect(allOf(error)).not.toContain(spelling);
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
