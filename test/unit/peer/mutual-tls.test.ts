import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import {
  A,
  B,
  certificateAuth,
  certificatePair,
  dial,
  Ears,
  failure,
  newPsk,
  PSK,
  Sites,
  type CertificatePair,
} from '../../support/site-channel.js';
import { makeTestCa, type Subject } from '../../support/certificates.js';

const sites = new Sites();
let pair: CertificatePair;

beforeAll(async () => {
  pair = await certificatePair();
});
afterEach(() => sites.close());

/** That the listener still serves those whom it should. */
async function stillServes(port: number): Promise<void> {
  const channel = await dial(port, { auth: pair.a });
  await channel.close();
}

test('both ends know who the other is, and how they are protected', async () => {
  const b = await sites.listen({ auth: pair.b });
  const atA = await dial(b.port, { auth: pair.a });
  const atB = await b.channel();

  expect(atA).toMatchObject({
    peer: 'B',
    remote: `127.0.0.1:${b.port}`,
    security: { method: 'certificates', version: 'TLSv1.3' },
  });
  expect(atA.security.suite).toMatch(/^TLS_/);
  expect(atA.security.group).toMatch(/^X25519/);
  expect(atB).toMatchObject({ peer: 'A', security: { method: 'certificates', version: 'TLSv1.3' } });
  expect(atB.remote).toMatch(/^127\.0\.0\.1:\d+$/);

  const [earsA, earsB] = [new Ears(atA), new Ears(atB)];
  atA.send('hello');
  expect(await earsB.frame()).toBe('hello');
  atB.send('grüß dich');
  expect(await earsA.frame()).toBe('grüß dich');
});

test('a name in the SAN counts like a common name, whatever its case', async () => {
  const named: Subject = { commonName: 'x', san: [{ type: 'dns', value: 'gate.b.example' }] };
  const b = await sites.listen({
    auth: await certificateAuth(pair.ca, named),
    peers: [{ site: 'A', name: 'a' }],
  });
  const channel = await dial(b.port, { auth: pair.a, peer: { site: 'B', name: 'Gate.B.example' } });
  expect(channel.peer).toBe('B');
  expect((await b.channel()).peer).toBe('A');
});

test('of several peers the one whose name the certificate carries', async () => {
  const peers = [{ site: 'C', name: 'C' }, A, { site: 'D', name: 'D' }];
  const b = await sites.listen({ auth: pair.b, peers });
  await dial(b.port, { auth: pair.a });
  expect((await b.channel()).peer).toBe('A');
});

describe('the listener refuses, logs, and goes on', () => {
  test('a certificate of another CA', async () => {
    const b = await sites.listen({ auth: pair.b });
    const stranger = await certificateAuth(await makeTestCa('others'), { commonName: 'A' }, pair.ca);
    expect(await failure(dial(b.port, { auth: stranger }))).toMatchObject({
      code: 'peer-refused',
      hint: expect.stringContaining('channel.ca'),
    });
    const line = await b.log.nth('connection-refused', 1);
    expect(line.level).toBe('warn');
    expect(line.fields['remote']).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(line.fields['reason']).toMatch(/certificate is not trusted: UNABLE_TO_VERIFY/);
    await stillServes(b.port);
    expect(b.channels).toHaveLength(1);
  });

  test('an expired certificate', async () => {
    const b = await sites.listen({ auth: pair.b });
    const past = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() - 3_600_000) };
    const expired = await certificateAuth(pair.ca, { commonName: 'A', ...past });
    expect((await failure(dial(b.port, { auth: expired }))).code).toBe('peer-refused');
    expect((await b.log.nth('connection-refused', 1)).message).toContain('CERT_HAS_EXPIRED');
    expect(b.channels).toHaveLength(0);
  });

  test('a good certificate of somebody else, with 403 and the names in the log', async () => {
    const b = await sites.listen({ auth: pair.b });
    const other = await certificateAuth(pair.ca, {
      commonName: 'other',
      san: [{ type: 'dns', value: 'other.example' }],
    });
    expect(await failure(dial(b.port, { auth: other }))).toMatchObject({
      code: 'peer-refused',
      message: expect.stringContaining('403'),
      hint: expect.stringContaining('peers.A.name'),
    });
    expect((await b.log.nth('connection-refused', 1)).message).toContain('other.example, other');
    await stillServes(b.port);
    expect(b.channels).toHaveLength(1);
  });

  test('a certificate that carries the names of two peers', async () => {
    const b = await sites.listen({ auth: pair.b, peers: [A, { site: 'C', name: 'C' }] });
    const both = await certificateAuth(pair.ca, { commonName: 'A', san: [{ type: 'dns', value: 'C' }] });
    expect((await failure(dial(b.port, { auth: both }))).code).toBe('peer-refused');
    expect(b.channels).toHaveLength(0);
  });

  test('a client without a certificate, in TLS', async () => {
    const b = await sites.listen({ auth: pair.b });
    const error = await tlsFailure({ port: b.port, ca: pair.ca.cert });
    expect(error).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET/);
    expect((await b.log.nth('connection-refused', 1)).fields['reason']).toMatch(
      /did not return a certificate/,
    );
    await stillServes(b.port);
    expect(b.channels).toHaveLength(1);
  });

  test('TLS 1.2', async () => {
    const b = await sites.listen({ auth: pair.b });
    const { ca, cert, key } = pair.a;
    const options = { port: b.port, ca, cert, key, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    expect(await tlsFailure(options)).toMatch(/PROTOCOL_VERSION/);
    expect((await b.log.nth('connection-refused', 1)).message).toContain('unsupported protocol');
  });

  test('a client with a pre-shared key', async () => {
    const b = await sites.listen({ auth: pair.b });
    const error = await failure(dial(b.port, { auth: PSK, peer: { ...B, psk: newPsk() } }));
    expect(error).toMatchObject({ code: 'peer-refused', hint: expect.stringContaining('peers.B.pskFile') });
    await b.log.nth('connection-refused', 1);
    await stillServes(b.port);
    expect(b.channels).toHaveLength(1);
  });
});

describe('the dialling end refuses', () => {
  test('a certificate of another CA', async () => {
    const stranger = await certificateAuth(await makeTestCa('others'), { commonName: 'B' }, pair.ca);
    const b = await sites.listen({ auth: stranger });
    expect(await failure(dial(b.port, { auth: pair.a }))).toMatchObject({
      code: 'peer-refused',
      hint: expect.stringContaining('channel.ca'),
    });
    await b.log.nth('connection-refused', 1);
    expect(b.channels).toHaveLength(0);
  });

  test('a good certificate of somebody else, and says whose', async () => {
    const other = await certificateAuth(pair.ca, { commonName: 'C' });
    const b = await sites.listen({ auth: other });
    const error = await failure(dial(b.port, { auth: pair.a }));
    expect(error).toMatchObject({ code: 'peer-refused', hint: 'it carries C: see peers.B.name' });
    expect((await b.log.nth('connection-refused', 1)).message).toContain('hung up');
    expect(b.channels).toHaveLength(0);
  });

  test('the host name in the place of the configured name', async () => {
    const local = await certificateAuth(pair.ca, {
      commonName: 'localhost',
      san: [{ type: 'ip', value: '127.0.0.1' }],
    });
    const b = await sites.listen({ auth: local });
    expect((await failure(dial(b.port, { auth: pair.a }))).code).toBe('peer-refused');
  });
});

test('no old session lets anyone in without a certificate', async () => {
  const b = await sites.listen({ auth: pair.b });
  const { ca, cert, key } = pair.a;
  const session = await new Promise<Buffer | undefined>((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: b.port,
      ca,
      cert,
      key,
      checkServerIdentity: () => undefined,
    });
    let last: Buffer | undefined;
    socket.on('session', (ticket) => (last = ticket));
    socket.on('error', () => undefined);
    // An answer to this comes after the tickets, if there are any.
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: b\r\n\r\n'));
    socket.on('data', () => undefined);
    socket.on('close', () => {
      resolve(last);
    });
  });
  expect(session).toBeDefined();
  const error = await tlsFailure({ port: b.port, ca: pair.ca.cert, session });
  expect(error).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET/);
  expect(b.channels).toHaveLength(0);
});

/** The code with which a TLS client of somebody else's fails at the listener. */
function tlsFailure(options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      checkServerIdentity: () => undefined,
      ...options,
    });
    let code = 'closed without an error';
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
    socket.on('data', () => undefined);
    socket.on('close', () => {
      resolve(code);
    });
  });
}
