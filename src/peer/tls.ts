/**
 * TLS between two sites: the options of both ends, and the proof that the other end has authenticated itself.
 *
 * TLS 1.3 only. Tickets are off, for a resumed session would let an end in on what it once proved; and as
 * TLS 1.3 shows a pre-shared key as a resumed session, "resumed" must mean the pre-shared key and nothing else.
 *
 * Error contract: `config` where a credential is no PEM, does not fit, or this Node lacks what was asked for.
 */
import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type ConnectionOptions, type TlsOptions, type TLSSocket } from 'node:tls';
import { describe, QkdSyncError } from '../base/errors.js';
import { carriesName, certificateNames } from './certificate-names.js';
import { pskCredential, type ChannelAuth, type PeerIdentity } from './credentials.js';
import { PskTable } from './psk-table.js';

/** Key agreement that also holds against a quantum computer: OpenSSL 3.5 has it. */
const HYBRID_GROUP = 'X25519MLKEM768';
const CLASSICAL_GROUPS = 'X25519:P-256:P-384';

/** A pre-shared key without a hash of its own goes with SHA-256 (RFC 8446, 4.2.11), so these two only. */
const PSK_SUITES = 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

/** What `security` and the proofs need of a TLS socket. */
export type ProvenSocket = Pick<TLSSocket, 'authorized' | 'isSessionReused' | 'getPeerCertificate'>;

export interface TlsSettings {
  readonly site: string;
  readonly auth: Exclude<ChannelAuth, { kind: 'none' }>;
  /** Refuse any key agreement but the hybrid one. */
  readonly requireHybrid: boolean;
}

/** Whether this Node's OpenSSL knows the group. */
function knowsGroup(group: string): boolean {
  try {
    createSecureContext({ ecdhCurve: group });
    return true;
  } catch {
    // OpenSSL keeps the failure for this thread, and the next read on some open TLS connection would take it for its
    // own and break. A context that can be made takes it away.
    createSecureContext();
    return false;
  }
}

/** The groups to offer, best first. */
function groups(requireHybrid: boolean): string {
  const hybrid = knowsGroup(HYBRID_GROUP);
  if (!requireHybrid) return hybrid ? `${HYBRID_GROUP}:${CLASSICAL_GROUPS}` : CLASSICAL_GROUPS;
  if (hybrid) return HYBRID_GROUP;
  throw new QkdSyncError('config', `this Node has no ${HYBRID_GROUP}, which channel.requireHybrid demands`, {
    hint: `it needs OpenSSL 3.5 (Node 22.20, 24.5 or later); this is Node ${process.versions.node} with OpenSSL ${process.versions.openssl}`,
  });
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificates in `pem`, one by one. Node takes an empty `ca` for "trust whom the system trusts" and reads
 * over what it cannot parse, so both must be found here.
 */
function certificatesIn(pem: string, setting: string): string[] {
  const certificates = pem.match(PEM_CERTIFICATE) ?? [];
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (cause) {
    throw new QkdSyncError('config', `${setting} holds a certificate that cannot be read`, { cause });
  }
  if (certificates.length > 0) return certificates;
  throw new QkdSyncError('config', `${setting} holds no certificate`, {
    hint: 'PEM is expected: -----BEGIN CERTIFICATE-----',
  });
}

/** What both ends have in common. */
function commonOptions({ auth, requireHybrid }: TlsSettings): ConnectionOptions & TlsOptions {
  const common = {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ecdhCurve: groups(requireHybrid),
    secureOptions: constants.SSL_OP_NO_TICKET,
    rejectUnauthorized: true,
  } as const;
  // An empty list, and not none: an end with a pre-shared key trusts no certificate at all.
  if (auth.kind === 'psk') return { ...common, ca: [], ciphers: PSK_SUITES };
  const { ca, cert, key } = auth;
  certificatesIn(cert, 'channel.cert');
  const options = { ...common, ca: certificatesIn(ca, 'channel.ca'), cert, key };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new QkdSyncError('config', `channel.cert and channel.key cannot be used: ${describe(cause)}`, {
      hint: 'channel.key must be the unencrypted PEM key of the certificate in channel.cert',
      cause,
    });
  }
  return options;
}

/** The name check of the dialling side, in the place of Node's, which is about host names. */
function checkName(peer: PeerIdentity, names: readonly string[]): Error | undefined {
  if (carriesName(names, peer.name)) return undefined;
  return new QkdSyncError('peer-refused', `the peer's certificate is not ${peer.name}'s`, {
    hint: `it carries ${names.length > 0 ? names.join(', ') : 'no name'}: see peers.${peer.site}.name`,
  });
}

/** The options to dial `peer` with. */
export function dialOptions(settings: TlsSettings, peer: PeerIdentity): ConnectionOptions {
  const common = commonOptions(settings);
  if (settings.auth.kind === 'certificates') {
    return {
      ...common,
      checkServerIdentity: (_, certificate) => checkName(peer, certificateNames(certificate)),
    };
  }
  const credential = pskCredential(peer, settings.site, peer.site);
  if (credential === undefined) {
    throw new QkdSyncError('config', `there is no pre-shared key for ${peer.site}`, {
      hint: `set peers.${peer.site}.pskFile, or use certificates (channel.cert)`,
    });
  }
  return { ...common, pskCallback: () => credential, checkServerIdentity: () => undefined };
}

/** The options to listen with, and the table of pre-shared keys where these authenticate. */
export interface ListenTls {
  readonly kind: TlsSettings['auth']['kind'];
  readonly options: TlsOptions;
  readonly pskTable: PskTable | undefined;
}

/** Two peers of one name would both be refused at every connection, and nobody would know why. */
function requireDistinctNames(peers: readonly PeerIdentity[]): void {
  for (const peer of peers) {
    const twin = peers.find((other) => other !== peer && carriesName([other.name], peer.name));
    if (twin === undefined) continue;
    throw new QkdSyncError('config', `${peer.site} and ${twin.site} have the same name ${peer.name}`, {
      hint: `set peers.${peer.site}.name and peers.${twin.site}.name to what their certificates carry`,
    });
  }
}

export function listenOptions(settings: TlsSettings, peers: readonly PeerIdentity[]): ListenTls {
  const options = commonOptions(settings);
  if (settings.auth.kind === 'certificates') {
    requireDistinctNames(peers);
    return { kind: 'certificates', options: { ...options, requestCert: true }, pskTable: undefined };
  }
  const pskTable = new PskTable(settings.site, peers);
  if (pskTable.size > 0) return { kind: 'psk', options, pskTable };
  throw new QkdSyncError('config', 'there is no pre-shared key for any peer', {
    hint: 'set pskFile of a peer, or use certificates (channel.cert)',
  });
}

/**
 * Why the other end of `socket` has not authenticated itself; undefined where it has. A server with nothing but a
 * certificate passes Node's own check at a client with a pre-shared key, so this decides.
 */
export function unproven(socket: ProvenSocket, kind: TlsSettings['auth']['kind']): string | undefined {
  const resumed = socket.isSessionReused();
  switch (kind) {
    case 'certificates':
      if (resumed) return 'it resumed an old session';
      return socket.authorized ? undefined : 'its certificate is not trusted';
    case 'psk':
      if (!resumed) return 'it did not use the pre-shared key';
      return Object.keys(socket.getPeerCertificate()).length > 0
        ? 'it sent a certificate in the place of the pre-shared key'
        : undefined;
  }
}
