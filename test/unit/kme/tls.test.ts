import { once } from 'node:events';
import { createServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { QkdSyncError } from '../../../src/base/errors.js';
import { Secret } from '../../../src/base/key.js';
import { agentOptions } from '../../../src/kme/tls.js';
import type { KmeTls } from '../../../src/kme/tls.js';
import { makeTestCa } from '../../support/certificates.js';
import type { Credentials, Subject, TestCa } from '../../support/certificates.js';
import { CERTIFICATE, OLD_PKCS12, PASSPHRASE, PKCS12 } from '../../support/pkcs12.js';
import { errorOf, makeTestClient } from '../../support/kme-client.js';

const never = new AbortController().signal;
const LOOPBACK: Subject = { commonName: 'kme-a', san: [{ type: 'ip', value: '127.0.0.1' }] };
const cleanUps: (() => Promise<void>)[] = [];
let ca: TestCa;
let otherCa: TestCa;
let sae: Credentials;

beforeAll(async () => {
  [ca, otherCa] = await Promise.all([makeTestCa('test CA'), makeTestCa('other CA')]);
  sae = await ca.issue({ commonName: 'sae-a' });
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Seen {
  readonly versions: (string | null)[];
  readonly clients: unknown[];
  readonly names: unknown[];
  readonly paths: unknown[];
}

/** Asks a KME behind `server` for its status; what the server saw of it. */
async function ask(
  server: ServerOptions,
  tls: KmeTls,
  { host = '127.0.0.1', prefix = '' }: { host?: string; prefix?: string } = {},
): Promise<Seen> {
  const seen: Seen = { versions: [], clients: [], names: [], paths: [] };
  const https = createServer(server, (request, response) => {
    const { socket } = request;
    if (!(socket instanceof TLSSocket) || !('servername' in socket)) throw new Error('no TLS');
    // Without a certificate it is an empty object, whatever its type says.
    const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
    seen.versions.push(socket.getProtocol());
    seen.clients.push(certificate.subject?.CN);
    seen.names.push(socket.servername);
    seen.paths.push(request.url);
    response.end('{}');
  });
  const sockets = new Set<Socket>();
  https.on('connection', (socket: Socket) => sockets.add(socket));
  https.on('tlsClientError', () => undefined);
  https.listen(0, host === '[::1]' ? '::1' : '127.0.0.1');
  await once(https, 'listening');
  const url = `https://${host}:${(https.address() as AddressInfo).port}${prefix}`;
  const { kme } = makeTestClient({ url, tls });
  cleanUps.push(async () => {
    await kme.close();
    for (const socket of sockets) socket.destroy();
    https.close();
    await once(https, 'close');
  });
  await kme.status('sae-b', never);
  return seen;
}

const failure = (server: ServerOptions, tls: KmeTls): Promise<QkdSyncError> => errorOf(ask(server, tls));

describe('a KME with a good certificate', () => {
  test.each([['TLSv1.2'], ['TLSv1.3']] as const)('%s with mutual authentication', async (version) => {
    const server = {
      ...(await ca.issue(LOOPBACK)),
      ca: ca.cert,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: version,
      maxVersion: version,
    };
    const seen = await ask(server, { ca: ca.cert, ...sae });
    expect(seen).toMatchObject({ versions: [version], clients: ['sae-a'] });
  });

  test.each([
    ['only in the CN, without SAN', { commonName: 'kme-a' }],
    ['in the SAN', { commonName: 'x', san: [{ type: 'dns' as const, value: 'kme-a' }] }],
  ])('that bears serverName %s', async (_name, subject) => {
    const seen = await ask(await ca.issue(subject), { ca: ca.cert, serverName: 'kme-a' });
    expect(seen.names).toEqual(['kme-a']);
  });

  test.each([
    ['KME 1 (Alice)', { commonName: 'KME 1 (Alice)' }, false],
    ['kme_a', { commonName: 'kme_a' }, 'kme_a'],
  ])('that has no SAN and a CN that is no host name: %s', async (name, subject, sent) => {
    const seen = await ask(await ca.issue(subject), { ca: ca.cert, serverName: name });
    expect(seen.names).toEqual([sent]);
  });

  test.each([
    ['127.0.0.1', [{ type: 'ip' as const, value: '127.0.0.1' }]],
    ['[::1]', [{ type: 'ip' as const, value: '::1' }]],
    ['localhost', [{ type: 'dns' as const, value: 'localhost' }]],
  ])('at https://%s:PORT/PREFIX, with a certificate for that alone', async (host, san) => {
    const server = await ca.issue({ commonName: 'x', san });
    const seen = await ask(server, { ca: ca.cert }, { host, prefix: '/consumer' });
    expect(seen.paths).toEqual(['/consumer/api/v1/keys/sae-b/status']);
  });

  test('that knows us by a PKCS#12 file', async () => {
    const server = {
      ...(await ca.issue(LOOPBACK)),
      ca: CERTIFICATE,
      requestCert: true,
      rejectUnauthorized: true,
    };
    const tls = { ca: ca.cert, pkcs12: PKCS12, passphrase: passphraseOf(PASSPHRASE) };
    const seen = await ask(server, tls);
    expect(seen.clients).toEqual(['sae-a']);
  });

  test('whose serverName is an IP address', async () => {
    const server = await ca.issue({ commonName: 'x', san: [{ type: 'ip', value: '192.0.2.1' }] });
    expect((await ask(server, { ca: ca.cert, serverName: '192.0.2.1' })).names).toEqual([false]);
  });
});

describe('a KME that is not to be trusted', () => {
  const hour = 3_600_000;

  test.each([
    [
      'expired',
      { ...LOOPBACK, notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) },
    ],
    ['not valid yet', { ...LOOPBACK, notBefore: new Date(Date.now() + hour) }],
  ])('%s', async (why, subject) => {
    const error = await failure(await ca.issue(subject), { ca: ca.cert });
    expect(error.code).toBe('kme-unreachable');
    expect(error.message).toContain(why);
    expect(error.hint).toContain('clock');
  });

  test.each([
    ['of another CA', true],
    ['of a private CA, without kme.ca', false],
  ])('%s', async (_name, withCa) => {
    const error = await failure(await otherCa.issue(LOOPBACK), withCa ? { ca: ca.cert } : {});
    expect(error).toMatchObject({ code: 'kme-unreachable', message: expect.stringContaining('unknown CA') });
    expect(error.hint).toContain('kme.ca');
  });

  test.each([
    ['the URL', { commonName: '127.0.0.1', san: [{ type: 'dns' as const, value: 'kme-a' }] }, undefined],
    ['serverName, though it bears the address of the URL', LOOPBACK, 'kme-b'],
    ['serverName, though its CN does', { ...LOOPBACK, san: [{ type: 'dns' as const, value: 'x' }] }, 'kme-a'],
    ['serverName in another case of an IP address', LOOPBACK, '127.0.0.2'],
  ])('that bears another name than %s', async (_name, subject, serverName) => {
    const error = await failure(await ca.issue(subject), { ca: ca.cert, serverName });
    expect(error).toMatchObject({
      code: 'kme-unreachable',
      message: expect.stringContaining('another name'),
    });
    expect(error.hint).toContain('kme.serverName');
  });

  test('that bears another name: the names that it bears are told', async () => {
    const subject = { commonName: 'x', san: [{ type: 'dns' as const, value: 'kme-a.example' }] };
    const error = await failure(await ca.issue(subject), { ca: ca.cert, serverName: 'kme-b' });
    expect(error.message).toContain('another name than kme-b: it bears DNS:kme-a.example');
  });

  test('that has a SAN, whatever its CN: only a certificate without one is known by its CN', async () => {
    const subject = { commonName: 'KME 1', san: [{ type: 'dns' as const, value: 'x' }] };
    const error = await failure(await ca.issue(subject), { ca: ca.cert, serverName: 'KME 1' });
    expect(error.message).toContain('it bears DNS:x');
  });
});

describe('a KME that refuses us', () => {
  test.each([['TLSv1.2'], ['TLSv1.3']] as const)('for want of a certificate, %s', async (version) => {
    const server = {
      ...(await ca.issue(LOOPBACK)),
      ca: ca.cert,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: version,
      maxVersion: version,
    };
    const error = await failure(server, { ca: ca.cert });
    // In TLS 1.3 a server that hangs up instead of sending an alert does so after the request has gone out.
    expect(error.code).toBe(version === 'TLSv1.2' ? 'kme-refused' : 'kme-unreachable');
    expect(error.hint).toContain('kme.cert');
  });

  test('for want of a common TLS version', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const error = await failure({ ...(await ca.issue(LOOPBACK)), ...old }, { ca: ca.cert });
    expect(error).toMatchObject({ code: 'kme-unreachable', message: expect.stringContaining('TLS 1.2') });
  });
});

const passphraseOf = (text: string): Secret => new Secret(Buffer.from(text));

describe('agentOptions', () => {
  test('a PKCS#12 file with ciphers of old: how to export it anew', async () => {
    const tls = { pkcs12: OLD_PKCS12, passphrase: passphraseOf(PASSPHRASE) };
    const error = await errorOf(() => agentOptions(tls, 1_000));
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining('OpenSSL 3') });
    expect(error.hint).toContain('openssl pkcs12 -legacy');
  });

  test('says aloud what the environment could change', () => {
    const said = { rejectUnauthorized: true, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };
    expect(agentOptions({}, 1_000)).toMatchObject({ connect: said, allowH2: false, maxCachedSessions: 0 });
  });

  test.each([
    ['kme.ca', () => ({ ca: 'no PEM' })],
    ['kme.ca', () => ({ ca: '' })],
    ['kme.cert', () => ({ cert: 'no PEM', key: sae.key })],
    ['kme.key', () => ({ cert: sae.cert, key: sae.key.replace(/^M.{30}/m, 'geheim') })],
    ['do not belong together', () => ({ cert: ca.cert, key: sae.key })],
    ['kme.cert is set without kme.key', () => ({ cert: sae.cert })],
    ['kme.key is set without kme.cert', () => ({ key: sae.key })],
    ['kme.serverName', () => ({ serverName: '' })],
    ['kme.pkcs12 is not a PKCS#12', () => ({ pkcs12: Buffer.from('0geheim') })],
    [
      'kme.cert and kme.pkcs12 are both set',
      () => ({ ...sae, pkcs12: PKCS12, passphrase: passphraseOf(PASSPHRASE) }),
    ],
    ['does not hold the passphrase', () => ({ pkcs12: PKCS12, passphrase: passphraseOf('geheim') })],
    ['does not hold the passphrase', () => ({ pkcs12: PKCS12 })],
  ])('refuses what cannot be used: %s', async (name, tls) => {
    const error = await errorOf(() => agentOptions(tls(), 1_000));
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining(name) });
    expect(error.message).not.toContain('geheim');
  });
});
