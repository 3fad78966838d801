/**
 * How an answer goes out, each conduct that KMEs are known for.
 *
 * Resolves when nothing more will be said on the connection for this request; rejects for a bug. What the client
 * does to the connection ends it quietly.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { sleep, type Clock } from '../base/clock.js';
import type { ApiAnswer } from './api.js';

/** A `slow` answer comes in so many pieces, with such a pause before each, in milliseconds. */
const SLOW_PIECES = 4;
const SLOW_PAUSE_MS = 50;

/** Between two bytes of a `trickling` answer: no byte is late, the whole takes a minute. */
const TRICKLE_PAUSE_MS = 250;

const FLOOD_BYTES = 16_384;

export async function send(response: ServerResponse, reply: ApiAnswer, clock: Clock): Promise<void> {
  const { status, conduct = 'whole' } = reply;
  const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  const half = text.slice(0, Math.floor(text.length / 2));
  const headers = headersOf(reply, text);
  switch (conduct) {
    case 'whole':
      response.writeHead(status, headers).end(text);
      return;
    case 'closing':
      response.writeHead(status, { ...headers, connection: 'close' }).end(text);
      return;
    case 'continuing':
      response.writeContinue();
      response.writeHead(status, headers).end(text);
      return;
    case 'slow':
      response.writeHead(status, headers);
      await inPieces(response, text, Math.ceil(text.length / SLOW_PIECES), SLOW_PAUSE_MS, clock);
      return;
    case 'trickling':
      response.writeHead(status, headers);
      await inPieces(response, text, 1, TRICKLE_PAUSE_MS, clock);
      return;
    case 'silent':
      return;
    case 'stalling':
      response.writeHead(status, headers).write(half);
      return;
    case 'cutting':
      response.destroy();
      return;
    case 'tearing':
      // What has been written goes out before the connection ends.
      response.writeHead(status, headers).write(half, () => response.destroy());
      return;
    case 'flooding-headers':
      response.socket?.write(`HTTP/1.1 ${status} OK\r\n`);
      await flood(response, `x-flood: ${'x'.repeat(FLOOD_BYTES)}\r\n`, (piece) =>
        response.socket?.write(piece),
      );
      return;
    case 'flooding-body':
      response.writeHead(status, { 'content-type': 'application/json' });
      await flood(response, 'x'.repeat(FLOOD_BYTES), (piece) => response.write(piece));
      return;
  }
}

function headersOf({ headers = {} }: ApiAnswer, text: string): Record<string, string | number> {
  const all: Readonly<Record<string, string | number | undefined>> = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store', // there may be keys in it
    ...headers,
  };
  return Object.fromEntries(
    Object.entries(all).filter((header): header is [string, string | number] => header[1] !== undefined),
  );
}

async function inPieces(
  response: ServerResponse,
  text: string,
  length: number,
  pauseMs: number,
  clock: Clock,
): Promise<void> {
  for (let at = 0; at < text.length && !response.destroyed; at += length) {
    await sleep(clock, pauseMs);
    response.write(text.slice(at, at + length));
  }
  response.end();
}

/** Writes `piece` until the client has had enough. No faster than it reads. */
async function flood(
  response: ServerResponse,
  piece: string,
  write: (piece: string) => boolean | undefined,
): Promise<void> {
  const { socket } = response;
  if (socket === null) return;
  const gone = new AbortController();
  socket.once('close', () => {
    gone.abort();
  });
  while (!socket.destroyed) {
    if (write(piece) === true) await new Promise(setImmediate);
    else await once(socket, 'drain', { signal: gone.signal }).catch(() => undefined);
  }
}
