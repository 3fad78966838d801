/** What is asked again, what elsewhere, and what never: by the client as a whole, with KMEs that follow a script. */
import { describe, expect, test } from '@jest/globals';
import type { LogFields } from '../../../src/base/log.js';
import type { Fetch } from '../../../src/kme/http.js';
import { errorOf, makeTestClient } from '../../support/kme-client.js';
import type { LogLine, TestClient, TestOptions } from '../../support/kme-client.js';
import { containerOf, ScriptedKmes } from '../../support/scripted-kme.js';
import type { Said, Script } from '../../support/scripted-kme.js';

const never = new AbortController().signal;
const KEY: Said = [200, containerOf(['a'])];
const URLS = ['https://kme-a', 'https://kme-b:8443/path'];

interface Bench extends TestClient {
  readonly kmes: ScriptedKmes;
}

function bench(scripts: Readonly<Record<string, Script>>, options: Partial<TestOptions> = {}): Bench {
  const kmes = new ScriptedKmes(scripts);
  return { ...makeTestClient({ url: 'https://kme-a', fetch: kmes.fetch, waitMs: 1_000, ...options }), kmes };
}

const draw = ({ kme }: Bench): Promise<readonly unknown[]> =>
  kme.getKey('sae-b', { number: 1, size: 256 }, never);
const take = ({ kme }: Bench): Promise<readonly unknown[]> =>
  kme.getKeyWithKeyIds('sae-b', ['a'], 256, never);
const CALLS = [
  ['enc_keys', draw],
  ['dec_keys', take],
] as const;

const of = (lines: readonly LogLine[], event: string): LogFields[] =>
  lines.filter((line) => line.event === event).map(({ fields = {} }) => fields);

describe.each(CALLS)('%s at one KME', (call, ask) => {
  test.each([400, 401, 403, 404, 422, 429, 500, 501, 502, 503, 504])(
    'an HTTP error is a no and asked again: %i',
    async (status) => {
      const one = bench({ 'kme-a': [[status, 'no'], [status, 'no'], KEY] });
      expect(await ask(one)).toHaveLength(1);
      expect(one.kmes.calls).toEqual(Array(3).fill(`kme-a ${call}`));
      expect(of(one.lines, 'keys-lost')).toEqual([]);
    },
  );

  test('no keys with 200 is a no as well, and kme-empty at the end', async () => {
    const one = bench({ 'kme-a': [[200, { keys: [] }]] });
    const error = await errorOf(ask(one));
    expect(error).toMatchObject({ code: 'kme-empty', message: expect.stringContaining(call) });
    expect(error.hint).toContain('kme.wait');
    expect(one.kmes.calls.length).toBeGreaterThan(3);
    expect(of(one.lines, 'keys-lost')).toEqual([]);
  });

  test.each([
    [401, 'kme-refused'],
    [403, 'kme-refused'],
    [400, 'kme-empty'],
    [404, 'kme-empty'],
    [500, 'kme-empty'],
  ] as const)('%i for all of the wait is %s', async (status, code) => {
    const one = bench({ 'kme-a': [[status]] });
    expect((await errorOf(ask(one))).code).toBe(code);
  });

  test.each([
    ['a broken connection', 'cut', 'kme-unreachable'],
    ['no JSON', [200, 'Hello'], 'kme-answer'],
    ['a key that is too short', [200, containerOf(['a'], 16)], 'kme-answer'],
    ['201', [201, containerOf(['a'])], 'kme-answer'],
    ['204', [204], 'kme-answer'],
  ] as const)('%s is never asked again, nor elsewhere: keys are lost', async (_name, said, code) => {
    const one = bench({ 'kme-a': [said], 'kme-b': [KEY] }, { urls: URLS });
    expect((await errorOf(ask(one))).code).toBe(code);
    expect(one.kmes.calls).toEqual([`kme-a ${call}`]);
    expect(of(one.lines, 'keys-lost')).toMatchObject([
      { call, keys: 1, perhaps: said[0] !== 200 || said[1] === 'Hello' },
    ]);
  });

  test('what cannot be reached is not asked again, and nothing is lost', async () => {
    const one = bench({ 'kme-a': ['unsent'] });
    expect((await errorOf(ask(one))).code).toBe('kme-unreachable');
    expect(one.kmes.calls).toHaveLength(1);
    expect(of(one.lines, 'keys-lost')).toEqual([]);
  });

  test('each try is in the log, with what came of it', async () => {
    const one = bench({ 'kme-a': [[503], KEY] });
    await ask(one);
    expect(of(one.lines, 'kme-try')).toEqual([
      { call, kme: 'https://kme-a', try: 1, came: 'kme-empty', pauseMs: 100 },
      { call, kme: 'https://kme-a', try: 2, came: 'answered' },
    ]);
  });
});

describe('pauses', () => {
  test('are between half and all of what they may be', async () => {
    const shortest = bench({ 'kme-a': [[503], [503], KEY] }, { random: (count) => new Uint8Array(count) });
    await draw(shortest);
    expect(of(shortest.lines, 'kme-try').map(({ pauseMs }) => pauseMs)).toEqual([50, 100, undefined]);
  });

  test('are never shorter than Retry-After in seconds', async () => {
    const one = bench({ 'kme-a': [[503, '', { 'retry-after': '7' }], KEY] }, { waitMs: 10_000 });
    await draw(one);
    expect(of(one.lines, 'kme-try').map(({ pauseMs }) => pauseMs)).toEqual([7_000, undefined]);
  });

  test('nor than Retry-After as a date', async () => {
    // The test's clock stands at 1 s after the beginning of 1970.
    const date = 'Thu, 01 Jan 1970 00:00:09 GMT';
    const one = bench({ 'kme-a': [[429, '', { 'retry-after': date }], KEY] }, { waitMs: 10_000 });
    await draw(one);
    expect(of(one.lines, 'kme-try').map(({ pauseMs }) => pauseMs)).toEqual([8_000, undefined]);
  });

  test.each([['soon'], [''], ['-5'], ['1.5'], ['Thu, 01 Jan 1969 00:00:00 GMT']])(
    'take no heed of Retry-After: %j',
    async (text) => {
      const one = bench({ 'kme-a': [[503, '', { 'retry-after': text }], KEY] });
      await draw(one);
      expect(of(one.lines, 'kme-try').map(({ pauseMs }) => pauseMs)).toEqual([100, undefined]);
    },
  );

  test('a Retry-After beyond the wait ends it at once', async () => {
    const one = bench({ 'kme-a': [[401, '', { 'retry-after': '120' }], KEY] });
    const error = await errorOf(draw(one));
    expect(error).toMatchObject({ code: 'kme-empty', message: expect.stringContaining('2 min') });
    expect(error.hint).toContain('kme.wait');
    expect(one.kmes.calls).toHaveLength(1);
    expect(one.clock.monotonic()).toBe(1_000);
  });

  test('a Retry-After holds for the next request too, and not for status', async () => {
    const one = bench({ 'kme-a': [[503, '', { 'retry-after': '120' }], [200, {}], KEY] });
    await errorOf(draw(one));
    await one.kme.status('sae-b', never);
    expect((await errorOf(draw(one))).code).toBe('kme-empty');
    expect(one.kmes.calls).toEqual(['kme-a enc_keys', 'kme-a status']);
    one.clock.advance(120_000);
    expect(await draw(one)).toHaveLength(1);
  });
});

describe.each(CALLS)('%s at the second of two KMEs', (call, ask) => {
  test.each([
    ['no connection', 'unsent'],
    ['503', [503]],
    ['500', [500]],
    ['429', [429]],
    ['401', [401]],
    ['403', [403]],
    ['404', [404]],
    ['400, out of keys', [400, { message: 'keys depleted' }]],
    ['400, key unknown', [400, { message: 'key not found' }]],
    ['no keys', [200, { keys: [] }]],
    ['our certificate refused', [400, 'No required SSL certificate was sent']],
  ] as const)('after %s of the first, at once', async (_name, said) => {
    const one = bench({ 'kme-a': [said], 'kme-b': [KEY] }, { urls: URLS });
    expect(await ask(one)).toHaveLength(1);
    expect(one.kmes.calls).toEqual([`kme-a ${call}`, `kme-b ${call}`]);
    expect(one.kmes.urls[1]).toMatch(/^https:\/\/kme-b:8443\/path\/api\/v1\/keys\/sae-b\//);
    expect(one.clock.monotonic()).toBe(1_000);
    expect(one.kme.servedBy).toBe('https://kme-b:8443');
    expect(of(one.lines, 'kme-served')).toEqual([{ kme: 'https://kme-b:8443' }]);
    expect(one.lines[0]).toMatchObject({ level: 'warn', event: 'kme-try' });
  });

  test('and then first of all', async () => {
    const one = bench({ 'kme-a': ['unsent'], 'kme-b': [KEY] }, { urls: URLS });
    await ask(one);
    await ask(one);
    expect(one.kmes.calls).toEqual([`kme-a ${call}`, `kme-b ${call}`, `kme-b ${call}`]);
    expect(of(one.lines, 'kme-served')).toHaveLength(1);
  });

  test.each([
    ['302', [302, '', { location: 'http://x' }], 'kme-answer'],
    ['405', [405], 'config'],
  ] as const)('never after %s of the first', async (_name, said, code) => {
    const one = bench({ 'kme-a': [said], 'kme-b': [KEY] }, { urls: URLS });
    expect((await errorOf(ask(one))).code).toBe(code);
    expect(one.kmes.calls).toHaveLength(1);
  });

  test('each round asks both, and a no says more than no connection', async () => {
    const one = bench({ 'kme-a': ['unsent'], 'kme-b': [[503]] }, { urls: URLS, waitMs: 250 });
    expect((await errorOf(ask(one))).code).toBe('kme-empty');
    expect(one.kmes.calls).toEqual(
      Array(3)
        .fill([`kme-a ${call}`, `kme-b ${call}`])
        .flat(),
    );
  });

  test('both out of reach end it at once', async () => {
    const one = bench({}, { urls: URLS });
    expect((await errorOf(ask(one))).code).toBe('kme-unreachable');
    expect(one.kmes.calls).toEqual([`kme-a ${call}`, `kme-b ${call}`]);
    expect(one.kme.servedBy).toBeUndefined();
  });
});

test('a request that is wrong in itself is asked of the first KME alone', async () => {
  const one = bench({ 'kme-a': [[400, { message: 'bad size' }]], 'kme-b': [KEY] }, { urls: URLS });
  expect((await errorOf(draw(one))).code).toBe('kme-empty');
  expect(new Set(one.kmes.calls)).toEqual(new Set(['kme-a enc_keys']));
});

describe('status', () => {
  test('is asked once', async () => {
    const one = bench({ 'kme-a': [[503]] });
    expect((await errorOf(one.kme.status('sae-b', never))).code).toBe('kme-empty');
    expect(one.kmes.calls).toHaveLength(1);
  });

  test('is asked of the KME that can be reached', async () => {
    const one = bench({ 'kme-b': [[200, { stored_key_count: 3 }]] }, { urls: URLS });
    expect(await one.kme.status('sae-b', never)).toEqual({ storedKeyCount: 3 });
    expect(one.kme.servedBy).toBeUndefined();
  });

  test('is asked of the next where the first breaks off, which is then asked for keys last', async () => {
    const one = bench({ 'kme-a': ['cut'], 'kme-b': [[200, { stored_key_count: 3 }], KEY] }, { urls: URLS });
    expect(await one.kme.status('sae-b', never)).toEqual({ storedKeyCount: 3 });
    await draw(one);
    expect(one.kmes.calls).toEqual(['kme-a status', 'kme-b status', 'kme-b enc_keys']);
    expect(of(one.lines, 'keys-lost')).toEqual([]);
  });

  test('that one KME does not have changes nothing in their order for keys', async () => {
    const first: Script = (_body, call) => (call === 'status' ? [404] : KEY);
    const one = bench({ 'kme-a': first, 'kme-b': [[200, {}]] }, { urls: URLS });
    await one.kme.status('sae-b', never);
    await draw(one);
    expect(one.kmes.calls).toEqual(['kme-a status', 'kme-b status', 'kme-a enc_keys']);
  });

  test('is asked of nobody else once the run is told to stop', async () => {
    const stopped = new AbortController();
    const first: Script = () => {
      stopped.abort();
      return 'cut';
    };
    const one = bench({ 'kme-a': first, 'kme-b': [[200, {}]] }, { urls: URLS });
    expect((await errorOf(one.kme.status('sae-b', stopped.signal))).code).toBe('interrupted');
    expect(one.kmes.calls).toEqual(['kme-a status']);
  });

  test('loses no keys, whatever it brings', async () => {
    const one = bench({ 'kme-a': ['cut'] });
    expect((await errorOf(one.kme.status('sae-b', never))).code).toBe('kme-unreachable');
    expect(of(one.lines, 'keys-lost')).toEqual([]);
  });

  test('our certificate refused by a proxy has a cause, a refusal of the KME has none', async () => {
    const proxy = bench({ 'kme-a': [[400, 'The SSL certificate error']] });
    expect(await errorOf(proxy.kme.status('sae-b', never))).toMatchObject({
      code: 'kme-refused',
      cause: expect.any(Error),
    });
    const kme = bench({ 'kme-a': [[401, 'go away']] });
    const refusal = await errorOf(kme.kme.status('sae-b', never));
    expect(refusal).toMatchObject({ code: 'kme-refused' });
    expect(refusal.cause).toBeUndefined();
  });
});

test('an alert against our certificate within the answer: keys may have been given, and are lost', async () => {
  const kmes = new ScriptedKmes({ 'kme-b': [KEY] });
  const fetch: Fetch = (url, init) => {
    if (new URL(url).hostname !== 'kme-a') return kmes.fetch(url, init);
    init.onSent();
    const cut = Object.assign(new Error('alert'), { code: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED' });
    return Promise.resolve({ status: 200, headers: new Headers(), body: failing(cut) });
  };
  const { kme, lines } = makeTestClient({ url: 'https://kme-a', urls: URLS, fetch });
  await errorOf(kme.getKey('sae-b', { number: 1, size: 256 }, never));
  expect(kmes.calls).toEqual([]);
  expect(of(lines, 'keys-lost')).toMatchObject([{ call: 'enc_keys', keys: 1, perhaps: true }]);
});

/** A body that breaks off after its beginning. */
async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"keys":');
  await Promise.resolve();
  throw error;
}

test('plain http beyond loopback is said at the start, loudly', () => {
  const { lines } = makeTestClient({ url: 'http://10.0.0.1:8080', insecure: true });
  expect(lines).toMatchObject([
    { level: 'warn', event: 'kme-insecure', fields: { kme: 'http://10.0.0.1:8080' } },
  ]);
  expect(makeTestClient({ url: 'http://127.0.0.1', insecure: true }).lines).toEqual([]);
});
