/** Certificates for tests: a CA of their own, and what it signs. */
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  /** None means no SAN extension at all. */
  readonly san?: x509.JsonGeneralNames;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface TestCa {
  readonly cert: string;
  issue(subject: Subject): Promise<Credentials>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export async function makeTestCa(commonName: string): Promise<TestCa> {
  x509.cryptoProvider.set(webcrypto);
  const caKeys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys: caKeys,
    ...validity({}),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    cert: ca.toString('pem'),
    async issue(subject) {
      const keys = await generateKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        subject: [{ CN: [subject.commonName] }],
        issuer: ca.subject,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        ...validity(subject),
        extensions: subject.san === undefined ? [] : [new x509.SubjectAlternativeNameExtension(subject.san)],
      });
      return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
    },
  };
}

/** An hour back by default, for clocks that run apart. */
function validity({ notBefore, notAfter }: Pick<Subject, 'notBefore' | 'notAfter'>): {
  notBefore: Date;
  notAfter: Date;
} {
  const now = Date.now();
  return {
    notBefore: notBefore ?? new Date(now - DAY_MS / 24),
    notAfter: notAfter ?? new Date(now + DAY_MS),
  };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}
