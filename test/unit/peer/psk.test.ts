import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  A,
  B,
  certificatePair,
  dial,
  Ears,
  failure,
  newPsk,
  PSK,
  Sites,
  type CertificatePair,
} from '../../support/site-channel.js';

const sites = new Sites();
let pair: CertificatePair;

beforeAll(async () => {
  pair = await certificatePair();
});
afterEach(() => sites.close());

const psk = newPsk();

describe('two ends with the same key', () => {
  test.each([32, 512])('of %i bytes', async (bytes) => {
    const shared = newPsk(bytes);
    const b = await sites.listen({ auth: PSK, peers: [{ ...A, psk: shared }] });
    const atA = await dial(b.port, { auth: PSK, peer: { ...B, psk: shared } });
    const atB = await b.channel();

    expect(atA).toMatchObject({ peer: 'B', security: { method: 'psk', version: 'TLSv1.3' } });
    expect(atA.security.suite).toMatch(/^TLS_(CHACHA20_POLY1305|AES_128_GCM)_SHA256$/);
    expect(atA.security.group).toMatch(/^X25519/);
    expect(atB.peer).toBe('A');

    const ears = new Ears(atB);
    atA.send('hello');
    expect(await ears.frame()).toBe('hello');
  });

  test('of sites with the longest IDs', async () => {
    const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
    const listener = await sites.listen({ auth: PSK, site: b, peers: [{ site: a, name: a, psk }] });
    const channel = await dial(listener.port, { auth: PSK, site: a, peer: { site: b, name: b, psk } });
    expect(channel.peer).toBe(b);
  });

  test('of several peers the one whose identity it is', async () => {
    const c = newPsk();
    const b = await sites.listen({
      auth: PSK,
      peers: [
        { ...A, psk },
        { site: 'C', name: 'C', psk: c },
      ],
    });
    await dial(b.port, { auth: PSK, site: 'C', peer: { ...B, psk: c } });
    expect((await b.channel()).peer).toBe('C');
  });
});

describe('the listener refuses, logs, and goes on', () => {
  test.each([
    ['a wrong key', 'A', newPsk()],
    ['an identity that it does not know', 'X', psk],
    ["another peer's identity with its own key", 'C', psk],
  ])('%s', async (_what, site, key) => {
    const peers = [
      { ...A, psk },
      { site: 'C', name: 'C', psk: newPsk() },
    ];
    const b = await sites.listen({ auth: PSK, peers });
    expect(await failure(dial(b.port, { auth: PSK, site, peer: { ...B, psk: key } }))).toMatchObject({
      code: 'peer-refused',
      hint: expect.stringContaining('peers.B.pskFile'),
    });
    const line = await b.log.nth('connection-refused', 1);
    expect(line).toMatchObject({ level: 'warn', message: expect.stringContaining(`qkd-sync.v1|${site}|B`) });
    expect(line.fields['remote']).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(b.channels).toHaveLength(0);

    await dial(b.port, { auth: PSK, peer: { ...B, psk } });
    expect((await b.channel()).peer).toBe('A');
  });

  test('the other direction of the same pair', async () => {
    const b = await sites.listen({ auth: PSK, site: 'A', peers: [{ ...B, psk }] });
    const error = await failure(dial(b.port, { auth: PSK, site: 'A', peer: { ...B, psk } }));
    expect(error.code).toBe('peer-refused');
    expect(b.channels).toHaveLength(0);
  });

  test('a client with a certificate', async () => {
    const b = await sites.listen({ auth: PSK, peers: [{ ...A, psk }] });
    expect(await failure(dial(b.port, { auth: pair.a }))).toMatchObject({
      code: 'peer-refused',
      hint: expect.stringContaining('or both pskFile'),
    });
    expect((await b.log.nth('connection-refused', 1)).level).toBe('warn');
    expect(b.channels).toHaveLength(0);
  });
});

test('the key is in no error and in no log', async () => {
  const b = await sites.listen({ auth: PSK, peers: [{ ...A, psk: newPsk() }] });
  const error = await failure(dial(b.port, { auth: PSK, peer: { ...B, psk } }));
  await b.log.nth('connection-refused', 1);
  const said = JSON.stringify([error.message, error.hint, String(error.cause), b.log.lines]);
  const bytes = Buffer.from(psk.reveal());
  expect(said).not.toContain(bytes.toString('hex'));
  expect(said).not.toContain(bytes.toString('base64'));
});
