/**
 * A certificate authority in memory, for credentials that only try things out.
 *
 * Calling sequence: `makeAuthority`, then `issue` for each holder; then forget it. The CA's private key is never
 * exported, so nobody can issue more later. Everything is PEM, private keys PKCS#8, ECDSA P-256 with SHA-256.
 * This module loads the X.509 library: import it only where credentials are made.
 *
 * Errors: none are expected; what the library or the cryptography throws is a bug.
 */
import 'reflect-metadata'; // before the next one, which needs it
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

/** Clocks of two machines differ: a certificate is valid from an hour before it was made. */
const BACKDATE_MS = 60 * 60 * 1_000;
const VALID_YEARS = 10;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** A certificate and its private key. */
export interface Credential {
  readonly cert: string;
  readonly key: string;
}

/** Whom a certificate names, and for which end of a TLS connection it is good. */
export interface Holder {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly ('server' | 'client')[];
  /** The certificate was good for a day and is no longer. */
  readonly expired?: true;
}

export interface Authority {
  /** The CA's own certificate: what others trust. */
  readonly cert: string;
  issue(holder: Holder): Promise<Credential>;
  /** Certificates of several kinds for one private key: that of the first. */
  issueKinds(first: Holder, others: readonly Holder[]): Promise<Credential & { readonly others: string[] }>;
}

export interface CertificateSources {
  readonly clock: Clock;
  readonly random: Random;
}

/** A new CA whose certificate bears `commonName`. */
export async function makeAuthority(commonName: string, sources: CertificateSources): Promise<Authority> {
  const issuer = [{ CN: [commonName] }];
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...frame(sources),
    name: issuer,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  const sign = async (holder: Holder, { publicKey }: webcrypto.CryptoKeyPair): Promise<string> => {
    const leaf = await X509CertificateGenerator.create({
      ...frame(sources, holder.expired),
      subject: [{ CN: [holder.commonName] }],
      issuer,
      publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension(holder.usages.map(extendedUsage)),
        await SubjectKeyIdentifierExtension.create(publicKey),
        await AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...alternativeNames(holder),
      ],
    });
    return ended(leaf.toString('pem'));
  };

  const issueKinds: Authority['issueKinds'] = async (first, others) => {
    const own = await makeKeys();
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
    return {
      cert: await sign(first, own),
      key: ended(PemConverter.encode(pkcs8, PemConverter.PrivateKeyTag)),
      others: await Promise.all(others.map((holder) => sign(holder, own))),
    };
  };

  return {
    cert: ended(certificate.toString('pem')),
    issue: (holder) => issueKinds(holder, []),
    issueKinds,
  };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** What every certificate has: serial number, validity and how it is signed. */
function frame(
  { clock, random }: CertificateSources,
  expired = false,
): {
  serialNumber: string;
  notBefore: Date;
  notAfter: Date;
  signingAlgorithm: typeof SIGNATURE;
} {
  const notBefore = new Date(clock.now() - (expired ? 2 * DAY_MS : BACKDATE_MS));
  notBefore.setUTCMilliseconds(0);
  const notAfter = new Date(notBefore);
  if (expired) notAfter.setTime(notBefore.getTime() + DAY_MS);
  else notAfter.setUTCFullYear(notAfter.getUTCFullYear() + VALID_YEARS);
  return { serialNumber: serialNumber(random), notBefore, notAfter, signingAlgorithm: SIGNATURE };
}

/** 126 random bits. The highest is 0 and the next 1: a positive INTEGER of exactly 16 bytes (RFC 5280, 4.1.2.2). */
function serialNumber(random: Random): string {
  const [first = 0, ...others] = random(16);
  return Buffer.from([(first & 0x3f) | 0x40, ...others]).toString('hex');
}

function extendedUsage(usage: 'server' | 'client'): ExtendedKeyUsage {
  switch (usage) {
    case 'server':
      return ExtendedKeyUsage.serverAuth;
    case 'client':
      return ExtendedKeyUsage.clientAuth;
  }
}

/** No extension where there are no names: an empty one would be malformed. */
function alternativeNames(holder: Holder): SubjectAlternativeNameExtension[] {
  const names = [
    ...(holder.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(holder.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  return names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
}

function ended(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
