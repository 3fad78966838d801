import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import type { Fetch } from '../../../src/kme/http.js';
import { allOf, errorOf, globalFetch, makeTestClient, spellings } from '../../support/kme-client.js';
import type { TestClient, TestOptions } from '../../support/kme-client.js';

const ORIGIN = 'https://kme-a.test:8443';
const PATH = '/api/v1/keys/sae-b';
const never = new AbortController().signal;
const key = (keyId: string, fill: number): object => ({
  key_ID: keyId,
  key: Buffer.alloc(32, fill).toString('base64'),
});
const client = (options: Partial<TestOptions> = {}): TestClient =>
  makeTestClient({ url: ORIGIN, fetch: globalFetch, ...options });
const kme = nock(ORIGIN);

beforeAll(() => {
  nock.disableNetConnect();
});
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});
afterAll(() => {
  nock.restore();
});

describe('requests', () => {
  test('enc_keys by POST: two integers and nothing else', async () => {
    let body = '';
    kme
      .post(`${PATH}/enc_keys`, (sent: unknown) => {
        body = JSON.stringify(sent);
        return true;
      })
      .matchHeader('content-type', 'application/json')
      .reply(200, { keys: [key('b', 2), key('a', 1)] });
    const keys = await client().kme.getKey('sae-b', { number: 2, size: 256 }, never);
    expect(body).toBe('{"number":2,"size":256}');
    expect(keys.map(({ keyId, secret }) => [keyId, secret.reveal()[0]])).toEqual([
      ['b', 2],
      ['a', 1],
    ]);
  });

  test('enc_keys by GET', async () => {
    kme.get(`${PATH}/enc_keys?number=1&size=256`).reply(200, { keys: [key('a', 1)] });
    const keys = await client({ method: 'get' }).kme.getKey('sae-b', { number: 1, size: 256 }, never);
    expect(keys).toHaveLength(1);
  });

  test('dec_keys by POST: one request for all, answered in any order', async () => {
    kme
      .post(`${PATH}/dec_keys`, { key_IDs: [{ key_ID: 'a+1' }, { key_ID: 'b' }] })
      .reply(200, { keys: [key('b', 2), key('a+1', 1)] });
    const keys = await client().kme.getKeyWithKeyIds('sae-b', ['a+1', 'b'], 256, never);
    expect(keys.map(({ keyId, secret }) => [keyId, secret.reveal()[0]])).toEqual([
      ['a+1', 1],
      ['b', 2],
    ]);
  });

  test('dec_keys by GET: one request after the other, plus signs encoded', async () => {
    const paths: string[] = [];
    const seen: Fetch = (url, init) => {
      paths.push(url);
      return globalFetch(url, init);
    };
    kme.get(/dec_keys/).reply(200, { keys: [key('a+/ä', 1)] });
    kme.get(/dec_keys/).reply(200, { keys: [key('b', 2)] });
    const { kme: client2 } = client({ method: 'get', fetch: seen });
    const keys = await client2.getKeyWithKeyIds('sae-b', ['a+/ä', 'b'], 256, never);
    expect(paths).toEqual([
      `${ORIGIN}${PATH}/dec_keys?key_ID=a%2B%2F%C3%A4`,
      `${ORIGIN}${PATH}/dec_keys?key_ID=b`,
    ]);
    expect(keys.map(({ keyId }) => keyId)).toEqual(['a+/ä', 'b']);
  });

  test('dec_keys by GET ends at the first ID that fails', async () => {
    kme.get(`${PATH}/dec_keys?key_ID=a`).reply(200, { keys: [key('a', 1)] });
    kme.get(`${PATH}/dec_keys?key_ID=b`).reply(400, { message: 'unknown key' });
    const { kme: getter } = client({ method: 'get' });
    const error = await errorOf(getter.getKeyWithKeyIds('sae-b', ['a', 'b', 'c'], 256, never));
    expect(error).toMatchObject({ code: 'kme-empty', message: expect.stringContaining('unknown key') });
  });

  test.each([['post'], ['get']] as const)(
    'status is always GET (%s), below a path prefix',
    async (method) => {
      kme.get('/consumer/api/v1/keys/sae%20b/status').reply(200, { stored_key_count: 7, key_size: null });
      const { kme: prefixed } = client({ method, url: `${ORIGIN}/consumer/` });
      expect(await prefixed.status('sae b', never)).toEqual({ storedKeyCount: 7 });
    },
  );

  test('a request that makes no sense is a bug, and nothing is sent', async () => {
    const { kme: asked } = client();
    await expect(asked.getKey('sae-b', { number: 0, size: 256 }, never)).rejects.toThrow(RangeError);
    await expect(asked.getKey('sae-b', { number: 1, size: 12 }, never)).rejects.toThrow(RangeError);
    await expect(asked.getKeyWithKeyIds('sae-b', [], 256, never)).rejects.toThrow(RangeError);
    await expect(asked.getKeyWithKeyIds('sae-b', ['a', 'a'], 256, never)).rejects.toThrow(RangeError);
    await expect(asked.getKeyWithKeyIds('sae-b', ['a\n'], 256, never)).rejects.toThrow(RangeError);
  });

  test('plain http is refused at construction', async () => {
    expect((await errorOf(() => client({ url: 'http://kme-a.test' }))).code).toBe('config');
  });
});

describe('HTTP errors', () => {
  test.each([
    [400, { message: 'size too big' }, 'kme-empty', /HTTP 400: size too big$/, /exchange.size/],
    [400, { message: 'bad', details: [{ x: 'y' }] }, 'kme-empty', /bad \[\{"x":"y"\}\]$/, /kme.wait/],
    [400, { message: 'Unknown SAE' }, 'kme-refused', /Unknown SAE$/, /peers.<site>.sae/],
    [
      404,
      { detail: 'slave_SAE_ID not found' },
      'kme-refused',
      /HTTP 404: slave_SAE_ID not found$/,
      /peers.<site>.sae/,
    ],
    [
      422,
      { detail: [{ msg: 'field required' }, { msg: 'bad' }] },
      'kme-empty',
      /field required; bad$/,
      /kme.wait/,
    ],
    [400, '<h1>400</h1> No required SSL certificate was sent', 'kme-refused', /our certificate/, /kme.cert/],
    [401, { message: 'who are you' }, 'kme-refused', /HTTP 401: who are you$/, /kme.cert/],
    [403, '', 'kme-refused', /HTTP 403$/, /kme.cert/],
    [404, '<h1>Not\nFound</h1>', 'kme-empty', /HTTP 404: <h1>Not Found<\/h1>$/, /kme.url/],
    [405, '', 'config', /HTTP 405$/, /kme.method.*kme.encMethod/],
    [500, 'no '.repeat(50_000), 'kme-empty', /HTTP 500: (?:no ){66}no…$/, /kme.wait/],
    [503, { message: 'no keys' }, 'kme-empty', /HTTP 503: no keys$/, /kme.wait/],
    [429, '', 'kme-empty', /HTTP 429$/, /kme.wait/],
  ])('%i %j', async (status, body, code, message, hint) => {
    kme.post(`${PATH}/enc_keys`).reply(status, body);
    const error = await errorOf(client().kme.getKey('sae-b', { number: 1, size: 256 }, never));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test.each([[301], [302], [307], [308]])('a redirect by %i is not followed', async (status) => {
    kme.post(`${PATH}/enc_keys`).reply(status, '', { location: 'http://elsewhere.test/keys' });
    const error = await errorOf(client().kme.getKey('sae-b', { number: 1, size: 256 }, never));
    expect(error.code).toBe('kme-answer');
    expect(error.message).toContain('http://elsewhere.test/keys');
  });

  test.each([[201], [202], [204], [304]])('%i is no answer, and its body is not quoted', async (status) => {
    kme.get(`${PATH}/enc_keys?number=1&size=256`).reply(status, status < 203 ? 'geheim' : undefined);
    const { kme: getter } = client({ method: 'get' });
    const error = await errorOf(getter.getKey('sae-b', { number: 1, size: 256 }, never));
    expect(error).toMatchObject({ code: 'kme-answer', message: expect.stringContaining(`HTTP ${status}`) });
    expect(allOf(error)).not.toContain('geheim');
  });

  test.each([[400], [401], [503]])('a key container sent as %i is not quoted', async (status) => {
    kme.post(`${PATH}/enc_keys`).reply(status, { keys: [key('a', 7)] });
    const error = await errorOf(client().kme.getKey('sae-b', { number: 1, size: 256 }, never));
    for (const spelling of spellings(Buffer.alloc(32, 7))) expect(allOf(error)).not.toContain(spelling);
  });
});

describe('a busy KME', () => {
  test('is asked again after 100 ms, doubling to 5 s, one last time at the end of the wait', async () => {
    kme.post(`${PATH}/enc_keys`).times(11).reply(503, { message: 'no keys' });
    const { kme: asked, clock, lines } = client({ waitMs: 22_000 });
    const start = clock.monotonic();
    const error = await errorOf(asked.getKey('sae-b', { number: 1, size: 256 }, never));
    expect(error).toMatchObject({ code: 'kme-empty', message: expect.stringContaining('no keys') });
    expect(lines.map(({ fields }) => fields?.['pauseMs'])).toEqual([
      100,
      200,
      400,
      800,
      1_600,
      3_200,
      5_000,
      5_000,
      5_000,
      700,
      undefined,
    ]);
    expect(clock.monotonic() - start).toBe(22_000);
    expect(lines[0]).toMatchObject({ level: 'step', event: 'kme-try' });
    expect(clock.pending).toBe(0);
  });

  test.each([['enc_keys'], ['dec_keys']] as const)('gives its keys when it has some: %s', async (call) => {
    kme.post(`${PATH}/${call}`).reply(503).post(`${PATH}/${call}`).reply(429);
    kme.post(`${PATH}/${call}`).reply(200, { keys: [key('a', 1)] });
    const { kme: asked, lines } = client({ waitMs: 1_000 });
    const keys =
      call === 'enc_keys'
        ? await asked.getKey('sae-b', { number: 1, size: 256 }, never)
        : await asked.getKeyWithKeyIds('sae-b', ['a'], 256, never);
    expect(keys).toHaveLength(1);
    expect(lines.map(({ fields }) => [fields?.['try'], fields?.['came'], fields?.['pauseMs']])).toEqual([
      [1, 'kme-empty', 100],
      [2, 'kme-empty', 200],
      [3, 'answered', undefined],
    ]);
  });

  test.each([[405], [302]])('that then says %i is not asked again', async (status) => {
    kme.post(`${PATH}/enc_keys`).reply(503).post(`${PATH}/enc_keys`).reply(status, '', { location: '/' });
    const { kme: asked } = client({ waitMs: 1_000 });
    const error = await errorOf(asked.getKey('sae-b', { number: 1, size: 256 }, never));
    expect(error.code).toBe(status === 405 ? 'config' : 'kme-answer');
  });

  test('the signal ends the wait', async () => {
    kme.post(`${PATH}/enc_keys`).reply(503);
    const abort = new AbortController();
    const { kme: asked, clock } = client({
      waitMs: 60_000,
      log: () => {
        queueMicrotask(() => {
          abort.abort();
        });
      },
    });
    const error = await errorOf(asked.getKey('sae-b', { number: 1, size: 256 }, abort.signal));
    expect(error.code).toBe('interrupted');
    expect(clock.pending).toBe(0);
  });
});
