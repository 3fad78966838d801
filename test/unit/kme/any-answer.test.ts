/**
 * Whatever comes as an answer, the client ends in time, with a typed error or with keys that are what was asked for,
 * and takes in no more than its bound: through a fetch, and through a real socket for what is no HTTP at all.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../../../src/base/clock.js';
import { QkdSyncError } from '../../../src/base/errors.js';
import type { Fetch } from '../../../src/kme/http.js';
import type { Kme } from '../../../src/kme/kme.js';
import { makeTestClient } from '../../support/kme-client.js';
import { containerOf } from '../../support/scripted-kme.js';

const never = new AbortController().signal;
const CODES = ['kme-unreachable', 'kme-refused', 'kme-empty', 'kme-answer', 'config'];

/** Resolves once both calls have ended as they may. */
async function expectSound(kme: Kme): Promise<void> {
  const asked = { number: 2, size: 256 };
  const calls = [
    () => kme.getKey('sae-b', asked, never),
    () => kme.getKeyWithKeyIds('sae-b', ['a', 'b'], asked.size, never),
  ];
  for (const call of calls) {
    try {
      const keys = await call();
      expect(keys).toHaveLength(asked.number);
      expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(asked.number);
      for (const { secret } of keys) expect(secret.byteLength).toBe(32);
    } catch (error) {
      if (!(error instanceof QkdSyncError)) throw error;
      expect(CODES).toContain(error.code);
      expect(error.message).not.toMatch(/[\u0000-\u001f\u007f]/);
    }
  }
}

const container = JSON.stringify(containerOf(['a', 'b']));
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.json().map((text) => Buffer.from(text)),
  fc.constant(Buffer.from(container)),
  fc.integer({ min: 0, max: container.length }).map((length) => Buffer.from(container.slice(0, length))),
  fc.record({ keys: fc.anything() }).map((value) => Buffer.from(JSON.stringify(value))),
);
const headers = fc.dictionary(
  fc.constantFrom('content-type', 'retry-after', 'location', 'content-encoding', 'x-any'),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, '?')),
);

test('any status, headers and body', async () => {
  const statuses = fc.oneof(fc.constant(200), fc.integer({ min: 200, max: 599 }));
  await fc.assert(
    fc.asyncProperty(statuses, headers, bodies, async (status, fields, bytes) => {
      const fetch: Fetch = (_url, { onSent }) => {
        onSent();
        const body = (async function* () {
          await Promise.resolve();
          yield Buffer.from(bytes);
        })();
        const get = (name: string): string | null => fields[name] ?? null;
        return Promise.resolve({ status, headers: { get }, body });
      };
      await expectSound(makeTestClient({ url: 'https://kme', fetch, waitMs: 300, maxPerRequest: 2 }).kme);
    }),
    { numRuns: 300 },
  );
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Without what is garbage already. */
function bytesHeld(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('through a socket', () => {
  const TIMEOUT_MS = 150;
  let server: Server;
  let url = '';
  let serve: (socket: Socket) => void = () => undefined;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => {
        serve(socket);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  /** How long both calls took, in milliseconds. */
  async function measure(): Promise<number> {
    const { kme } = makeTestClient({ url, timeoutMs: TIMEOUT_MS, clock: systemClock, maxPerRequest: 2 });
    const startedAt = systemClock.monotonic();
    try {
      await expectSound(kme);
    } finally {
      await kme.close();
    }
    return systemClock.monotonic() - startedAt;
  }

  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const starts = fc.constantFrom(
    '',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 2',
    'HTTP/1.1 503 Busy\r\ncontent-length: 50\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n',
    'HTTP/9.9 999 ?\r\n\r\n',
    'HTTP/0.9',
    chunked,
    `${chunked}5\r\n`,
    `${chunked}fffffffffffffffff\r\n`,
    `${chunked}0\r\nx: `,
    `${chunked}1;`,
  );

  test('any bytes, and an end or none', async () => {
    const ends = fc.constantFrom('end', 'reset', 'hang');
    await fc.assert(
      fc.asyncProperty(starts, bodies, ends, async (start, bytes, end) => {
        serve = (socket) => {
          socket.write(Buffer.concat([Buffer.from(start, 'latin1'), bytes]), () => {
            if (end === 'end') socket.end();
            else if (end === 'reset') socket.resetAndDestroy();
          });
        };
        expect(await measure()).toBeLessThan(2 * TIMEOUT_MS + 2_000);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test.each([
    ['headers', 'HTTP/1.1 200 OK\r\n', 'x-any: 0123456789\r\n'],
    ['one header', 'HTTP/1.1 200 OK\r\nx-any: ', '0123456789'],
    ['a status line', 'HTTP/1.1 200 ', 'OK'],
    ['a body', 'HTTP/1.1 200 OK\r\n\r\n', container],
    ['an error', 'HTTP/1.1 500 Oh\r\n\r\n', 'no keys '],
    ['chunks', chunked, '5\r\nhello\r\n'],
    ['an extension of a chunk', `${chunked}5;`, 'name=value;'],
    ['trailers', `${chunked}0\r\n`, 'x-any: 0123456789\r\n'],
    ['1xx', '', 'HTTP/1.1 103 Early\r\nlink: x\r\n\r\n'],
  ])('%s without an end: over in time, with little taken in', async (_name, start, again) => {
    const block = again.repeat(Math.ceil(16_384 / again.length));
    serve = (socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write(block));
      };
      socket.on('drain', flood);
      socket.write(start);
      flood();
    };
    const before = bytesHeld();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, bytesHeld() - before);
    }, TIMEOUT_MS / 3);
    expect(
      await measure().finally(() => {
        clearInterval(watch);
      }),
    ).toBeLessThan(2 * TIMEOUT_MS + 2_000);
    expect(most).toBeLessThan(32 * 1024 * 1024);
  });
});
