/**
 * The HTTP between TLS and WebSocket: reads one upgrade request from an admitted connection, and answers whatever
 * is none with an HTTP status that says what is wrong.
 *
 * `receive` a connection; one of its guest's events follows, if the connection lasts that long (the caller has
 * the deadline).
 */
import { createServer, STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { clean, describe } from '../base/errors.js';
import type { Admitted } from './admission.js';
import { SUBPROTOCOL } from './credentials.js';
import { reasonOf } from './reason.js';

/** An upgrade request of ours has some 300 bytes. */
const MAX_HEADER_BYTES = 8 * 1024;

export interface Guest {
  readonly admitted: Admitted;
  upgraded(ws: WebSocket): void;
  /** Why it gets no WebSocket; the connection ends when the HTTP answer, if any, is out. */
  refused(reason: string): void;
  /** Why there is no place for another channel, if there is none. */
  turnedAway(): string | undefined;
}

interface Refusal {
  readonly status: number;
  readonly reason: string;
}

export class Reception {
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #guests = new WeakMap<Duplex, Guest>();

  constructor(maxPayloadBytes: number) {
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxPayloadBytes,
      handleProtocols: () => SUBPROTOCOL,
    });
    this.#webSockets.on('wsClientError', (error, socket) => {
      this.#refuse(socket, { status: 400, reason: describe(error) });
    });
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES });
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
    this.#http.on('request', (request, response) => {
      this.#guests.get(request.socket)?.refused('a plain HTTP request');
      response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
      response.end('qkd-sync speaks WebSocket here\n');
    });
    this.#http.on('clientError', (error, socket) => {
      this.#guests.get(socket)?.refused(reasonOf(error));
      socket.destroy();
    });
  }

  receive(guest: Guest): void {
    this.#guests.set(guest.admitted.socket, guest);
    this.#http.emit('connection', guest.admitted.socket);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const guest = this.#guests.get(socket);
    // A reset while we answer.
    socket.on('error', () => undefined);
    if (guest === undefined) {
      socket.destroy();
      return;
    }
    const refusal = refusalOf(request, guest);
    if (refusal === undefined) {
      this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
        guest.upgraded(ws);
      });
    } else {
      this.#refuse(socket, refusal);
    }
  }

  #refuse(socket: Duplex, { status, reason }: Refusal): void {
    this.#guests.get(socket)?.refused(reason);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
  }
}

function refusalOf({ url, headers }: IncomingMessage, guest: Guest): Refusal | undefined {
  const { stranger } = guest.admitted;
  if (stranger !== undefined) {
    return { status: 403, reason: `no one peer is called what its certificate says: ${clean(stranger)}` };
  }
  // Only browsers send this, for some page that found this port.
  if (headers.origin !== undefined) return { status: 403, reason: `a browser, for ${clean(headers.origin)}` };
  if (url !== '/') return { status: 404, reason: `it asked for ${clean(url ?? '')}` };
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  if (!offered.includes(SUBPROTOCOL)) {
    return {
      status: 400,
      reason: `it does not speak ${SUBPROTOCOL}, but: ${clean(offered.join(', ')) || 'nothing'}`,
    };
  }
  const reason = guest.turnedAway();
  return reason === undefined ? undefined : { status: 503, reason };
}
