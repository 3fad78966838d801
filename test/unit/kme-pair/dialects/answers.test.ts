/** What the dialects say that are visible in an answer; test/conformance tries all of them on the real client. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { systemRandom } from '../../../../src/base/random.js';
import type { Api, ApiAnswer, ApiRequest } from '../../../../src/kme-pair/api.js';
import { parseDialects } from '../../../../src/kme-pair/dialects/catalogue.js';
import { mannerOf } from '../../../../src/kme-pair/dialects/manner.js';
import { KeyStore } from '../../../../src/kme-pair/key-store.js';
import { DEFAULT_LIMITS } from '../../../../src/kme-pair/limits.js';

const KME_A = { id: 'kme-a', saes: ['sae-a'] };
const KME_B = { id: 'kme-b', saes: ['sae-b'] };

let store: KeyStore;

beforeEach(() => {
  store = new KeyStore({ random: systemRandom, maxKeyCount: 200 });
});

const kmeA = (names: string): Api =>
  mannerOf(parseDialects(names), { self: KME_A, target: KME_B, limits: DEFAULT_LIMITS, store }).api;
const kmeB = (names: string): Api =>
  mannerOf(parseDialects(names), { self: KME_B, target: KME_A, limits: DEFAULT_LIMITS, store }).api;

const post = (sae: string, target: string, body: unknown): ApiRequest => ({
  method: 'POST',
  target: `/api/v1/keys/${target}`,
  sae,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
});
const get = (target: string): ApiRequest => ({
  method: 'GET',
  target: `/api/v1/keys/${target}`,
  sae: 'sae-a',
  contentType: undefined,
  body: new Uint8Array(),
});
const enc = (body: unknown): ApiRequest => post('sae-a', 'sae-b/enc_keys', body);
const dec = (ids: readonly unknown[]): ApiRequest => post('sae-b', 'sae-a/dec_keys', { key_IDs: ids });

interface Entry {
  key_ID: string;
  key: string;
}
const keysOf = ({ body }: ApiAnswer): Entry[] => (body as { keys: Entry[] }).keys;
const idsOf = (reply: ApiAnswer): string[] => keysOf(reply).map(({ key_ID }) => key_ID);
const asked = (ids: readonly string[]): ApiRequest => dec(ids.map((id) => ({ key_ID: id })));
const bits = (reply: ApiAnswer): number[] =>
  keysOf(reply).map(({ key }) => Buffer.from(key, 'base64').byteLength * 8);

describe('requests', () => {
  it.each([
    ['strict-422', { number: null, size: 256 }, 422],
    ['strict-422', { number: 1, size: '256' }, 422],
    ['strict-422', { number: 1, size: 256 }, 200],
    ['strict-500', { number: '1', size: 256 }, 500],
    ['needs-both', { number: 1 }, 400],
    ['needs-both', { number: 1, size: 256 }, 200],
    ['no-extras', { number: 1, size: 256, extension_optional: [] }, 400],
    ['no-extras', { number: 1, size: 256 }, 200],
    ['get-only', { number: 1, size: 256 }, 405],
    ['one-a-request', { number: 2, size: 256 }, 400],
    ['one-a-request-unsaid', { number: 2, size: 256 }, 400],
    ['dry-404', { number: 1, size: 256 }, 404],
    ['sae-403', { number: 1, size: 256 }, 403],
  ])('%s answers %j with %i', (name, body, status) => {
    const reply = kmeA(name)(enc(body));
    expect(reply.status).toBe(status);
    expect(reply.delivered ?? []).toHaveLength(status === 200 ? 1 : 0);
  });

  it('needs-body wants a body that says what it is', () => {
    const kme = kmeA('needs-body');
    expect(kme({ ...enc({}), body: new Uint8Array() }).status).toBe(415);
    expect(kme({ ...enc({}), contentType: 'text/plain' }).status).toBe(415);
    expect(kme(enc({})).status).toBe(200);
  });

  it('plain-ids-500 fails over strings', () => {
    const ids = idsOf(kmeA('standard')(enc({})));
    expect(kmeB('plain-ids-500')(dec(ids)).status).toBe(500);
    expect(kmeB('plain-ids-500')(asked(ids)).status).toBe(200);
  });

  it('get-ignores-size does so with GET only, and in the status not at all', () => {
    const kme = kmeA('get-ignores-size');
    expect(bits(kme(get('sae-b/enc_keys?number=3&size=512')))).toEqual([32]);
    expect(bits(kme(enc({ number: 2, size: 512 })))).toEqual([512, 512]);
  });

  it('methods are those that the name says', () => {
    const ids = idsOf(kmeA('standard')(enc({})));
    expect(kmeA('post-only')(get('sae-b/enc_keys'))).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    });
    expect(kmeA('get-enc-post-dec')(get('sae-b/enc_keys')).status).toBe(200);
    expect(kmeA('get-enc-post-dec')(enc({})).status).toBe(405);
    expect(kmeA('get-only')(get('sae-b/status')).status).toBe(200);
    expect(kmeB('get-enc-post-dec')(asked(ids)).status).toBe(200);
  });
});

describe('keys', () => {
  it.each([
    ['half-size', 128],
    ['no-leading-zeros', 248],
    ['bits-as-bytes', 2_048],
  ])('%s delivers %s instead of 256 bits at both ends', (name, size) => {
    const made = kmeA(name)(enc({ number: 2, size: 256 }));
    expect(bits(made)).toEqual([size, size]);
    expect(bits(kmeB(name)(asked(idsOf(made))))).toEqual([size, size]);
  });

  it.each([
    ['id-v8', /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    ['id-joined', /^[0-9a-f-]{36}\+[0-9a-f-]{36}$/],
    ['id-dashless', /^[0-9a-f]{32}$/],
    ['id-mixed-case', /^Key[A-Za-z0-9]{22}$/],
  ])('%s names keys so that the other KME finds them to the letter', (name, pattern) => {
    const [id = ''] = idsOf(kmeA(name)(enc({})));
    expect(id).toMatch(pattern);
    const other = id.toUpperCase() === id ? id.toLowerCase() : id.toUpperCase();
    expect(kmeB('standard')(asked([other])).status).toBe(400);
    expect(idsOf(kmeB('standard')(asked([id])))).toEqual([id]);
  });

  it('fewer gives one, keeps the others, and says which it gave', () => {
    const ids = idsOf(kmeA('standard')(enc({ number: 3 })));
    const kme = kmeB('fewer');
    expect(kme(asked(ids))).toMatchObject({ status: 200, delivered: ids.slice(0, 1) });
    expect(idsOf(kme(asked(ids.slice(1))))).toEqual(ids.slice(1, 2));
    expect(idsOf(kmeA('fewer')(enc({ number: 3, size: 256 })))).toHaveLength(1);
  });

  it('discards-earlier keeps the newest only', () => {
    const kme = kmeA('discards-earlier');
    const earlier = idsOf(kme(enc({})));
    const later = idsOf(kme(enc({})));
    expect(kmeB('standard')(asked(earlier)).status).toBe(400);
    expect(idsOf(kmeB('standard')(asked(later)))).toEqual(later);
  });

  it.each([
    ['reverse-order', (ids: string[]) => ids.toReversed()],
    ['store-order', (ids: string[]) => ids.toSorted()],
    ['missing-key', (ids: string[]) => ids.slice(0, 2)],
    ['duplicate-key', (ids: string[]) => [...ids.slice(0, 2), ...ids.slice(0, 1)]],
    ['foreign-key', (ids: string[]) => [...ids.slice(0, 2), '00000000-0000-4000-8000-000000000000']],
  ])('%s rearranges dec_keys, and has given all of them away', (name, rearranged) => {
    const ids = idsOf(kmeA(name)(enc({ number: 3 })));
    const reply = kmeB(name)(asked(ids));
    expect(idsOf(reply)).toEqual(rearranged(ids));
    expect(reply.delivered).toEqual(ids);
  });

  it.each(['null-extensions', 'unknown-fields'])('%s changes nothing about the keys', (name) => {
    const made = kmeA(name)(enc({ number: 2 }));
    expect(idsOf(kmeB(name)(asked(idsOf(made))))).toEqual(idsOf(made));
    expect(JSON.stringify(made.body)).toMatch(/_extension":null|vendor/);
  });

  it('keys-object, malformed-json and html-200 are what they say, and give keys away', () => {
    expect(kmeA('keys-object')(enc({})).body).toMatchObject({
      keys: { key_ID: expect.any(String) as unknown },
    });
    const broken = kmeA('malformed-json')(enc({}));
    expect(() => JSON.parse(broken.body as string) as unknown).toThrow(SyntaxError);
    expect(broken.delivered).toHaveLength(1);
    expect(kmeA('html-200')(enc({}))).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^<!doctype/) as unknown,
      delivered: [expect.any(String)],
    });
  });
});

describe('a no', () => {
  it('refilling and late end by themselves', () => {
    const a = kmeA('refilling-400');
    const made = [a(enc({})), a(enc({})), a(enc({}))];
    expect(made.map(({ status }) => status)).toEqual([400, 400, 200]);
    const b = kmeB('late-empty');
    const ids = idsOf(made[2] ?? { status: 0, body: {} });
    expect([b(asked(ids)), b(asked(ids)), b(asked(ids))].map(idsOf)).toEqual([[], [], ids]);
  });

  it('retry-after says when to come again', () => {
    expect(kmeA('retry-after')(enc({}))).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  it.each([
    ['error-detail', { detail: 'no key for you now' }],
    ['error-empty', ''],
    ['error-html', '<html><body><h1>no key for you now</h1></body></html>'],
  ])('%s changes the body of errors only', (name, body) => {
    expect(kmeA(`dry-503+${name}`)(enc({}))).toMatchObject({ status: 503, body });
    expect(kmeA(name)(enc({})).status).toBe(200);
  });

  it('lost-once cuts once, and the key has gone', () => {
    const ids = idsOf(kmeA('standard')(enc({})));
    const kme = kmeB('lost-once');
    expect(kme(asked(ids))).toMatchObject({ conduct: 'cutting', delivered: ids });
    expect(kme(asked(ids))).toMatchObject({ status: 400 });
  });
});

describe('status and SAEs', () => {
  it.each([
    ['status-zeros', { stored_key_count: 0, max_key_per_request: 0, source_KME_ID: 'kme-a' }],
    ['status-bare', {}],
    ['status-lower-case', { source_kme_id: 'kme-a' }],
    ['one-a-request', { max_key_per_request: 1 }],
  ])('%s says %j', (name, body) => {
    const reply = kmeA(name)(get('sae-b/status'));
    expect(reply).toMatchObject({ status: 200, body });
  });

  it('status-for-all knows everybody, other calls do not', () => {
    expect(kmeA('status-for-all')(get('nobody/status')).status).toBe(200);
    expect(kmeA('status-for-all')(get('nobody/enc_keys')).status).toBe(400);
  });

  it.each([
    ['integer-saes', '1002'],
    ['free-text-saes', encodeURIComponent('SAE ä/2')],
  ])('%s knows B as %s', (name, id) => {
    expect(kmeA(name)(get(`${id}/enc_keys?number=2`)).delivered).toHaveLength(2);
    expect(kmeA(name)(get('sae-b/enc_keys')).status).toBe(400);
  });
});
