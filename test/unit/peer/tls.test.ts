import { beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createSecureContext, createServer } from 'node:tls';
import { dialOptions, listenOptions, unproven } from '../../../src/peer/tls.js';
import { A, B, certificatePair, newPsk, PSK, type CertificatePair } from '../../support/site-channel.js';

let pair: CertificatePair;
beforeAll(async () => {
  pair = await certificatePair();
});

const config = (text: string): unknown =>
  expect.objectContaining({ code: 'config', message: expect.stringContaining(text) });

function hybridKnown(): boolean {
  try {
    createSecureContext({ ecdhCurve: 'X25519MLKEM768' });
    return true;
  } catch {
    return false;
  }
}

describe('credentials that cannot work are config errors', () => {
  test.each([
    ['an empty CA, which Node would take for the trust of the system', 'ca', '', 'channel.ca'],
    ['a CA that is no PEM', 'ca', 'hello', 'channel.ca'],
    [
      'a CA with a damaged certificate',
      'ca',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      'channel.ca',
    ],
    ['no certificate', 'cert', '', 'channel.cert'],
    ['a key that is none', 'key', 'hello', 'channel.key'],
  ])('%s', (_what, field, text, named) => {
    const auth = { ...pair.a, [field]: text };
    expect(() => dialOptions({ site: 'A', auth, requireHybrid: false }, B)).toThrow(config(named));
  });

  test("another certificate's key", () => {
    const auth = { ...pair.a, key: pair.b.key };
    expect(() => dialOptions({ site: 'A', auth, requireHybrid: false }, B)).toThrow(config('channel.key'));
  });

  test('no pre-shared key, at either end', () => {
    const settings = { site: 'A', auth: PSK, requireHybrid: false } as const;
    expect(() => dialOptions(settings, B)).toThrow(config('no pre-shared key for B'));
    expect(() => listenOptions(settings, [B])).toThrow(config('no pre-shared key for any peer'));
  });

  test('two peers of one name', () => {
    const peers = [A, { site: 'C', name: 'a' }];
    expect(() => listenOptions({ site: 'B', auth: pair.b, requireHybrid: false }, peers)).toThrow(
      config('the same name'),
    );
  });
});

test('requireHybrid offers that group alone, or is a config error where Node has none', () => {
  const make = (requireHybrid: boolean): unknown =>
    dialOptions({ site: 'A', auth: pair.a, requireHybrid }, B).ecdhCurve;
  if (hybridKnown()) {
    expect(make(true)).toBe('X25519MLKEM768');
    expect(make(false)).toMatch(/^X25519MLKEM768:X25519:/);
  } else {
    expect(() => make(true)).toThrow(config('X25519MLKEM768'));
    expect(make(false)).toMatch(/^X25519:/);
  }
});

test('both ends speak TLS 1.3 alone, and a pre-shared key trusts no certificate', () => {
  const peer = { ...B, psk: newPsk() };
  const options = dialOptions({ site: 'A', auth: PSK, requireHybrid: false }, peer);
  expect(options).toMatchObject({
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ca: [],
    rejectUnauthorized: true,
  });
  expect(listenOptions({ site: 'A', auth: PSK, requireHybrid: false }, [peer]).options).toMatchObject({
    minVersion: 'TLSv1.3',
    ca: [],
  });
});

describe('unproven', () => {
  const socket = (
    authorized: boolean,
    resumed: boolean,
    certificate: object,
  ): Parameters<typeof unproven>[0] =>
    ({
      authorized,
      isSessionReused: () => resumed,
      getPeerCertificate: () => certificate,
    }) as Parameters<typeof unproven>[0];

  test('a pre-shared key shows as a resumed session without a certificate', () => {
    expect(unproven(socket(true, true, {}), 'psk')).toBeUndefined();
    expect(unproven(socket(true, false, {}), 'psk')).toMatch(/did not use/);
    expect(unproven(socket(true, false, { subject: {} }), 'psk')).toMatch(/did not use/);
    expect(unproven(socket(true, true, { subject: {} }), 'psk')).toMatch(/certificate/);
  });

  test('a certificate must be trusted in this very session', () => {
    expect(unproven(socket(true, false, { subject: {} }), 'certificates')).toBeUndefined();
    expect(unproven(socket(false, false, { subject: {} }), 'certificates')).toMatch(/not trusted/);
    expect(unproven(socket(true, true, { subject: {} }), 'certificates')).toMatch(/resumed/);
  });
});

test('looking for the hybrid group leaves open connections alone', async () => {
  const psk = Buffer.alloc(32, 1);
  const plain = {
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    pskCallback: () => ({ identity: 'a', psk }),
  } as const;
  const server = createServer({ ...plain, pskCallback: () => psk }, (socket) => {
    socket.on('error', () => undefined).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ ...plain, host: '127.0.0.1', port, checkServerIdentity: () => undefined });
  try {
    await once(socket, 'secureConnect');
    for (let turn = 0; turn < 3; turn += 1) {
      dialOptions({ site: 'A', auth: PSK, requireHybrid: false }, { ...B, psk: newPsk() });
      socket.write('still there');
      expect(String(await once(socket, 'data'))).toBe('still there');
    }
  } finally {
    socket.destroy();
    server.close();
  }
});
