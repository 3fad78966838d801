/**
 * How the client protects its connections to the KME: TLS 1.2 or 1.3 with every check of the KME's certificate on.
 *
 * Calling sequence: `agentOptions` once, when the client is made, for undici's Agent.
 * Errors: QkdSyncError `config`, for PEM text that cannot be used; only the setting is named, the text never.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import type { Agent } from 'undici';
import { QkdSyncError, systemCode } from '../base/errors.js';

/** Texts of PEM files, not their names. */
export interface KmeTls {
  /** The CAs to trust, instead of those that Node brings along. */
  readonly ca?: string | undefined;
  /** Our certificate, intermediate ones after it. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the KME's certificate must bear, where that is not the URL's host. */
  readonly serverName?: string | undefined;
}

/** Options for the Agent of one client. `connectTimeoutMs` only bounds a socket whose request was given up before. */
export function agentOptions(tls: KmeTls, connectTimeoutMs: number): Agent.Options {
  checkPem(tls);
  const { ca, cert, key, serverName } = tls;
  return {
    // A connection for each request. One that is kept may be closed by the KME just as the next request goes out on
    // it, and whether that was taken could not be known: a key might be lost.
    pipelining: 0,
    allowH2: false,
    // The client's own deadline covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
    // A resumed session would skip the certificate's checks.
    maxCachedSessions: 0,
    connect: {
      timeout: connectTimeoutMs,
      // Said aloud, since the environment can change the defaults (NODE_TLS_REJECT_UNAUTHORIZED, NODE_OPTIONS).
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : expectName(serverName)),
    },
  };
}

function expectName(serverName: string): Pick<ConnectionOptions, 'servername' | 'checkServerIdentity'> {
  return {
    // An IP address must not be sent as a server name (RFC 6066, section 3).
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
  };
}

function checkPem({ ca, cert, key, serverName }: KmeTls): void {
  if (serverName === '') throw wrong('kme.serverName is empty');
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong(
      `kme.${cert === undefined ? 'key' : 'cert'} is set without kme.${cert === undefined ? 'cert' : 'key'}`,
    );
  }
  // Node would take a text without any certificate for a trust in nobody, and say so only at the first connection.
  if (ca !== undefined) probe('kme.ca is not a PEM certificate', () => new X509Certificate(ca));
  if (cert === undefined || key === undefined) return;
  probe('kme.cert is not a PEM certificate', () => new X509Certificate(cert));
  probe('kme.key is not an unencrypted PEM private key', () => secureContext({ key }));
  probe('kme.cert and kme.key do not belong together', () => secureContext({ cert, key }));
}

function secureContext(options: SecureContextOptions): unknown {
  return createSecureContext({ ...options, minVersion: 'TLSv1.2' });
}

function probe(message: string, attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    // Only the code: what OpenSSL says of a private key stays out.
    throw wrong(message, new Error(systemCode(error) ?? 'unreadable'));
  }
}

function wrong(message: string, cause?: Error): QkdSyncError {
  return new QkdSyncError('config', message, {
    hint: 'check kme.ca, kme.cert, kme.key and kme.serverName',
    cause,
  });
}
