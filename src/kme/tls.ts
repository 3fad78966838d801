/**
 * How the client protects its connections to the KME: TLS 1.2 or 1.3 with every check of the KME's certificate on.
 *
 * Calling sequence: `agentOptions` once, when the client is made, for undici's Agent.
 * Errors: QkdSyncError `config`, for files that cannot be used; only the setting is named, what is in them never.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { ConnectionOptions, PeerCertificate, SecureContextOptions } from 'node:tls';
import type { Agent } from 'undici';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';
import type { Secret } from '../base/key.js';
import { isNamedByCnAlone, TLS_VERSIONS } from './dialect.js';

/** What is in the files, not their names. `cert` and `key`, or `pkcs12`, or neither. */
export interface KmeTls {
  /** The CAs to trust, instead of those that Node brings along. */
  readonly ca?: string | undefined;
  /** Our certificate, intermediate ones after it. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Our certificate and key as PKCS#12. Node trusts the CAs in it too, beside `ca`. */
  readonly pkcs12?: Uint8Array | undefined;
  readonly passphrase?: Secret | undefined;
  /** The name that the KME's certificate must bear, where that is not the URL's host. */
  readonly serverName?: string | undefined;
}

/** Options for the Agent of one client. `connectTimeoutMs` only bounds a socket whose request was given up before. */
export function agentOptions(tls: KmeTls, connectTimeoutMs: number): Agent.Options {
  checkFiles(tls);
  const { ca, cert, key, serverName } = tls;
  const pfx = pfxOf(tls);
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
      ...TLS_VERSIONS,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...pfx,
      ...(serverName === undefined ? {} : expectName(serverName)),
    },
  };
}

function expectName(serverName: string): Pick<ConnectionOptions, 'servername' | 'checkServerIdentity'> {
  return {
    // Neither an IP address nor any other text that names no host may be sent (RFC 6066, section 3).
    ...(isIP(serverName) === 0 && HOST_NAME.test(serverName) ? { servername: serverName } : {}),
    checkServerIdentity: (_host, certificate) => checkName(serverName, certificate),
  };
}

/** What is wrong with the name in a KME's certificate, where `kme.serverName` says which it must bear. */
export function checkName(serverName: string, certificate: PeerCertificate): Error | undefined {
  const error = checkServerIdentity(serverName, certificate);
  return error !== undefined && isNamedByCnAlone(certificate, serverName) ? undefined : error;
}

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/;

function pfxOf({ pkcs12, passphrase }: KmeTls): SecureContextOptions {
  if (pkcs12 === undefined) return {};
  const text = passphrase === undefined ? undefined : Buffer.from(passphrase.reveal()).toString('utf8');
  return { pfx: Buffer.from(pkcs12), ...(text === undefined ? {} : { passphrase: text }) };
}

function checkFiles(tls: KmeTls): void {
  const { ca, cert, key, serverName, pkcs12 } = tls;
  if (serverName === '') throw wrong('kme.serverName is empty');
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong(
      `kme.${cert === undefined ? 'key' : 'cert'} is set without kme.${cert === undefined ? 'cert' : 'key'}`,
    );
  }
  // Node would take a text without any certificate for a trust in nobody, and say so only at the first connection.
  if (ca !== undefined) probe('kme.ca is not a PEM certificate', () => new X509Certificate(ca));
  if (pkcs12 !== undefined) probePkcs12(pfxOf(tls));
  if (cert === undefined || key === undefined) return;
  if (pkcs12 !== undefined) throw wrong('kme.cert and kme.pkcs12 are both set');
  probe('kme.cert is not a PEM certificate', () => new X509Certificate(cert));
  probe('kme.key is not an unencrypted PEM private key', () => secureContext({ key }));
  probe('kme.cert and kme.key do not belong together', () => secureContext({ cert, key }));
}

function secureContext(options: SecureContextOptions): unknown {
  return createSecureContext({ ...options, minVersion: TLS_VERSIONS.minVersion });
}

function probe(message: string, attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    // Only the code: what OpenSSL says of a private key stays out.
    throw wrong(message, new Error(systemCode(error) ?? 'unreadable'));
  }
}

/** OpenSSL says in words alone what is wrong with it. */
function probePkcs12(options: SecureContextOptions): void {
  try {
    secureContext(options);
  } catch (error) {
    const said = describe(error);
    const cause = new Error(said);
    if (/mac verify|invalid password/i.test(said)) {
      const message = 'kme.passphraseFile does not hold the passphrase of kme.pkcs12';
      throw new QkdSyncError('config', message, { hint: 'check kme.passphraseFile', cause });
    }
    if (/unsupported/i.test(said)) {
      throw new QkdSyncError(
        'config',
        'kme.pkcs12 is encrypted with a cipher that OpenSSL 3 no longer takes',
        {
          hint: `export it anew: ${REEXPORT}`,
          cause,
        },
      );
    }
    throw wrong('kme.pkcs12 is not a PKCS#12 file with a certificate and its private key', cause);
  }
}

const REEXPORT =
  'openssl pkcs12 -legacy -in OLD.p12 -nodes | openssl pkcs12 -export -out NEW.p12, in a folder that nobody else reads';

function wrong(message: string, cause?: Error): QkdSyncError {
  return new QkdSyncError('config', message, {
    hint: 'check kme.ca, kme.cert, kme.key, kme.pkcs12 and kme.serverName',
    cause,
  });
}
