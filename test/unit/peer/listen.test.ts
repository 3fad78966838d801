import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../../src/base/clock.js';
import { ManualClock } from '../../support/manual-clock.js';
import {
  certificatePair,
  dial,
  failure,
  NONE,
  Sites,
  type CertificatePair,
  type TestListener,
} from '../../support/site-channel.js';

const sites = new Sites();
let pair: CertificatePair;

beforeAll(async () => {
  pair = await certificatePair();
});
afterEach(() => sites.close());

interface Talk {
  readonly socket: Socket;
  /** All that the other end said, when it has hung up. */
  readonly answer: Promise<string>;
}

function talk(socket: Socket): Talk {
  const answer = new Promise<string>((resolve) => {
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(heard);
    });
  });
  return { socket, answer };
}

function tcp({ port }: { port: number }): Talk {
  return talk(connectTcp({ host: '127.0.0.1', port }));
}

/** A with good credentials and another program. */
function tls({ port }: { port: number }): Talk {
  const { ca, cert, key } = pair.a;
  return talk(connectTls({ host: '127.0.0.1', port, ca, cert, key, checkServerIdentity: () => undefined }));
}

async function servesA(b: TestListener): Promise<void> {
  const before = b.channels.length;
  const channel = await dial(b.port, { auth: pair.a });
  await channel.close();
  expect(b.channels).toHaveLength(before + 1);
}

const UPGRADE = [
  'Host: b',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
].join('\r\n');

describe('before TLS', () => {
  test('plaintext is refused and logged', async () => {
    const b = await sites.listen({ auth: pair.b });
    const { socket, answer } = tcp(b);
    socket.write(`GET / HTTP/1.1\r\n${UPGRADE}\r\n\r\n`);
    expect(await answer).not.toContain('101');
    expect((await b.log.nth('connection-refused', 1)).fields['reason']).toBe('http request');
    await servesA(b);
  });

  test('noise is refused and logged', async () => {
    const b = await sites.listen({ auth: pair.b });
    const { socket, answer } = tcp(b);
    socket.write('hello, is anybody there?\n');
    await answer;
    await b.log.nth('connection-refused', 1);
    await servesA(b);
  });

  test('who hangs up, or breaks off, is logged', async () => {
    const b = await sites.listen({ auth: pair.b });
    tcp(b).socket.end();
    expect((await b.log.nth('connection-refused', 1)).fields['reason']).toBe('it hung up');
    const { socket } = tcp(b);
    await once(socket, 'connect');
    socket.resetAndDestroy();
    await b.log.nth('connection-refused', 2);
    await servesA(b);
  });

  test('who says nothing is dropped when the time is up, not before', async () => {
    const clock = new ManualClock();
    const b = await sites.listen({ auth: pair.b, clock });
    const { socket, answer } = tcp(b);
    await once(socket, 'connect');
    await armed(clock);
    clock.advance(9_999);
    expect(b.log.lines).toEqual([]);
    clock.advance(1);
    await answer;
    expect((await b.log.nth('connection-refused', 1)).message).toContain('no TLS handshake within 10 s');
    expect(clock.pending).toBe(0);
    await servesA(b);
  });

  test('where too many wait the oldest goes, so that a peer still comes in', async () => {
    const b = await sites.listen({ auth: pair.b });
    const idle: Talk[] = [];
    for (let count = 0; count < 32; count += 1) {
      const guest = tcp(b);
      await once(guest.socket, 'connect');
      idle.push(guest);
    }
    await servesA(b);
    expect(await idle[0]?.answer).toBe('');
    expect((await b.log.nth('connection-refused', 1)).message).toContain('too many connections wait');
    for (const { socket } of idle) socket.destroy();
  });
});

describe('between TLS and the upgrade', () => {
  test('who says nothing is dropped when the time is up', async () => {
    const clock = new ManualClock();
    const b = await sites.listen({ auth: pair.b, clock, handshakeTimeoutMs: 500 });
    const { socket, answer } = tls(b);
    await once(socket, 'secureConnect');
    // One byte of a request: the listener has finished TLS when it has been read.
    socket.write('G');
    await drained(socket);
    while (!socket.closed) {
      clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await answer).toBe('');
    expect((await b.log.nth('connection-refused', 1)).message).toMatch(/within 500 ms/);
    await servesA(b);
  });

  test.each([
    ['a plain request', 'GET / HTTP/1.1\r\nHost: b\r\n\r\n', 426, 'a plain HTTP request'],
    [
      'another path',
      `GET /x HTTP/1.1\r\n${UPGRADE}\r\nSec-WebSocket-Protocol: qkd-sync.v1\r\n\r\n`,
      404,
      '/x',
    ],
    ['no subprotocol', `GET / HTTP/1.1\r\n${UPGRADE}\r\n\r\n`, 400, 'nothing'],
    [
      'another subprotocol',
      `GET / HTTP/1.1\r\n${UPGRADE}\r\nSec-WebSocket-Protocol: qkd-sync.v2\r\n\r\n`,
      400,
      'qkd-sync.v2',
    ],
    [
      'a browser',
      `GET / HTTP/1.1\r\n${UPGRADE}\r\nSec-WebSocket-Protocol: qkd-sync.v1\r\nOrigin: https://evil.example\r\n\r\n`,
      403,
      'https://evil.example',
    ],
    [
      'a version of WebSocket that nobody speaks',
      `GET / HTTP/1.1\r\n${UPGRADE.replace('13', '7')}\r\nSec-WebSocket-Protocol: qkd-sync.v1\r\n\r\n`,
      400,
      'Sec-WebSocket-Version',
    ],
  ])('%s is answered, logged and hung up on', async (_what, request, status, reason) => {
    const b = await sites.listen({ auth: pair.b });
    const { socket, answer } = tls(b);
    socket.write(request);
    expect(await answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await b.log.nth('connection-refused', 1)).message).toContain(reason);
    await servesA(b);
    expect(b.log.lines.filter(({ event }) => event === 'connection-refused')).toHaveLength(1);
  });

  test('headers without end are cut off', async () => {
    const b = await sites.listen({ auth: pair.b });
    const { socket, answer } = tls(b);
    socket.write(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`);
    expect(await answer).toBe('');
    await b.log.nth('connection-refused', 1);
    await servesA(b);
  });
});

test('a peer with too many channels open is told to come later', async () => {
  const b = await sites.listen({ auth: NONE });
  const open = await Promise.all(Array.from({ length: 32 }, () => dial(b.port, { auth: NONE })));
  expect(await failure(dial(b.port, { auth: NONE }))).toMatchObject({
    code: 'peer-unreachable',
    message: expect.stringContaining('503'),
  });
  await open[0]?.close();
  expect((await dial(b.port, { auth: NONE })).remote).toContain('127.0.0.1');
});

describe('where it cannot listen', () => {
  test('a port in use is a config error with a hint', async () => {
    const b = await sites.listen({ auth: pair.b });
    expect(await failure(sites.listen({ auth: pair.b, port: b.port }))).toMatchObject({
      code: 'config',
      message: `cannot listen on 127.0.0.1:${b.port}: EADDRINUSE`,
      hint: expect.stringContaining('--listen'),
    });
  });

  test("an address that is not this machine's is a config error", async () => {
    expect(await failure(sites.listen({ auth: pair.b, host: '192.0.2.1' }))).toMatchObject({
      code: 'config',
      message: expect.stringContaining('EADDRNOTAVAIL'),
    });
  });

  test.each([
    ['all addresses', undefined],
    ['every IPv4 address', '0.0.0.0'],
    ['every IPv6 address', '::'],
    ['an address that others reach', '192.0.2.1'],
  ])('%s, without credentials', async (_what, host) => {
    expect(await failure(sites.listen({ auth: NONE, host }))).toMatchObject({
      code: 'config',
      hint: expect.stringContaining('--insecure'),
    });
  });

  test('a name that means this machine and another, without credentials', async () => {
    const resolve = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([
        { address: '127.0.0.1', family: 4 },
        { address: '192.0.2.1', family: 4 },
      ]);
    expect((await failure(sites.listen({ auth: NONE, host: 'both', resolve }))).code).toBe('config');
  });
});

test('closing ends channels and half-open connections, and frees the port', async () => {
  const b = await sites.listen({ auth: pair.b });
  const channel = await dial(b.port, { auth: pair.a });
  const { socket, answer } = tcp(b);
  await once(socket, 'connect');
  const closed = new Promise((resolve) => {
    channel.attach({ frame: () => undefined, closed: resolve });
  });
  await sites.close();
  expect(await closed).toBeUndefined();
  await answer;
  expect((await failure(dial(b.port, { auth: pair.a }))).code).toBe('peer-unreachable');
  await sites.listen({ auth: pair.b, port: b.port, clock: systemClock });
});

/** Until the listener has taken the connection. */
async function armed(clock: ManualClock): Promise<void> {
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) =>
    socket.write('', () => {
      resolve();
    }),
  );
}

test('who comes in while it closes hears that nobody answers here any more', async () => {
  const b = await sites.listen({ auth: pair.b });
  const { socket, answer } = tls(b);
  await once(socket, 'secureConnect');
  socket.write('G');
  await drained(socket);
  const closed = sites.close();
  socket.write(`ET / HTTP/1.1\r\n${UPGRADE}\r\nSec-WebSocket-Protocol: qkd-sync.v1\r\n\r\n`);
  expect(await answer).toMatch(/^HTTP\/1\.1 503 /);
  await closed;
  expect((await b.log.nth('connection-refused', 1)).message).toContain('this responder is ending');
});
