/** The KME pair over real HTTPS with mutual TLS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Agent } from 'undici';
import { parse } from 'yaml';
import { systemClock } from '../../../src/base/clock.js';
import { systemRandom } from '../../../src/base/random.js';
import { startKmePair, type KmePair, type KmePairOptions } from '../../../src/kme-pair/kme-pair.js';
import type { KmeRequest } from '../../../src/kme-pair/kme-server.js';
import { ask, saeAgent, type KmeAnswer } from '../../support/sae-client.js';

let root: string;
let dir: string;
let pair: KmePair;
let saeA: Agent;
let saeB: Agent;
const seen: KmeRequest[] = [];
const talk: string[] = [];

const start = (options: Partial<KmePairOptions> = {}): Promise<KmePair> =>
  startKmePair({
    dir,
    portA: 0,
    portB: 0,
    clock: systemClock,
    random: systemRandom,
    log: (level, event, message, fields) => talk.push(JSON.stringify([level, event, message, fields])),
    ...options,
  });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kme-pair-'));
  dir = join(root, 'pair');
  pair = await start({ onRequest: (request) => seen.push(request) });
  saeA = await saeAgent(dir, 'sae-a');
  saeB = await saeAgent(dir, 'sae-b');
});

afterAll(async () => {
  await saeA.destroy();
  await saeB.destroy();
  await pair.close();
  await rm(root, { recursive: true });
});

interface Container {
  keys: { key_ID: string; key: string }[];
}

const status = (): string => `${pair.urlA}/api/v1/keys/sae-b/status`;
const encKeys = (query = ''): string => `${pair.urlA}/api/v1/keys/sae-b/enc_keys${query}`;
const decKeys = (query = ''): string => `${pair.urlB}/api/v1/keys/sae-a/dec_keys${query}`;

const keysOf = (answer: KmeAnswer): Container['keys'] => {
  expect(answer.status).toBe(200);
  return (answer.body as Container).keys;
};
const idsOf = (keys: Container['keys']): { key_IDs: { key_ID: string }[] } => ({
  key_IDs: keys.map(({ key_ID }) => ({ key_ID })),
});
const refused = (status: number, message: RegExp): object => ({
  status,
  body: expect.objectContaining({ message: expect.stringMatching(message) }) as unknown,
});

async function listenAnywhere(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

describe('status', () => {
  it('answers with every field of the standard', async () => {
    const answer = await ask(saeA, status());
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.body).toEqual({
      source_KME_ID: 'kme-a',
      target_KME_ID: 'kme-b',
      master_SAE_ID: 'sae-a',
      slave_SAE_ID: 'sae-b',
      key_size: 256,
      stored_key_count: expect.any(Number) as unknown,
      max_key_count: 100_000,
      max_key_per_request: 128,
      max_key_size: 1_024,
      min_key_size: 64,
      max_SAE_ID_count: 0,
    });
  });

  it('counts a key that waits for its slave SAE, until it is fetched', async () => {
    const count = async (): Promise<number> =>
      ((await ask(saeA, status())).body as { stored_key_count: number }).stored_key_count;
    const before = await count();
    const keys = keysOf(await ask(saeA, encKeys('?number=2')));
    expect(await count()).toBe(before - 2);
    await ask(saeB, decKeys(), idsOf(keys));
    expect(await count()).toBe(before);
  });
});

describe('enc_keys and dec_keys', () => {
  it('bring the same keys to both SAEs by POST, in the order of the request', async () => {
    const made = keysOf(await ask(saeA, encKeys(), { number: 3, size: 512 }));
    expect(made).toHaveLength(3);
    for (const { key_ID, key } of made) {
      expect(key_ID).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Buffer.from(key, 'base64')).toHaveLength(64);
      expect(Buffer.from(key, 'base64').toString('base64')).toBe(key);
    }
    const backwards = made.toReversed();
    expect(keysOf(await ask(saeB, decKeys(), idsOf(backwards)))).toEqual(backwards);
  });

  it('bring one key of the default size by GET', async () => {
    const [made] = keysOf(await ask(saeA, encKeys()));
    expect(Buffer.from(made?.key ?? '', 'base64')).toHaveLength(32);
    expect(keysOf(await ask(saeB, decKeys(`?key_ID=${made?.key_ID ?? ''}`)))).toEqual([made]);
  });

  it('work in the other direction too', async () => {
    const made = keysOf(await ask(saeB, `${pair.urlB}/api/v1/keys/sae-a/enc_keys`, {}));
    const got = await ask(saeA, `${pair.urlA}/api/v1/keys/sae-b/dec_keys`, idsOf(made));
    expect(keysOf(got)).toEqual(made);
  });

  it('deliver a key once', async () => {
    const made = keysOf(await ask(saeA, encKeys()));
    keysOf(await ask(saeB, decKeys(), idsOf(made)));
    expect(await ask(saeB, decKeys(), idsOf(made))).toMatchObject(refused(400, /not found/));
  });

  it('deliver all or none', async () => {
    const made = keysOf(await ask(saeA, encKeys('?number=2')));
    const foreign = { key_ID: '00000000-0000-4000-8000-000000000000', key: '' };
    const answer = await ask(saeB, decKeys(), idsOf([...made, foreign]));
    expect(answer).toMatchObject(refused(400, /not found/));
    expect(answer.body).toHaveProperty('details', [{ key_ID: foreign.key_ID }]);
    expect(keysOf(await ask(saeB, decKeys(), idsOf(made)))).toEqual(made);
  });

  it('refuse the master SAE the keys that it made for the slave SAE', async () => {
    const made = keysOf(await ask(saeA, encKeys()));
    const answer = await ask(saeA, `${pair.urlA}/api/v1/keys/sae-b/dec_keys`, idsOf(made));
    expect(answer).toMatchObject(refused(401, /another SAE/));
    expect(keysOf(await ask(saeB, decKeys(), idsOf(made)))).toEqual(made);
  });
});

describe('access', () => {
  it('is 401 for an SAE of the other KME', async () => {
    const answer = await ask(saeB, `${pair.urlA}/api/v1/keys/sae-b/enc_keys`, { number: 1 });
    expect(answer).toMatchObject(refused(401, /not registered with kme-a/));
  });

  it.each([
    ['no certificate', undefined],
    ['a certificate of the sites’ CA', 'a'],
    ['a certificate that is for servers', 'kme-b'],
  ])('ends in the TLS handshake with %s, and goes on for others', async (_, name) => {
    const before = seen.length;
    const stranger = await saeAgent(dir, name);
    await expect(ask(stranger, status())).rejects.toThrow();
    await stranger.destroy();
    expect(seen).toHaveLength(before);
    expect((await ask(saeA, status())).status).toBe(200);
  });

  it('needs TLS 1.2', async () => {
    const [ca, cert, key] = await Promise.all(
      ['kme-ca.pem', 'sae-a.pem', 'sae-a.key'].map((name) => readFile(join(dir, name))),
    );
    const port = Number(new URL(pair.urlA).port);
    const outcome = (version: 'TLSv1.1' | 'TLSv1.2'): Promise<string> =>
      new Promise((resolve) => {
        const socket = connectTls({
          host: '127.0.0.1',
          port,
          ...{ ca, cert, key },
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0', // OpenSSL's default forbids 1.1 on the client's side already
        });
        socket.once('secureConnect', () => {
          resolve('connected');
          socket.destroy();
        });
        socket.once('error', () => {
          resolve('refused');
        });
      });
    expect(await outcome('TLSv1.1')).toBe('refused');
    expect(await outcome('TLSv1.2')).toBe('connected');
  });
});

describe('HTTP', () => {
  it('knows no other path', async () => {
    for (const path of ['/', '/api/v1/keys/sae-b', '/api/v1/keys/sae-b/status/', '/api/v1/keys/%zz/status'])
      expect(await ask(saeA, pair.urlA + path)).toMatchObject(refused(404, /path/));
  });

  it('names the allowed methods', async () => {
    const answer = await ask(saeA, encKeys(), {}, { method: 'PUT' });
    expect(answer).toMatchObject(refused(405, /GET or POST/));
    expect(answer.headers['allow']).toBe('GET, POST');
    expect((await ask(saeA, status(), {}, { method: 'POST' })).headers['allow']).toBe('GET');
  });

  it('bounds the body', async () => {
    const answer = await ask(saeA, encKeys(), { pad: 'x'.repeat(100_000) });
    expect(answer).toMatchObject(refused(400, /longer than \d+ bytes/));
    expect(seen.at(-1)).toMatchObject({ call: 'enc_keys', status: 400 });
  });

  it('answers what is no HTTP with 400', async () => {
    const [ca, cert, key] = await Promise.all(
      ['kme-ca.pem', 'sae-a.pem', 'sae-a.key'].map((name) => readFile(join(dir, name))),
    );
    const text = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(pair.urlA).port), ca, cert, key });
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
      socket.once('end', () => {
        resolve(received);
      });
      socket.once('error', reject);
      socket.write('no such thing\r\n\r\n');
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toContain('"message"');
  });
});

describe('the observer', () => {
  it('is told of each request, and neither it nor the log of any key', async () => {
    const before = seen.length;
    const made = keysOf(await ask(saeA, encKeys(), { number: 2 }));
    const got = keysOf(await ask(saeB, decKeys(), idsOf(made)));
    const delivered = made.map(({ key_ID }) => key_ID);
    expect(seen.slice(before)).toEqual([
      { kme: 'kme-a', sae: 'sae-a', call: 'enc_keys', method: 'POST', status: 200, delivered },
      { kme: 'kme-b', sae: 'sae-b', call: 'dec_keys', method: 'POST', status: 200, delivered },
    ]);
    const said = talk.join('\n') + JSON.stringify(seen);
    for (const { key } of got) {
      expect(said).not.toContain(key);
      expect(said).not.toContain(Buffer.from(key, 'base64').toString('hex'));
    }
  });
});

describe('the pair', () => {
  it('runs out of keys, and does so all or none', async () => {
    const own = await start({ dir: join(root, 'stock'), stock: 3 });
    const agent = await saeAgent(join(root, 'stock'), 'sae-a');
    const url = `${own.urlA}/api/v1/keys/sae-b/enc_keys`;
    keysOf(await ask(agent, url, { number: 2 }));
    const answer = await ask(agent, url, { number: 2 });
    expect(answer).toMatchObject(refused(503, /not enough keys/));
    expect(answer.body).toHaveProperty('details', [{ stored_key_count: '1' }]);
    keysOf(await ask(agent, url, { number: 1 }));
    expect((await ask(agent, url)).status).toBe(503);
    await agent.destroy();
    await own.close();
  });

  it('says which port is in use, and leaves none open', async () => {
    const inUse = createServer();
    const portB = await listenAnywhere(inUse);
    const free = createServer();
    const portA = await listenAnywhere(free);
    await new Promise((resolve) => free.close(resolve));

    await expect(start({ portA, portB })).rejects.toMatchObject({
      code: 'config',
      message: `cannot listen on port ${portB} of 127.0.0.1: it is in use`,
      hint: expect.stringContaining('--listen') as unknown,
    });
    await new Promise((resolve) => inUse.close(resolve));
    const again = await start({ portA, portB });
    await again.close();
  });

  it('leaves none open where a settings file was taken over', async () => {
    const own = await start({ dir: join(root, 'taken') });
    await own.close();
    await writeFile(own.configB, 'mine: true\n');
    const ports = { portA: Number(new URL(own.urlA).port), portB: Number(new URL(own.urlB).port) };
    await expect(start({ dir: join(root, 'taken'), ...ports })).rejects.toMatchObject({ code: 'config' });
    const again = await start(ports);
    await again.close();
  });

  it('refuses credentials that do not fit together', async () => {
    const own = await start({ dir: join(root, 'mixed') });
    await own.close();
    await copyFile(join(root, 'mixed', 'kme-b.key'), join(root, 'mixed', 'kme-a.key'));
    await expect(start({ dir: join(root, 'mixed') })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('credentials of kme-a') as unknown,
    });
  });

  it('refuses a port that is none', async () => {
    await expect(start({ portA: 70_000 })).rejects.toMatchObject({ code: 'config' });
  });

  it('closes although connections are open, in TLS and before', async () => {
    const own = await start({ dir: join(root, 'close') });
    const agent = await saeAgent(join(root, 'close'), 'sae-a');
    await ask(agent, `${own.urlA}/api/v1/keys/sae-b/status`); // stays open, idle
    const silent = connectTcp(Number(new URL(own.urlB).port), '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    const gone = new Promise((resolve) => silent.once('close', resolve));
    silent.once('error', () => undefined);
    await own.close(); // the server's own time-outs are longer than this test's
    await own.close();
    await gone;
    await expect(ask(agent, `${own.urlA}/api/v1/keys/sae-b/status`)).rejects.toThrow();
    await agent.destroy();
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some((own) => own.address === '::1'),
  );
  (hasIpv6 ? it : it.skip)('listens on the other loopback address where told so', async () => {
    const own = await start({ dir: join(root, 'six'), host: '::1', peerPort: 7_001 });
    const agent = await saeAgent(join(root, 'six'), 'sae-b');
    expect(own.urlB).toMatch(/^https:\/\/\[::1\]:\d+$/);
    expect((await ask(agent, `${own.urlB}/api/v1/keys/sae-a/status`)).status).toBe(200);
    await agent.destroy();
    await own.close();
    expect(parse(await readFile(own.configA, 'utf8'))).toMatchObject({
      kme: { url: own.urlA },
      peers: { B: { address: '[::1]:7001' } },
    });
  });
});
