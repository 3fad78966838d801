/**
 * How a KME takes connections: HTTPS/1.1 with mutual TLS 1.2 or later, as ETSI GS QKD 014 section 4 has it, or one of
 * the ways in which others do.
 *
 * Calling sequence: `createTransport` once for each KME. The server that it answers does not listen yet; requests
 * come as the event `request`, where the transport lets any come.
 *
 * Errors: `config` where the credentials do not fit together.
 */
import { createServer as createHttpServer, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { describe, QkdSyncError } from '../base/errors.js';

/** Which of the KME's certificates it presents; docs of each kind in credentials.ts. */
export type CertificateKind = 'proper' | 'no-san' | 'ip-only' | 'wrong-name' | 'expired';

export interface Transport {
  readonly scheme: 'https' | 'http';
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly certificate: CertificateKind;
  /** By what in its certificate an SAE is known; not at all is what the dialects of refusal do. */
  readonly knows: 'common-name' | 'serial' | 'no-certificate';
  /** With `no-certificate`: by an alert within the handshake, or by hanging up after it, as TLS 1.3 has it. */
  readonly refuses: 'alert' | 'hang-up';
}

export const STANDARD_TRANSPORT: Transport = {
  scheme: 'https',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  certificate: 'proper',
  knows: 'common-name',
  refuses: 'hang-up',
};

export type KmeCredentials = Required<Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>>;

const HANDSHAKE_TIMEOUT_MS = 10_000;

const HTTP: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 5_000,
  /** How often Node looks for requests that are over their time. */
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
};

/** A fatal alert, bad_certificate (RFC 5246, section 7.2), as a server sends it before the keys are changed. */
const ALERT = Buffer.from([21, 3, 3, 0, 2, 2, 42]);

export function createTransport(kme: string, credentials: KmeCredentials, transport: Transport): Server {
  const { scheme, knows, refuses, minVersion, maxVersion } = transport;
  if (scheme === 'http') return createHttpServer(HTTP);
  if (knows === 'no-certificate' && refuses === 'alert') return createTcpServer(refuseAnyHello);
  try {
    return createHttpsServer({
      ...HTTP,
      ...credentials,
      minVersion,
      maxVersion,
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
  } catch (error) {
    throw new QkdSyncError('config', `the credentials of ${kme} cannot be used: ${describe(error)}`, {
      hint: 'remove the folder, or name a new one, to have new credentials made',
      cause: error,
    });
  }
}

/** Node's TLS server hangs up instead of sending an alert, so this one speaks for itself. */
function refuseAnyHello(socket: Socket): void {
  socket.setTimeout(HANDSHAKE_TIMEOUT_MS, () => socket.destroy());
  socket.once('error', () => socket.destroy());
  socket.once('data', () => socket.end(ALERT));
}
