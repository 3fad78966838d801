import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { WebSocketChannel } from '../../../src/peer/web-socket-channel.js';
import { ManualClock } from '../../support/manual-clock.js';
import { Ears } from '../../support/site-channel.js';

const MAX_PAYLOAD_BYTES = 1_000;
const SECURITY = { method: 'none', version: undefined, suite: undefined, group: undefined } as const;

/** A channel under test, and the other end as a bare WebSocket that can do anything. */
interface Ends {
  readonly channel: WebSocketChannel;
  readonly clock: ManualClock;
  readonly other: WebSocket;
  /** The other end's TCP connection. */
  readonly otherTcp: Socket;
  /** The channel's own connection. */
  readonly tcp: Socket;
  /** When that is gone, and the channel knows it. */
  readonly gone: Promise<unknown>;
}

const servers: WebSocketServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
});

async function open(
  options: WebSocket.ClientOptions = {},
  maxPayloadBytes = MAX_PAYLOAD_BYTES,
  maxSendBytes = maxPayloadBytes,
): Promise<Ends> {
  const clock = new ManualClock();
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: maxPayloadBytes });
  servers.push(server);
  await once(server, 'listening');
  const made = new Promise<Pick<Ends, 'channel' | 'tcp' | 'gone'>>((resolve) => {
    server.once('connection', (ws, { socket }) => {
      const channel = new WebSocketChannel(ws, {
        peer: 'A',
        remote: 'there',
        security: SECURITY,
        maxPayloadBytes,
        maxSendBytes,
        clock,
        bytesRead: () => socket.bytesRead,
      });
      resolve({ channel, tcp: socket, gone: closeCode(ws) });
    });
  });
  const other = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
  const otherTcp = new Promise<Socket>((resolve) => {
    other.once('upgrade', ({ socket }) => {
      resolve(socket);
    });
  });
  await once(other, 'open');
  other.on('error', () => undefined);
  return { ...(await made), clock, other, otherTcp: await otherTcp };
}

function closeCode(other: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    other.once('close', (code) => {
      resolve(code);
    });
  });
}

/** Until what was sent before has been read at the other end. */
async function roundTrip(other: WebSocket): Promise<void> {
  other.ping();
  await once(other, 'pong');
}

describe('frames', () => {
  test('that came before attach are handed over then, in order, before those that come later', async () => {
    const { channel, other } = await open();
    other.send('1');
    other.send('2');
    await roundTrip(other);
    const ears = new Ears(channel);
    expect(ears.frames).toEqual(['1', '2']);
    other.send('3');
    expect(await ears.frame(3)).toBe('3');
  });

  test('may be as long as the limit, and keep every character', async () => {
    const { channel, other } = await open({}, 5_000_000);
    const ears = new Ears(channel);
    const text = 'ü'.repeat(2_500_000);
    other.send(text);
    expect((await ears.frame()) === text).toBe(true);
    const back = once(other, 'message');
    channel.send(text);
    const [data, isBinary] = (await back) as [Buffer, boolean];
    expect(isBinary).toBe(false);
    expect(data.toString() === text).toBe(true);
  });

  test('that we send may be far longer than those that may come in', async () => {
    const { channel, other } = await open({}, MAX_PAYLOAD_BYTES, 20_000_000);
    const ears = new Ears(channel);
    const there = once(other, 'message');
    channel.send('x'.repeat(20_000_000));
    const [data] = (await there) as [Buffer];
    expect(data.byteLength).toBe(20_000_000);
    expect(ears.closings).toEqual([]);
  });

  test('after our own close are not handed over', async () => {
    const { channel, other } = await open();
    const ears = new Ears(channel);
    other.send('late');
    const gone = channel.close();
    await gone;
    expect(ears.frames).toEqual([]);
    expect(ears.closings).toEqual([undefined]);
  });

  test('in the middle of attach a handler may close', async () => {
    const { channel, other } = await open();
    other.send('1');
    other.send('2');
    await roundTrip(other);
    const seen: string[] = [];
    channel.attach({
      frame: (text) => {
        seen.push(text);
        void channel.close();
      },
      closed: () => undefined,
    });
    expect(seen).toEqual(['1']);
    await channel.close();
  });
});

describe('misuse is a protocol error, told once, and ends the connection', () => {
  test('a binary frame', async () => {
    const { channel, other } = await open();
    const ears = new Ears(channel);
    const code = closeCode(other);
    other.send(Buffer.from('x'));
    other.send('after it');
    expect(await ears.closed()).toMatchObject({ code: 'protocol', message: 'the peer sent a binary frame' });
    expect(await code).toBe(1003);
    await channel.close();
    expect(ears.frames).toEqual([]);
    expect(ears.closings).toHaveLength(1);
  });

  test('a frame that is too long', async () => {
    const { channel, other } = await open();
    const ears = new Ears(channel);
    const code = closeCode(other);
    other.send('x'.repeat(MAX_PAYLOAD_BYTES + 1));
    expect(await ears.closed()).toMatchObject({ code: 'protocol' });
    expect(await code).toBe(1009);
    expect(ears.frames).toEqual([]);
  });

  test('many short parts of a frame that is too long', async () => {
    const { channel, other } = await open();
    const ears = new Ears(channel);
    for (let part = 0; part < 11; part += 1) other.send('x'.repeat(100), { fin: false });
    expect(await ears.closed()).toMatchObject({ code: 'protocol' });
  });

  test('text that is no UTF-8', async () => {
    const { channel, other } = await open();
    const ears = new Ears(channel);
    other.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect(await ears.closed()).toMatchObject({ code: 'protocol' });
  });

  test('bytes that are no WebSocket frame', async () => {
    const { channel, otherTcp } = await open();
    const ears = new Ears(channel);
    otherTcp.write(Buffer.alloc(64, 0x7f));
    expect(await ears.closed()).toMatchObject({ code: 'protocol' });
  });

  test.each([
    ['frames', 17, 1],
    ['bytes', 2, MAX_PAYLOAD_BYTES],
  ])('too many %s before anybody listens', async (_what, count, length) => {
    const { channel, other } = await open();
    const code = closeCode(other);
    for (let frame = 0; frame < count; frame += 1) other.send('x'.repeat(length));
    expect(await code).toBe(1008);
    const ears = new Ears(channel);
    expect(ears.closings).toMatchObject([
      { code: 'protocol', message: 'the peer sent too many frames at once' },
    ]);
    expect(ears.frames).toHaveLength(count - 1);
  });
});

describe('silence', () => {
  test('of 15 s is the end, after a ping every 5 s', async () => {
    const { channel, clock, other } = await open({ autoPong: false });
    const ears = new Ears(channel);
    let pings = 0;
    other.on('ping', () => (pings += 1));
    clock.advance(14_999);
    await roundTrip(other);
    expect(pings).toBe(2);
    expect(ears.closings).toEqual([]);

    // The round trip was heard at 14.999 s.
    clock.advance(14_999);
    expect(ears.closings).toEqual([]);
    clock.advance(1);
    expect(ears.closings).toMatchObject([
      { code: 'peer-lost', message: 'the peer has been silent for 15 s' },
    ]);
    expect(await closeCode(other)).toBe(1006);
    expect(clock.pending).toBe(0);
  });

  test('is broken by the answers to our pings', async () => {
    const { channel, clock, other } = await open();
    const ears = new Ears(channel);
    for (let minute = 0; minute < 12; minute += 1) {
      const ping = once(other, 'ping');
      clock.advance(5_000);
      await ping;
      // Our end has read the pong when it has read what came after it.
      await roundTrip(other);
    }
    expect(ears.closings).toEqual([]);
  });

  test('is not what a long frame on a slow line is', async () => {
    const { channel, clock, otherTcp, tcp } = await open({ autoPong: false });
    const ears = new Ears(channel);
    // A masked text frame of 100 bytes, one byte at a time.
    const frame = Buffer.concat([Buffer.from([0x81, 0xe4, 0, 0, 0, 0]), Buffer.alloc(100, 'x')]);
    for (const byte of frame.subarray(0, 10)) {
      const before = tcp.bytesRead;
      otherTcp.write(Buffer.from([byte]));
      while (tcp.bytesRead === before) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(14_000);
      expect(ears.closings).toEqual([]);
    }
    otherTcp.write(frame.subarray(10));
    expect(await ears.frame()).toBe('x'.repeat(100));
  });
});

describe('the end', () => {
  test('by our close: in order at both ends, and once', async () => {
    const { channel, clock, other } = await open();
    const ears = new Ears(channel);
    const code = closeCode(other);
    await Promise.all([channel.close(), channel.close()]);
    expect(await code).toBe(1000);
    expect(ears.closings).toEqual([undefined]);
    expect(clock.pending).toBe(0);
    channel.send('into the void');
    await channel.close();
    expect(ears.closings).toHaveLength(1);
  });

  test('by our close brings what was sent before', async () => {
    const { channel, other } = await open();
    const message = once(other, 'message');
    channel.send('last words');
    await channel.close();
    expect(String((await message)[0])).toBe('last words');
  });

  test("by the other end's close, in order", async () => {
    const { channel, other, clock } = await open();
    const ears = new Ears(channel);
    other.close(1000);
    expect(await ears.closed()).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  test('by a close with a code of trouble', async () => {
    const { channel, other } = await open();
    const ears = new Ears(channel);
    other.close(1011, 'no room');
    expect(await ears.closed()).toMatchObject({
      code: 'peer-lost',
      message: 'the peer closed the connection with code 1011: no room',
    });
  });

  test.each([
    ['a hang-up', (socket: Socket): unknown => socket.destroy()],
    ['a reset', (socket: Socket): unknown => socket.resetAndDestroy()],
  ])('by %s: peer-lost', async (_what, act) => {
    const { channel, otherTcp } = await open();
    const ears = new Ears(channel);
    act(otherTcp);
    expect(await ears.closed()).toMatchObject({ code: 'peer-lost', message: 'the connection broke' });
    expect(ears.closings).toHaveLength(1);
  });

  test.each([
    ['an orderly close', 'close', undefined],
    ['a hang-up', 'terminate', 'peer-lost'],
  ] as const)('by %s before attach is told then, after the frames', async (_what, act, code) => {
    const { channel, other, gone } = await open();
    other.send('1');
    await roundTrip(other);
    other[act]();
    await gone;
    const heard: unknown[] = [];
    channel.attach({
      frame: (text) => heard.push(text),
      closed: (error) => heard.push(error?.code),
    });
    expect(heard).toEqual(['1', code]);
  });

  test('where the other end does not answer our close, after 3 s', async () => {
    const { channel, clock, other, otherTcp } = await open();
    const ears = new Ears(channel);
    await roundTrip(other);
    otherTcp.pause();
    let gone = false;
    const closed = channel.close().then(() => (gone = true));
    clock.advance(2_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(gone).toBe(false);
    clock.advance(1);
    await closed;
    expect(ears.closings).toEqual([undefined]);
    expect(clock.pending).toBe(0);
  });

  test('where the other end does not read, before our memory is full', async () => {
    const { channel, otherTcp } = await open();
    const ears = new Ears(channel);
    otherTcp.pause();
    for (let sent = 0; sent < 100_000 && ears.closings.length === 0; sent += 1) {
      channel.send('x'.repeat(MAX_PAYLOAD_BYTES));
    }
    expect(ears.closings).toMatchObject([
      { code: 'peer-lost', message: 'the peer does not read what we send' },
    ]);
  });
});
