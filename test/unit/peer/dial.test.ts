import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { ManualClock } from '../../support/manual-clock.js';
import { B, certificatePair, dial, failure, newPsk, NONE, PSK, Sites } from '../../support/site-channel.js';
import type { CertificatePair } from '../../support/site-channel.js';

const sites = new Sites();
const servers: Server[] = [];
const sockets: Socket[] = [];
let pair: CertificatePair;

beforeAll(async () => {
  pair = await certificatePair();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(
    servers.splice(0).map(
      (server) =>
        new Promise<void>((resolve) =>
          server.close(() => {
            resolve();
          }),
        ),
    ),
  );
  await sites.close();
});

/** Something else that listens where B should. */
async function elsewhere(server: Server | HttpServer): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A TLS server with B's certificate that does `act` with each connection. */
function asB(act: (socket: Socket) => void): Promise<number> {
  const { ca, cert, key } = pair.b;
  return elsewhere(
    createTlsServer({ ca, cert, key, requestCert: true }, (socket) => {
      socket.on('error', () => undefined);
      act(socket);
    }),
  );
}

/** Answers the first request with this text. */
function answering(text: string): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => socket.end(text));
  };
}

describe('peer-unreachable', () => {
  test('nobody listens', async () => {
    const port = await elsewhere(createTcpServer());
    await new Promise<void>((resolve) =>
      servers.splice(0)[0]?.close(() => {
        resolve();
      }),
    );
    expect(await failure(dial(port, { auth: pair.a }))).toMatchObject({
      code: 'peer-unreachable',
      message: `cannot reach B at 127.0.0.1:${port}: ECONNREFUSED`,
      hint: expect.stringContaining('qkd-sync respond'),
    });
  });

  test('the name has no address', async () => {
    const resolve = (): Promise<never> =>
      Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
    expect(await failure(dial(7000, { auth: pair.a, host: 'b.invalid', resolve }))).toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('ENOTFOUND'),
      hint: expect.stringContaining('peers.B.address'),
    });
  });

  test.each([
    [
      'TCP but never TLS',
      (heard: () => void) => elsewhere(createTcpServer((socket) => socket.once('data', heard))),
    ],
    ['TLS but never answers the upgrade', (heard: () => void) => asB((socket) => socket.once('data', heard))],
  ])('it speaks %s: the one deadline ends it', async (_what, listen) => {
    const clock = new ManualClock();
    let attempt: Promise<unknown> = Promise.resolve();
    await new Promise<void>((resolve) => {
      attempt = listen(resolve).then((port) => failure(dial(port, { auth: pair.a, clock })));
    });
    clock.advance(9_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await attempt).toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('no answer within 10 s'),
    });
    expect(clock.pending).toBe(0);
  });

  test('a look-up that hangs', async () => {
    const clock = new ManualClock();
    const attempt = failure(dial(1, { auth: pair.a, clock, resolve: () => new Promise(() => undefined) }));
    clock.advance(10_000);
    expect((await attempt).code).toBe('peer-unreachable');
  });

  test('it hangs up before TLS', async () => {
    const port = await elsewhere(createTcpServer((socket) => socket.destroy()));
    expect((await failure(dial(port, { auth: pair.a }))).code).toBe('peer-unreachable');
  });

  test('it answers 503', async () => {
    const port = await asB(answering('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'));
    expect((await failure(dial(port, { auth: pair.a }))).code).toBe('peer-unreachable');
  });
});

describe('peer-refused', () => {
  test.each([
    ['hangs up', (socket: Socket): unknown => socket.once('data', () => socket.destroy())],
    ['resets', (socket: Socket): unknown => socket.once('data', () => sockets[0]?.resetAndDestroy())],
    ['answers 401', answering('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')],
    ['answers 403', answering('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')],
  ])('after TLS it %s', async (_what, act) => {
    expect(await failure(dial(await asB(act), { auth: pair.a }))).toMatchObject({
      code: 'peer-refused',
      hint: expect.stringContaining('channel.ca'),
    });
  });

  test('a certificate answers where a pre-shared key was asked for, and gets nothing from us', async () => {
    const heard: Buffer[] = [];
    const port = await asB((socket) => socket.on('data', (chunk: Buffer) => heard.push(chunk)));
    expect(await failure(dial(port, { auth: PSK, peer: { ...B, psk: newPsk() } }))).toMatchObject({
      code: 'peer-refused',
      message: expect.stringContaining('certificate'),
    });
    expect(heard).toEqual([]);
  });
});

describe('protocol: something else listens', () => {
  test('a web server behind TLS', async () => {
    const port = await asB(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    expect(await failure(dial(port, { auth: pair.a }))).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('HTTP 200'),
    });
  });

  test('what is no HTTP', async () => {
    const port = await asB(answering('220 mail.example ESMTP\r\n'));
    expect((await failure(dial(port, { auth: pair.a }))).code).toBe('protocol');
  });

  test('a server without TLS', async () => {
    const port = await elsewhere(createHttpServer());
    expect(await failure(dial(port, { auth: pair.a }))).toMatchObject({
      code: 'protocol',
      hint: expect.stringContaining('--insecure'),
    });
  });

  test('TLS 1.2', async () => {
    const { ca, cert, key } = pair.b;
    const port = await elsewhere(createTlsServer({ ca, cert, key, maxVersion: 'TLSv1.2' }));
    expect((await failure(dial(port, { auth: pair.a }))).code).toBe('protocol');
  });

  test.each([
    ['another subprotocol', 'Sec-WebSocket-Protocol: chat\r\n'],
    ['no subprotocol', ''],
  ])('a WebSocket server that confirms %s', async (_what, header) => {
    const server = createHttpServer();
    server.on('upgrade', (request, socket) => {
      const accept = acceptOf(request.headers['sec-websocket-key'] ?? '');
      socket.on('error', () => undefined);
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${header}\r\n`,
      );
    });
    expect(await failure(dial(await elsewhere(server), { auth: NONE }))).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('subprotocol'),
    });
  });
});

describe('interrupted', () => {
  test('before it began: nothing is dialled', async () => {
    let asked = false;
    const resolve = (): Promise<never> => {
      asked = true;
      return Promise.reject(new Error('x'));
    };
    const error = await failure(dial(1, { auth: pair.a, resolve }, AbortSignal.abort()));
    expect(error.code).toBe('interrupted');
    expect(asked).toBe(false);
  });

  test('in the middle: the connection goes', async () => {
    const controller = new AbortController();
    const port = await asB((socket) => {
      socket.once('data', () => {
        controller.abort();
      });
    });
    expect((await failure(dial(port, { auth: pair.a }, controller.signal))).code).toBe('interrupted');
    for (const socket of sockets) {
      if (!socket.closed) await once(socket, 'close');
    }
  });
});

describe('without credentials', () => {
  test('two ends on this machine talk, and nobody is authenticated', async () => {
    const b = await sites.listen({ auth: NONE });
    const channel = await dial(b.port, { auth: NONE, host: 'localhost' });
    expect(channel).toMatchObject({ peer: undefined, security: { method: 'none', version: undefined } });
    expect((await b.channel()).peer).toBeUndefined();
  });

  test('over IPv6 too', async () => {
    const b = await sites.listen({ auth: NONE, host: '::1' });
    const channel = await dial(b.port, { auth: NONE, host: '::1' });
    expect(channel.remote).toBe(`[::1]:${b.port}`);
  });

  test.each(['192.0.2.1', '::ffff:192.0.2.1', '0.0.0.0'])('%s is never dialled', async (host) => {
    expect(await failure(dial(1, { auth: NONE, host }))).toMatchObject({
      code: 'config',
      hint: expect.stringContaining('--insecure'),
    });
  });

  test('nor a name of which one address is elsewhere', async () => {
    const b = await sites.listen({ auth: NONE });
    const resolve = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([
        { address: '127.0.0.1', family: 4 },
        { address: '192.0.2.1', family: 4 },
      ]);
    expect((await failure(dial(b.port, { auth: NONE, host: 'b', resolve }))).code).toBe('config');
    expect(b.channels).toEqual([]);
  });

  test('a listener with TLS answers nothing to it', async () => {
    const b = await sites.listen({ auth: pair.b });
    const error = await failure(dial(b.port, { auth: NONE }));
    expect(['peer-unreachable', 'protocol']).toContain(error.code);
    expect(b.channels).toEqual([]);
  });
});

test('mutual TLS over IPv6', async () => {
  const b = await sites.listen({ auth: pair.b, host: '::1' });
  expect((await dial(b.port, { auth: pair.a, host: '::1' })).peer).toBe('B');
});

/** The key's answer of RFC 6455, section 4.2.2. */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
