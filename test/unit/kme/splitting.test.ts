/** Many keys in several requests: how many at once, in which order, and what becomes of them where some are missing. */
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { Fetch } from '../../../src/kme/http.js';
import { errorOf, makeTestClient } from '../../support/kme-client.js';
import type { TestClient, TestOptions } from '../../support/kme-client.js';
import { containerOf, ScriptedKmes } from '../../support/scripted-kme.js';
import type { Said } from '../../support/scripted-kme.js';

const MIB = 1024 * 1024;

const never = new AbortController().signal;

interface Asked {
  readonly number?: number;
  readonly key_IDs?: readonly { readonly key_ID: string }[];
}

interface Bench extends TestClient {
  readonly kmes: ScriptedKmes;
  /** How many keys each request was about. */
  readonly numbers: () => number[];
}

/**
 * A KME that numbers its keys.
 * @param no what it says instead to the `n`th request for keys, counted from 1
 */
function bench(
  options: Partial<TestOptions> & { readonly status?: object; readonly most?: number } = {},
  no: (n: number) => Said | undefined = () => undefined,
): Bench {
  const { status = {}, most = Infinity, ...others } = options;
  let made = 0;
  let asked = 0;
  const answer = async (body: unknown, call: string): Promise<Said> => {
    if (call === 'status') return [200, status];
    asked += 1;
    const said = no(asked);
    await new Promise(setImmediate);
    if (said !== undefined) return said;
    const { number = 0, key_IDs: wanted } = body as Asked;
    const keyIds =
      wanted?.map(({ key_ID: keyId }) => keyId).reverse() ??
      Array.from({ length: Math.min(number, most) }, () => String((made += 1)));
    return [200, containerOf(keyIds)];
  };
  const kmes = new ScriptedKmes({ 'kme-a': answer, 'kme-b': answer });
  return {
    ...makeTestClient({ url: 'https://kme-a', fetch: kmes.fetch, ...others }),
    kmes,
    numbers: () =>
      kmes.bodies.flatMap((body) => {
        const { number, key_IDs: wanted } = (body ?? {}) as Asked;
        return number ?? wanted?.length ?? [];
      }),
  };
}

const draw = async ({ kme }: Bench, number: number, progress?: (done: number) => void): Promise<string[]> => {
  const keys = await kme.getKey('sae-b', { number, size: 256 }, never, progress);
  return keys.map(({ keyId }) => keyId);
};
const range = (length: number): string[] => Array.from({ length }, (_, at) => String(at + 1));

describe('enc_keys', () => {
  test.each([
    ['by nothing', {}, [10]],
    ['by kme.maxPerRequest', { maxPerRequest: 4 }, [4, 4, 2]],
    ['by the status', { status: { max_key_per_request: 3 } }, [3, 3, 3, 1]],
    ['by the smaller of both', { maxPerRequest: 4, status: { max_key_per_request: 8 } }, [4, 4, 2]],
    ['not by a status of zero', { status: { max_key_per_request: 0 } }, [10]],
    ['not by a status of null', { status: { max_key_per_request: null } }, [10]],
    ['into single keys', { maxPerRequest: 1 }, Array<number>(10).fill(1)],
  ])('is split %s', async (_name, options, numbers) => {
    const one = bench(options);
    expect(await draw(one, 10)).toEqual(range(10));
    expect(one.numbers()).toEqual(numbers);
  });

  test.each([
    ['that names no limit', {}, undefined, [4_096, 4_096, 1]],
    ['that names a higher one', { max_key_per_request: 1_000_000 }, undefined, [4_096, 4_096, 1]],
    ['where kme.maxPerRequest is higher', {}, 8_192, [8_192, 1]],
    ['that names a lower one than kme.maxPerRequest', { max_key_per_request: 5_000 }, 8_192, [5_000, 3_193]],
  ])('asks a KME for so many at most: one %s', async (_name, status, maxPerRequest, numbers) => {
    const one = bench({ status, maxPerRequest });
    await draw(one, 8_193);
    expect(one.numbers()).toEqual(numbers);
  });

  test('where nobody names a limit, no more is read of an answer than 4,096 keys can need', async () => {
    let sent = 0;
    const endless: Fetch = (url, { onSent }) => {
      onSent();
      const body = (function* () {
        if (url.endsWith('status')) yield Buffer.from('{}');
        else for (; sent < 32 * MIB; sent += 64 * 1024) yield new Uint8Array(64 * 1024).fill(0x20);
      })();
      return Promise.resolve({ status: 200, headers: new Headers(), body: Readable.from(body) });
    };
    const { kme } = makeTestClient({ url: 'https://kme-a', fetch: endless });
    const error = await errorOf(kme.getKey('sae-b', { number: 65_536, size: 256 }, never));
    expect(error).toMatchObject({ code: 'kme-answer', message: expect.stringContaining('is longer than') });
    expect(sent).toBeLessThan(5 * MIB);
  });

  test('asks for the status once, and not for one key', async () => {
    const one = bench({ status: { max_key_per_request: 3 } });
    await draw(one, 1);
    await draw(one, 4);
    await draw(one, 4);
    expect(one.kmes.calls.filter((call) => call.endsWith('status'))).toHaveLength(1);
    expect(one.kmes.calls[0]).toBe('kme-a enc_keys');
  });

  test('a status that is no help is passed over', async () => {
    const kmes = new ScriptedKmes({
      'kme-a': (body, call) =>
        call === 'status' ? [404] : [200, containerOf(range((body as Asked).number ?? 0))],
    });
    const { kme } = makeTestClient({ url: 'https://kme-a', fetch: kmes.fetch });
    expect(await kme.getKey('sae-b', { number: 3, size: 256 }, never)).toHaveLength(3);
  });

  test('asks again for the rest where fewer come', async () => {
    const one = bench({ most: 3 });
    expect(await draw(one, 8)).toEqual(range(8));
    expect(one.numbers()).toEqual([8, 5, 2]);
  });

  test.each([
    [1, 1],
    [4, 4],
    [64, 10],
  ])('has at most kme.parallel requests at a time: %i', async (parallel, most) => {
    const one = bench({ parallel, maxPerRequest: 1 });
    expect((await draw(one, 10)).sort()).toEqual(range(10).sort());
    expect(one.kmes.most).toBe(most);
  });

  test('the keys are in the order of the requests, whichever ends first', async () => {
    const gates: (() => void)[] = [];
    const kmes = new ScriptedKmes({
      'kme-a': async () => {
        const at = gates.length;
        await new Promise<void>((resolve) => {
          gates.push(resolve);
          // The last one asked is the first to be answered.
          if (gates.length === 3) for (const open of gates.toReversed()) setImmediate(open);
        });
        return [200, containerOf([`key-${at}`])];
      },
    });
    const { kme } = makeTestClient({
      url: 'https://kme-a',
      fetch: kmes.fetch,
      maxPerRequest: 1,
      parallel: 3,
    });
    const keys = await kme.getKey('sae-b', { number: 3, size: 256 }, never);
    expect(keys.map(({ keyId }) => keyId)).toEqual(['key-0', 'key-1', 'key-2']);
  });

  test('tells how many have come', async () => {
    const seen: number[] = [];
    await draw(bench({ maxPerRequest: 4 }), 10, (done) => seen.push(done));
    expect(seen).toEqual([4, 8, 10]);
  });

  test('where one request fails, all keys that had come are lost, and those under way too', async () => {
    const one = bench({ maxPerRequest: 2, parallel: 3 }, (n) => (n === 1 ? [302] : undefined));
    const error = await errorOf(draw(one, 100));
    expect(error.code).toBe('kme-answer');
    const lost = one.lines.filter(({ event }) => event === 'keys-lost');
    expect(lost).toMatchObject([{ level: 'warn', fields: { call: 'enc_keys', keys: 4, perhaps: false } }]);
    expect(one.numbers()).toEqual([2, 2, 2]);
    expect(lost[0]?.fields?.['keyIds']).toEqual(range(4));
  });

  test('another request that waits for its next try waits no longer', async () => {
    // Nothing moves the clock on.
    const log = (): void => undefined;
    const one = bench({ maxPerRequest: 1, parallel: 2, waitMs: 60_000, log }, (n) =>
      n === 1 ? [503] : n === 2 ? 'cut' : undefined,
    );
    expect((await errorOf(draw(one, 2))).code).toBe('kme-unreachable');
    expect(one.numbers()).toEqual([1, 1]);
  });

  test('a key_ID that comes twice makes all of them unusable', async () => {
    const kmes = new ScriptedKmes({ 'kme-a': [[200, containerOf(['same'])]] });
    const { kme, lines } = makeTestClient({ url: 'https://kme-a', fetch: kmes.fetch, maxPerRequest: 1 });
    const error = await errorOf(kme.getKey('sae-b', { number: 2, size: 256 }, never));
    expect(error).toMatchObject({ code: 'kme-answer', message: expect.stringContaining('repeats') });
    expect(lines.find(({ event }) => event === 'keys-lost')?.fields).toMatchObject({ keys: 2 });
  });

  test('all keys of a set come from one KME', async () => {
    const one = bench({ urls: ['https://kme-a', 'https://kme-b'], maxPerRequest: 1, parallel: 4 }, (n) =>
      n === 1 || n === 5 ? [503] : undefined,
    );
    const error = await errorOf(draw(one, 8));
    expect(error.code).toBe('kme-empty');
    expect(one.kmes.calls.filter((call) => call.includes('kme-a'))).toEqual(['kme-a enc_keys']);
  });

  test('more keys than asked for are unusable, and lost', async () => {
    const kmes = new ScriptedKmes({ 'kme-a': [[200, containerOf(['a', 'b', 'c'])]] });
    const { kme, lines } = makeTestClient({ url: 'https://kme-a', fetch: kmes.fetch });
    expect((await errorOf(kme.getKey('sae-b', { number: 1, size: 256 }, never))).code).toBe('kme-answer');
    expect(lines.find(({ event }) => event === 'keys-lost')?.fields).toMatchObject({
      keys: 3,
      perhaps: false,
    });
  });
});

describe('dec_keys', () => {
  const keyIds = range(10);
  const take = async ({ kme }: Bench): Promise<string[]> => {
    const keys = await kme.getKeyWithKeyIds('sae-a', keyIds, 256, never);
    return keys.map(({ keyId }) => keyId);
  };

  test('is split alike, and the keys are in the order asked for', async () => {
    const one = bench({ maxPerRequest: 4, parallel: 4 });
    expect(await take(one)).toEqual(keyIds);
    expect(one.numbers()).toEqual([4, 4, 2]);
  });

  test('takes the limit of a status that was asked for before', async () => {
    const one = bench({ status: { max_key_per_request: 5 } });
    await one.kme.status('sae-a', never);
    expect(await take(one)).toEqual(keyIds);
    expect(one.kmes.calls).toEqual(['kme-a status', 'kme-a dec_keys', 'kme-a dec_keys']);
  });

  test('where one key is missing all are wiped and lost', async () => {
    const one = bench({ maxPerRequest: 5 }, (n) => (n === 2 ? [200, { keys: [] }] : undefined));
    const error = await errorOf(take(one));
    expect(error).toMatchObject({
      code: 'kme-empty',
      message: expect.stringContaining('does not know the key'),
    });
    const lost = one.lines.filter(({ event }) => event === 'keys-lost');
    expect(lost).toMatchObject([{ fields: { call: 'dec_keys', keys: 5, keyIds: keyIds.slice(0, 5) } }]);
  });
});

test('extensions go with enc_keys alone, in the body or the query', async () => {
  const extensions = { mandatory: [{ route: 'direct' }], optional: [{ p: 1 }, { 'a b': true }] };
  const post = bench({ extensions });
  await draw(post, 1);
  expect(post.kmes.bodies).toEqual([
    {
      number: 1,
      size: 256,
      extension_mandatory: [{ route: 'direct' }],
      extension_optional: [{ p: 1 }, { 'a b': true }],
    },
  ]);
  const kmes = new ScriptedKmes({ 'kme-a': [[200, containerOf(['a'])]] });
  const get = makeTestClient({ url: 'https://kme-a', fetch: kmes.fetch, method: 'get', extensions });
  await get.kme.getKey('sae-b', { number: 1, size: 256 }, never);
  await get.kme.getKeyWithKeyIds('sae-b', ['a'], 256, never);
  expect(kmes.urls.map((url) => new URL(url).search)).toEqual([
    '?number=1&size=256&route=direct&p=1&a%20b=true',
    '?key_ID=a',
  ]);
});

test('enc_keys and dec_keys each have a method of their own', async () => {
  const kmes = new ScriptedKmes({ 'kme-a': [[200, containerOf(['a'])]] });
  const { kme } = makeTestClient({
    url: 'https://kme-a',
    fetch: kmes.fetch,
    encMethod: 'get',
    decMethod: 'post',
  });
  await kme.getKey('sae-b', { number: 1, size: 256 }, never);
  await kme.getKeyWithKeyIds('sae-b', ['a'], 256, never);
  expect(kmes.bodies).toEqual([undefined, { key_IDs: [{ key_ID: 'a' }] }]);
});
