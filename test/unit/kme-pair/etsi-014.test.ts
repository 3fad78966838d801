import { beforeEach, describe, expect, it } from '@jest/globals';
import { systemRandom } from '../../../src/base/random.js';
import type { ApiAnswer, ApiRequest } from '../../../src/kme-pair/api.js';
import { answer, type ServedKme } from '../../../src/kme-pair/etsi-014.js';
import { KeyStore } from '../../../src/kme-pair/key-store.js';
import { DEFAULT_LIMITS, maxBodyBytes } from '../../../src/kme-pair/limits.js';

const KME_A = { id: 'kme-a', saes: ['sae-a', 'SAE ä/2'] };
const KME_B = { id: 'kme-b', saes: ['sae-b', 'sae-b2'] };

let a: ServedKme;
let b: ServedKme;

beforeEach(() => {
  const store = new KeyStore({ random: systemRandom, maxKeyCount: 200 });
  a = { self: KME_A, target: KME_B, limits: DEFAULT_LIMITS, store };
  b = { self: KME_B, target: KME_A, limits: DEFAULT_LIMITS, store };
});

const request = (changes: Partial<ApiRequest>): ApiRequest => ({
  method: 'GET',
  target: '/api/v1/keys/sae-b/enc_keys',
  sae: 'sae-a',
  contentType: 'application/json',
  body: new Uint8Array(),
  ...changes,
});
const post = (body: unknown, changes: Partial<ApiRequest> = {}): ApiRequest =>
  request({ method: 'POST', body: Buffer.from(JSON.stringify(body)), ...changes });
const decKeys = (body: unknown, sae = 'sae-b', master = 'sae-a'): ApiRequest =>
  post(body, { sae, target: `/api/v1/keys/${master}/dec_keys` });

interface Container {
  keys: { key_ID: string; key: string }[];
}
const keyIds = (made: ApiAnswer): { key_IDs: { key_ID: string }[] } => ({
  key_IDs: (made.body as Container).keys.map(({ key_ID }) => ({ key_ID })),
});
const lengths = (made: ApiAnswer): number[] =>
  (made.body as Container).keys.map(({ key }) => Buffer.from(key, 'base64').length * 8);
const problem = (reply: ApiAnswer): unknown => [reply.status, (reply.body as { details?: unknown }).details];

describe('enc_keys', () => {
  it.each([
    [{}, [256]],
    [{ number: 2 }, [256, 256]],
    [{ size: 64 }, [64]],
    [{ number: 1, size: 1_024 }, [1_024]],
    [{ additional_slave_SAE_IDs: [] }, [256]],
    [{ extension_mandatory: [] }, [256]],
    [{ extension_optional: [{ route: 'direct' }] }, [256]],
  ])('takes %j', (body, sizes) => {
    expect(lengths(answer(a, post(body)))).toEqual(sizes);
  });

  it('takes an empty body as no parameters, and the largest number', () => {
    expect(lengths(answer(a, request({ method: 'POST', contentType: undefined })))).toEqual([256]);
    expect(lengths(answer(a, request({ target: '/api/v1/keys/sae-b/enc_keys?number=128&size=72' })))).toEqual(
      Array.from({ length: 128 }, () => 72),
    );
  });

  const number = [{ number: 'must be an integer from 1 to 128' }];
  const size = [{ size: 'must be an integer from 64 to 1024' }];
  it.each([
    [{ number: 0 }, number],
    [{ number: 129 }, number],
    [{ number: 1.5 }, number],
    [{ number: '1' }, number],
    [{ number: null }, number],
    [{ number: [1] }, number],
    [{ size: 56 }, size],
    [{ size: 1_032 }, size],
    [{ size: '256' }, size],
    [{ size: null }, size],
    [{ size: 100 }, [{ size: 'must be a multiple of 8' }]],
    [{ number: 0, size: '' }, [...number, ...size]],
    [{ amount: 1 }, [{ amount: 'is not a field of this request' }]],
    [{ additional_slave_SAE_IDs: ['sae-c'] }, [{ additional_slave_SAE_IDs: 'is not supported' }]],
    [{ additional_slave_SAE_IDs: [1] }, [{ additional_slave_SAE_IDs: 'must be an array of strings' }]],
    [{ additional_slave_SAE_IDs: null }, [{ additional_slave_SAE_IDs: 'must be an array of strings' }]],
    [{ extension_mandatory: [{ hops: 0 }] }, [{ extension_mandatory: 'is not supported' }]],
    [{ extension_mandatory: {} }, [{ extension_mandatory: 'must be an array of objects' }]],
    [{ extension_optional: [null] }, [{ extension_optional: 'must be an array of objects' }]],
  ])('refuses %j', (body, details) => {
    expect(problem(answer(a, post(body)))).toEqual([400, details]);
  });

  it.each([
    ['?number=2&number=3', [{ number: 'must be given once' }]],
    ['?number=0x10', number],
    ['?number=', number],
    ['?number=-1', number],
    ['?size=1e2', size],
    ['?extension_mandatory=x', [{ extension_mandatory: 'is not a parameter of this GET request' }]],
  ])('refuses GET %s', (query, details) => {
    expect(problem(answer(a, request({ target: `/api/v1/keys/sae-b/enc_keys${query}` })))).toEqual([
      400,
      details,
    ]);
  });

  it.each([
    ['[]', 'application/json', /not a JSON object/],
    ['null', 'application/json', /not a JSON object/],
    ['{"number":1', 'application/json', /not JSON/],
    [Buffer.from([0x22, 0xff, 0x22]), 'application/json', /not JSON in UTF-8/],
    ['{}', 'text/plain', /content type/],
    ['{}', undefined, /content type/],
  ])('refuses the body %j of type %s', (body, contentType, message) => {
    const reply = answer(a, request({ method: 'POST', body: Buffer.from(body), contentType }));
    expect(reply).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(message) as unknown },
    });
  });

  it('takes a content type with parameters, in any case', () => {
    expect(answer(a, post({}, { contentType: 'Application/JSON; charset=utf-8' })).status).toBe(200);
  });

  it('refuses a POST that has parameters in its query', () => {
    const reply = answer(a, post({}, { target: '/api/v1/keys/sae-b/enc_keys?number=2' }));
    expect(problem(reply)).toEqual([400, [{ number: 'is not a parameter of this GET request' }]]);
  });

  it('names no more than ten problems, cleaned', () => {
    const body = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${n}\n`, n]));
    const [status, details] = problem(answer(a, post(body))) as [number, object[]];
    expect(status).toBe(400);
    expect(details).toHaveLength(10);
    expect(details[0]).toEqual({ '0': 'is not a field of this request' });
  });

  it('answers 503 as soon as the pair of SAEs has its most keys waiting, and others still get theirs', () => {
    expect(answer(a, post({ number: 128 })).status).toBe(200);
    const waiting = answer(a, post({ number: 72 }));
    expect(waiting.status).toBe(200);
    expect(answer(a, post({ number: 1 }))).toEqual({
      status: 503,
      body: { message: 'not enough keys, try again later', details: [{ stored_key_count: '0' }] },
    });
    expect(answer(a, post({}, { target: '/api/v1/keys/sae-b2/enc_keys' })).status).toBe(200);
    expect(answer(b, decKeys(keyIds(waiting))).status).toBe(200);
    expect(answer(a, post({ number: 72 })).status).toBe(200);
  });
});

describe('dec_keys', () => {
  it('ignores the extensions that the standard keeps for later', () => {
    const { key_IDs } = keyIds(answer(a, post({})));
    const body = { key_IDs: key_IDs.map((id) => ({ ...id, key_ID_extension: {} })), key_IDs_extension: {} };
    expect(answer(b, decKeys(body)).status).toBe(200);
  });

  const number = [{ key_IDs: 'must be an array of 1 to 128 objects' }];
  it.each([
    [{}, number],
    [{ key_IDs: [] }, number],
    [{ key_IDs: { key_ID: 'x' } }, number],
    [{ key_IDs: Array.from({ length: 129 }, (_, n) => ({ key_ID: String(n) })) }, number],
    [{ key_IDs: ['x'] }, [{ key_IDs: 'must hold objects with a string key_ID' }]],
    [{ key_IDs: [{ key_ID: 1 }] }, [{ key_IDs: 'must hold objects with a string key_ID' }]],
    [{ key_IDs: [{ key_ID: 'x', size: 1 }] }, [{ size: 'is not a field of this request' }]],
    [{ key_IDs: [{ key_ID: 'x', key_ID_extension: 1 }] }, [{ key_ID_extension: 'must be an object' }]],
    [{ key_IDs: [{ key_ID: 'x' }, { key_ID: 'x' }] }, [{ key_IDs: 'must not name a key twice' }]],
    [{ key_IDs: [{ key_ID: 'x' }], number: 1 }, [{ number: 'is not a field of this request' }]],
    [{ key_IDs: [{ key_ID: 'x' }], key_IDs_extension: [] }, [{ key_IDs_extension: 'must be an object' }]],
    [{ key_IDs: [{ key_ID: 'x' }] }, [{ key_ID: 'x' }]],
  ])('refuses %j', (body, details) => {
    expect(problem(answer(b, decKeys(body)))).toEqual([400, details]);
  });

  it.each(['', '?key_ID=x&key_ID=y', '?key_IDs=x'])('refuses GET %j', (query) => {
    const target = `/api/v1/keys/sae-a/dec_keys${query}`;
    const reply = answer(b, request({ sae: 'sae-b', target }));
    expect(reply.status).toBe(400);
    expect(JSON.stringify(reply.body)).not.toContain('not found');
  });

  it('is 401 for another SAE of the right KME, which consumes nothing', () => {
    const made = answer(a, post({}));
    expect(answer(b, decKeys(keyIds(made), 'sae-b2'))).toMatchObject({ status: 401 });
    expect(answer(b, decKeys(keyIds(made)))).toEqual(made);
  });

  it('is 400 under the name of another master SAE, which consumes nothing', () => {
    const made = answer(a, post({}));
    const wrong = decKeys(keyIds(made), 'sae-b', encodeURIComponent('SAE ä/2'));
    expect(answer(b, wrong)).toMatchObject({ status: 400 });
    expect(answer(b, decKeys(keyIds(made)))).toEqual(made);
  });

  it('overwrites a key once it is delivered', () => {
    const drawn: Uint8Array[] = [];
    const store = new KeyStore({
      random: (count) => {
        drawn.push(systemRandom(count));
        return drawn.at(-1) ?? new Uint8Array();
      },
      maxKeyCount: 1,
    });
    const made = answer({ ...a, store }, post({}));
    expect(drawn.at(-1)).not.toEqual(Buffer.alloc(32));
    expect(answer({ ...b, store }, decKeys(keyIds(made)))).toEqual(made);
    expect(drawn.at(-1)).toEqual(Buffer.alloc(32));
  });

  it('fits its largest legal body into the bound', () => {
    const made = answer(a, post({ number: 128 }));
    expect(decKeys(keyIds(made)).body.byteLength).toBeLessThan(maxBodyBytes(DEFAULT_LIMITS));
    expect(answer(b, decKeys(keyIds(made)))).toEqual(made);
  });
});

describe('SAEs', () => {
  it('may have any name', () => {
    const made = answer(a, post({}, { sae: 'SAE ä/2' }));
    expect(answer(b, decKeys(keyIds(made), 'sae-b', encodeURIComponent('SAE ä/2')))).toEqual(made);
  });

  it.each([undefined, 'sae-b', 'SAE-A', 'kme-a'])('are 401 as %s, whatever they ask', (sae) => {
    for (const call of ['status', 'enc_keys', 'dec_keys'])
      expect(answer(a, request({ sae, target: `/api/v1/keys/sae-b/${call}` })).status).toBe(401);
  });

  it.each(['sae-a', 'sae-c', 'constructor'])('at the other end do not include %s', (slave) => {
    for (const call of ['status', 'enc_keys', 'dec_keys'])
      expect(answer(a, request({ target: `/api/v1/keys/${slave}/${call}` })).status).toBe(400);
  });
});

describe('paths and methods', () => {
  it.each([
    '/api/v1/keys/sae-b/toString',
    '/api/v1/keys//status',
    '/API/v1/keys/sae-b/status',
    'https://x/',
    '*',
  ])('are 404 as %s', (target) => {
    expect(answer(a, request({ target })).status).toBe(404);
  });

  it.each(['POST', 'HEAD', 'DELETE'])('are 405 as %s status', (method) => {
    const reply = answer(a, request({ method, target: '/api/v1/keys/sae-b/status' }));
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'GET' } });
  });

  it('refuse a query for status', () => {
    expect(answer(a, request({ target: '/api/v1/keys/sae-b/status?x=1' })).status).toBe(400);
  });
});
