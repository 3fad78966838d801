/**
 * Reads the files of certificates and keys that settings name, and checks that they hold what they should.
 *
 * Errors: QkdSyncError `config`, with the setting, the file and what was expected, never with the content.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { clean, QkdSyncError } from '../base/errors.js';
import { Secret } from '../base/key.js';
import { readBounded } from './bounded-file.js';
import type { Origin } from './raw.js';
import type { Found } from './reader.js';

/** The name of a file, and the setting that it comes from. */
export type FoundFile = Found<string>;

const PEM_CERTIFICATES = 'a PEM file with at least one certificate';
const PEM_KEY = 'a PEM file with a private key, without passphrase';

/** Shorter ones can be guessed offline; longer ones are more than OpenSSL takes. */
const PSK_MIN_BYTES = 32;
const PSK_MAX_BYTES = 512;
const PSK = `${PSK_MIN_BYTES} to ${PSK_MAX_BYTES} secret bytes in hex or base64`;

/** The PEM text of one or more certificates. */
export async function readCertificates(file: FoundFile): Promise<string> {
  const pem = await readText(file, PEM_CERTIFICATES);
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return reject(file, 'holds no certificate', PEM_CERTIFICATES);
  const isReadable = blocks.every((block) => isGood(() => new X509Certificate(block)));
  return isReadable ? pem : reject(file, 'holds a broken certificate', PEM_CERTIFICATES);
}

/** The PEM text of a certificate and of its private key. */
export async function readPair(
  certFile: FoundFile,
  keyFile: FoundFile,
): Promise<{ readonly cert: string; readonly key: string }> {
  const cert = await readCertificates(certFile);
  const key = await readPrivateKey(keyFile);
  // Where a file holds a chain, the first certificate is the owner's.
  if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key };
  // What was given for this run alone is the likelier mistake.
  if (overrides(certFile, keyFile)) {
    const expected = `that of the private key in ${show(keyFile)} (${keyFile.origin.subject})`;
    return reject(certFile, 'holds the certificate of another key', expected);
  }
  const expected = `the private key of the certificate in ${show(certFile)} (${certFile.origin.subject})`;
  return reject(keyFile, 'holds the key of another certificate', expected);
}

const STRENGTH = { flag: 3, environment: 2, file: 1, default: 0 } as const satisfies Record<
  Origin['kind'],
  number
>;

function overrides(one: FoundFile, other: FoundFile): boolean {
  return STRENGTH[one.origin.kind] > STRENGTH[other.origin.kind];
}

async function readPrivateKey(file: FoundFile): Promise<string> {
  const pem = await readText(file, PEM_KEY);
  const isKey = pem.includes('PRIVATE KEY-----') && isGood(() => createPrivateKey(pem));
  return isKey ? pem : reject(file, 'holds no usable private key', PEM_KEY);
}

/** The bytes of a pre-shared key. */
export async function readPsk(file: FoundFile): Promise<Secret> {
  const content = await readBounded(file.value);
  if (content.bytes === undefined) {
    // Whoever has put the key itself where its file's name belongs must not see it in a log.
    if ((decodePsk(file.text)?.byteLength ?? 0) < PSK_MIN_BYTES)
      return reject(file, content.mistake, `a file with ${PSK}`);
    const expected = 'the name of a file that holds it';
    throw new QkdSyncError(
      'config',
      `${file.origin.subject} seems to be the key itself: expected ${expected}`,
    );
  }
  const decoded = decodePsk(content.bytes.toString('latin1'));
  content.bytes.fill(0);
  if (decoded === undefined) return reject(file, 'holds no pre-shared key', PSK);
  const { byteLength } = decoded;
  if (byteLength >= PSK_MIN_BYTES && byteLength <= PSK_MAX_BYTES) return new Secret(decoded);
  decoded.fill(0);
  return reject(file, `holds ${byteLength} bytes`, PSK);
}

/** The bytes of a PKCS#12 file; whether they are one is found out with the passphrase, where TLS is set up. */
export async function readPkcs12(file: FoundFile): Promise<Uint8Array> {
  const content = await readBounded(file.value);
  if (content.bytes === undefined) return reject(file, content.mistake, 'a PKCS#12 file');
  // DER's SEQUENCE, which PEM text does not begin with.
  return content.bytes[0] === 0x30 ? content.bytes : reject(file, 'is no DER', 'a PKCS#12 file');
}

/** The one line of a file, without the line break at its end. */
export async function readPassphrase(file: FoundFile): Promise<Secret> {
  const content = await readBounded(file.value);
  if (content.bytes === undefined) return rejectUnshown(file, content.mistake);
  const text = content.bytes.toString('utf8').replace(/\r?\n$/, '');
  content.bytes.fill(0);
  if (/[\r\n\0]/.test(text)) return reject(file, 'has several lines', 'the passphrase on one line');
  return new Secret(Buffer.from(text));
}

/** Whoever has put the passphrase itself where its file's name belongs must not see it in a log. */
function rejectUnshown(file: FoundFile, mistake: string): never {
  const message = `${file.origin.subject}: the file that it names ${mistake}: expected a file with the passphrase`;
  throw new QkdSyncError('config', message);
}

/** Hex, else base64; line breaks and spaces do not count. Text that is both is hex. */
function decodePsk(text: string): Uint8Array | undefined {
  const dense = text.replace(/\s+/g, '');
  if (dense === '') return undefined;
  if (/^(?:[0-9a-f]{2})+$/i.test(dense)) return Buffer.from(dense, 'hex');
  const isBase64 = dense.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(dense);
  return isBase64 ? Buffer.from(dense, 'base64') : undefined;
}

async function readText(file: FoundFile, expected: string): Promise<string> {
  const content = await readBounded(file.value);
  if (content.bytes === undefined) return reject(file, content.mistake, expected);
  return content.bytes.toString('latin1');
}

function reject(file: FoundFile, what: string, expected: string): never {
  throw new QkdSyncError('config', `${file.origin.subject}: ${show(file)} ${what}: expected ${expected}`);
}

function show(file: FoundFile): string {
  return clean(file.value, 300);
}

function isGood(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
