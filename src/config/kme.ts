/**
 * How this site reaches its KME: one or several, with what credentials, and in what dialect.
 *
 * What is wrong goes to `problems`; undefined is the answer where there is no KME at all. Nothing throws.
 */
import { isLoopbackHost } from '../base/loopback.js';
import { readPairOf } from './auth.js';
import { readCertificates, readPassphrase, readPkcs12 } from './credentials.js';
import type { Problems } from './problems.js';
import type { Found, Reader } from './reader.js';
import { SETTINGS } from './settings-table.js';
import type { KmeSettings } from './settings.js';
import { quote } from './shape.js';

export async function readKme(reader: Reader, problems: Problems): Promise<KmeSettings | undefined> {
  const urls = reader.require(SETTINGS.kmeUrl, problems);
  const insecure = reader.value(SETTINGS.kmeInsecure);
  if (urls !== undefined && !insecure) requireProtection(urls, problems);
  const method = reader.value(SETTINGS.kmeMethod);
  const encMethod = reader.find(SETTINGS.kmeEncMethod)?.value ?? method;
  const decMethod = reader.find(SETTINGS.kmeDecMethod)?.value ?? method;
  const mandatory = reader.find(SETTINGS.kmeExtensionMandatory);
  const optional = reader.find(SETTINGS.kmeExtensionOptional);
  if (encMethod === 'get') requireQueries([mandatory, optional], problems);
  const caFile = reader.find(SETTINGS.kmeCa);
  const ca = caFile && (await problems.collect(readCertificates(caFile)));
  const credentials = await readCredentials(reader, problems);
  const serverName = reader.find(SETTINGS.kmeServerName)?.value;
  const maxPerRequest = reader.find(SETTINGS.kmeMaxPerRequest)?.value;
  if (urls === undefined) return undefined;
  return {
    urls: urls.value,
    insecure,
    ...(ca === undefined ? {} : { ca }),
    ...credentials,
    ...(serverName === undefined ? {} : { serverName }),
    encMethod,
    decMethod,
    extensions: {
      ...(mandatory && { mandatory: mandatory.value }),
      ...(optional && { optional: optional.value }),
    },
    timeoutMs: reader.value(SETTINGS.kmeTimeout),
    waitMs: reader.value(SETTINGS.kmeWait),
    ...(maxPerRequest === undefined ? {} : { maxPerRequest }),
    parallel: reader.value(SETTINGS.kmeParallel),
  };
}

type Credentials = Pick<KmeSettings, 'cert' | 'key' | 'pkcs12' | 'passphrase'>;

async function readCredentials(reader: Reader, problems: Problems): Promise<Credentials | undefined> {
  const [certFile, keyFile] = [reader.find(SETTINGS.kmeCert), reader.find(SETTINGS.kmeKey)];
  const [pkcs12File, passphraseFile] = [
    reader.find(SETTINGS.kmePkcs12),
    reader.find(SETTINGS.kmePassphraseFile),
  ];
  const pem = certFile ?? keyFile;
  if (pkcs12File !== undefined && pem !== undefined) {
    const message = `${pem.origin.subject} and ${pkcs12File.origin.subject} are both set: expected one or the other`;
    problems.add('config', message);
    return undefined;
  }
  if (certFile !== undefined) reader.require(SETTINGS.kmeKey, problems);
  if (keyFile !== undefined) reader.require(SETTINGS.kmeCert, problems);
  if (passphraseFile !== undefined) reader.require(SETTINGS.kmePkcs12, problems);
  if (pkcs12File === undefined) return readPairOf(certFile, keyFile, problems);
  const pkcs12 = await problems.collect(readPkcs12(pkcs12File));
  const passphrase = passphraseFile && (await problems.collect(readPassphrase(passphraseFile)));
  return pkcs12 && { pkcs12, ...(passphrase === undefined ? {} : { passphrase }) };
}

/** Keys in the clear leave no host, unless somebody says so. */
function requireProtection({ value, origin }: Found<readonly string[]>, problems: Problems): void {
  for (const url of value) {
    const { protocol, hostname } = new URL(url);
    if (protocol === 'https:' || isLoopbackHost(hostname)) continue;
    problems.addAt(
      origin,
      ` is ${quote(url)}: expected https://, or http:// on a loopback address`,
      'for a lab, kme.insecure: true takes it all the same, and keys travel in the clear',
    );
  }
}

type Extensions = Found<readonly Readonly<Record<string, unknown>>[]>;

/** A query has room for names and simple values only, and some names are taken. */
function requireQueries(found: readonly (Extensions | undefined)[], problems: Problems): void {
  const names = new Set(['number', 'size']);
  for (const { value, origin } of found.flatMap((one) => one ?? [])) {
    for (const [name, content] of value.flatMap((entry) => Object.entries(entry))) {
      const isSimple = ['string', 'number', 'boolean'].includes(typeof content);
      if (!isSimple) {
        const expected = 'text, a number, true or false, because enc_keys is asked by get';
        problems.addAt(origin, ` has ${quote(name)} of another kind: expected ${expected}`);
      } else if (names.has(name)) {
        problems.addAt(
          origin,
          ` has ${quote(name)} again: expected each name once, because enc_keys is asked by get`,
        );
      }
      names.add(name);
    }
  }
}
