/**
 * One KME of the pair on a socket: HTTPS/1.1 with mutual TLS, as ETSI GS QKD 014 section 4 has it. Who has no
 * certificate of the KMEs' CA does not get beyond the TLS handshake; everyone else is their certificate's CN.
 *
 * Calling sequence: `startKmeServer`, later `close`, which ends within about a second whatever clients do.
 *
 * Errors: `config` where it cannot listen or the credentials do not fit together. Nothing that clients do is an error.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import type { Clock } from '../base/clock.js';
import { clean, describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { route, type ApiAnswer, type ApiCall, type ApiRequest } from './etsi-014.js';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** How often Node looks for requests that are over their time. */
const CHECK_INTERVAL_MS = 1_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_CONNECTIONS = 256;
/** How long `close` waits for requests under way. */
const CLOSE_GRACE_MS = 500;

/** The loopback addresses that the KMEs' certificates name. */
export type LoopbackHost = '127.0.0.1' | '::1';

/** One request that was answered, as the observer sees it. */
export interface KmeRequest {
  readonly kme: string;
  /** The CN of the client's certificate. */
  readonly sae: string | undefined;
  /** Undefined where the path is none of the API's. */
  readonly call: ApiCall | undefined;
  readonly method: string;
  readonly status: number;
}

export interface KmeServerOptions {
  /** The KME's ID, for log and observer. */
  readonly kme: string;
  readonly host: LoopbackHost;
  /** 0 is any free port. */
  readonly port: number;
  readonly credentials: Required<Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>>;
  readonly answer: (request: ApiRequest) => ApiAnswer;
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
  const server = createTlsServer(options);
  const sockets = new Set<Duplex>();
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error) => {
    options.log('info', 'kme-tls-refused', `${options.kme}: TLS handshake refused: ${describe(error)}`);
  });
  server.on('clientError', (error, socket) => {
    refuseMalformed(error, socket);
  });
  server.on('request', (request, response) => {
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

function createTlsServer({ kme, credentials }: KmeServerOptions): Server {
  try {
    const server = createServer({
      ...credentials,
      minVersion: 'TLSv1.2',
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    server.maxConnections = MAX_CONNECTIONS;
    return server;
  } catch (error) {
    throw new QkdSyncError('config', `the credentials of ${kme} cannot be used: ${describe(error)}`, {
      hint: 'remove the folder, or name a new one, to have new credentials made',
      cause: error,
    });
  }
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
  const { method = '', url: target = '' } = request;
  const sae = commonName(request);
  const body = await readBody(request, options.maxBodyBytes);
  if (body === 'broken-off') return;
  const reply: ApiAnswer =
    body === 'too-long'
      ? { status: 400, body: { message: `the body is longer than ${options.maxBodyBytes} bytes` } }
      : options.answer({ method, target, sae, contentType: request.headers['content-type'], body });

  observe(options, { kme: options.kme, sae, call: route(target)?.call, method, status: reply.status });
  const text = JSON.stringify(reply.body);
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store', // there may be keys in it
    ...(reply.allow === undefined ? {} : { allow: reply.allow.join(', ') }),
    ...(body === 'too-long' ? { connection: 'close' } : {}), // the rest of it is not waited for
  });
  response.end(text);
}

function observe({ log, onRequest }: KmeServerOptions, seen: KmeRequest): void {
  const { kme, sae, call, method, status } = seen;
  log(
    'info',
    'kme-request',
    `${kme}: ${method} ${call ?? 'unknown path'} by ${clean(sae ?? '?', 64)}: ${status}`,
    {
      kme,
      sae,
      call,
      method,
      status,
    },
  );
  onRequest?.(seen);
}

/** The CN of the client's certificate, where it has exactly one. */
function commonName(request: IncomingMessage): string | undefined {
  if (!(request.socket instanceof TLSSocket)) return undefined;
  // A certificate with several CNs has an array here, whatever the type says.
  const names: unknown = request.socket.getPeerCertificate().subject.CN;
  return typeof names === 'string' ? names : undefined;
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
