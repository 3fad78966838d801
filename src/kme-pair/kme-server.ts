/**
 * One KME of the pair on a socket. By the standard's transport, who has no certificate of the KMEs' CA does not get
 * beyond the TLS handshake; everyone else is their certificate's CN.
 *
 * Calling sequence: `startKmeServer`, later `close`, which ends within about a second whatever clients do.
 *
 * Errors: `config` where it cannot listen or the credentials do not fit together. Nothing that clients do is an error.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type PeerCertificate } from 'node:tls';
import type { Clock } from '../base/clock.js';
import { clean, describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { KeyId } from '../base/key.js';
import type { Log } from '../base/log.js';
import type { Api, ApiAnswer, ApiCall } from './api.js';
import { route } from './etsi-014.js';
import type { Identify } from './identify.js';
import { send } from './send.js';
import { createTransport, type KmeCredentials, type Transport } from './transport.js';

const MAX_CONNECTIONS = 256;
/** How long `close` waits for requests under way. */
const CLOSE_GRACE_MS = 500;

/** The loopback addresses that the KMEs' certificates name. */
export type LoopbackHost = '127.0.0.1' | '::1';

/** One request that was answered, as the observer sees it. */
export interface KmeRequest {
  readonly kme: string;
  /** Who asked, by the client's certificate. */
  readonly sae: string | undefined;
  /** Undefined where the path is none of the API's. */
  readonly call: ApiCall | undefined;
  readonly method: string;
  readonly status: number;
  /** The keys that were handed out, whether or not the answer comes through. */
  readonly delivered: readonly KeyId[];
}

export interface KmeServerOptions {
  /** The KME's ID, for log and observer. */
  readonly kme: string;
  readonly host: LoopbackHost;
  /** 0 is any free port. */
  readonly port: number;
  readonly credentials: KmeCredentials;
  readonly transport: Transport;
  readonly answer: Api;
  readonly identify: Identify;
  /** The path before the API's own; whatever is not below it is not found. */
  readonly prefix: string;
  readonly maxBodyBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each answer before it is sent. */
  readonly onRequest?: ((request: KmeRequest) => void) | undefined;
}

export interface KmeServer {
  /** The port really listened on. */
  readonly port: number;
  close(): Promise<void>;
}

export async function startKmeServer(options: KmeServerOptions): Promise<KmeServer> {
  const server = createTransport(options.kme, options.credentials, options.transport);
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Duplex>();
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error: Error) => {
    options.log('info', 'kme-tls-refused', `${options.kme}: TLS handshake refused: ${describe(error)}`);
  });
  server.on('clientError', (error: Error, socket: Duplex) => {
    refuseMalformed(error, socket);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    serve(options, request, response).catch((error: unknown) => {
      // A bug of ours; the client sees a lost connection and the pair goes on.
      options.log('error', 'kme-bug', `${options.kme}: cannot answer: ${describe(error)}`);
      response.destroy();
    });
  });
  const port = await listen(server, options);

  let closing: Promise<void> | undefined;
  return {
    port,
    close: () => (closing ??= close(server, sockets, options.clock)),
  };
}

function listen(server: Server, { host, port }: KmeServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      const reason = systemCode(error) === 'EADDRINUSE' ? 'it is in use' : describe(error);
      reject(
        new QkdSyncError('config', `cannot listen on port ${port} of ${host}: ${reason}`, {
          hint: 'choose two other ports with --listen PORT_A,PORT_B; 0 is any free port',
          cause: error,
        }),
      );
    };
    server.once('error', refuse);
    try {
      server.listen({ host, port }, () => {
        server.off('error', refuse);
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    } catch (error) {
      refuse(error); // a port out of range is thrown, not emitted
    }
  });
}

/** Node's `close` ends idle connections at once; requests under way get a moment, then everything is cut. */
function close(server: Server, sockets: ReadonlySet<Duplex>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(CLOSE_GRACE_MS, () => {
      for (const socket of sockets) socket.destroy();
    });
    server.close(() => {
      cancel();
      resolve();
    });
  });
}

async function serve(
  options: KmeServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '' } = request;
  const target = url.startsWith(options.prefix) ? url.slice(options.prefix.length) : '';
  const sae = options.identify(certificateOf(request));
  const body = await readBody(request, options.maxBodyBytes);
  if (body === 'broken-off') return;
  const reply: ApiAnswer =
    body === 'too-long'
      ? { status: 400, body: { message: `the body is longer than ${options.maxBodyBytes} bytes` } }
      : options.answer({ method, target, sae, contentType: request.headers['content-type'], body });

  const { status, delivered = [] } = reply;
  observe(options, { kme: options.kme, sae, call: route(target)?.call, method, status, delivered });
  // The rest of a body that is too long is not waited for.
  await send(response, body === 'too-long' ? { ...reply, conduct: 'closing' } : reply, options.clock);
}

function observe({ log, onRequest }: KmeServerOptions, seen: KmeRequest): void {
  const { kme, sae, call, method, status, delivered } = seen;
  const said = `${kme}: ${method} ${call ?? 'unknown path'} by ${clean(sae ?? '?', 64)}: ${status}`;
  log('info', 'kme-request', said, { kme, sae, call, method, status, delivered: delivered.length });
  onRequest?.(seen);
}

function certificateOf({ socket }: IncomingMessage): PeerCertificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
}

/** The whole body, unless it is longer than `limit` or the client breaks off. Node's request time-out ends the wait. */
function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | 'too-long' | 'broken-off'> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Uint8Array) => {
      length += chunk.byteLength;
      // What comes after the limit is read and dropped, so that the client gets to read the answer.
      if (length > limit) resolve('too-long');
      else chunks.push(chunk);
    });
    request.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    for (const end of ['error', 'close'])
      request.once(end, () => {
        resolve('broken-off');
      });
  });
}

/** What is no HTTP request, or came too slowly, or has too long a header, gets the standard's 400. */
function refuseMalformed(error: Error, socket: Duplex): void {
  if (systemCode(error) === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const text = JSON.stringify({ message: 'malformed, slow or oversized HTTP request' });
  socket.end(
    'HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n' +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
