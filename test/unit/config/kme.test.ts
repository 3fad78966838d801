/** What goes together in the settings of the KME, and what does not. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KmeSettings } from '../../../src/config/settings.js';
import { ConfigFolder } from '../../support/config-folder.js';

const BASE = { insecure: true, site: 'A', peer: 'B', 'kme.url': 'https://kme' } as const;
let folder: ConfigFolder;

beforeAll(async () => {
  folder = await ConfigFolder.make();
  await folder.writeCredentials('cwd', 'a');
  await folder.write('cwd/a.p12', '0p12');
  await folder.write('cwd/pem.p12', '-----BEGIN');
  await folder.write('cwd/pass', ' open sesame \r\n');
  await folder.write('cwd/lines', 'hush\nhush\n');
});
afterAll(() => folder.remove());

const load = async (flags: Record<string, string | true>): Promise<KmeSettings> =>
  (await folder.load('initiate', { flags: { ...BASE, ...flags } })).kme;
const failure = async (flags: Record<string, string | true>): Promise<string> => {
  const { code, message, hint } = await folder.failure('initiate', { flags: { ...BASE, ...flags } });
  expect(['config', 'usage']).toContain(code);
  return `${message} ${hint ?? ''}`;
};

describe('several KMEs', () => {
  it('are a list in the file', async () => {
    await folder.configure('kme:\n  url:\n    - https://a/p\n    - "https://b:1"\n');
    const flags = { insecure: true, site: 'A', peer: 'B' };
    expect((await folder.load('initiate', { flags })).kme.urls).toEqual(['https://a/p', 'https://b:1']);
    await folder.configure('');
  });
});

describe('plain http', () => {
  it.each(['http://127.0.0.1:1', 'http://localhost', 'http://[::1]:1'])('is taken at %s', async (url) => {
    expect((await load({ 'kme.url': url })).insecure).toBe(false);
  });

  it('elsewhere needs kme.insecure, for any of several', async () => {
    const url = 'https://a,http://10.0.0.1';
    expect(await failure({ 'kme.url': url })).toMatch(
      /^--kme is "http:\/\/10\.0\.0\.1": expected https:\/\/.*kme\.insecure: true/,
    );
    expect(await load({ 'kme.url': url, 'kme.insecure': true })).toMatchObject({ insecure: true });
  });
});

describe('a PKCS#12 file', () => {
  it('comes with its passphrase, to the letter but for the line break', async () => {
    const { pkcs12, passphrase } = await load({ 'kme.pkcs12': 'a.p12', 'kme.passphraseFile': 'pass' });
    expect(Buffer.from(pkcs12 ?? []).toString()).toBe('0p12');
    expect(Buffer.from(passphrase?.reveal() ?? []).toString()).toBe(' open sesame ');
  });

  it.each([
    [
      { 'kme.pkcs12': 'a.p12', 'kme.cert': 'a.pem', 'kme.key': 'a.key' },
      /--kme-cert and --kme-pkcs12 are both set/,
    ],
    [{ 'kme.passphraseFile': 'pass' }, /kme\.pkcs12 is not set/],
    [{ 'kme.pkcs12': 'none.p12' }, /none\.p12 does not exist: expected a PKCS#12 file/],
    [{ 'kme.pkcs12': 'pem.p12' }, /pem\.p12 is no DER: expected a PKCS#12 file/],
    [{ 'kme.pkcs12': 'a.p12', 'kme.passphraseFile': 'lines' }, /lines has several lines/],
    [
      { 'kme.pkcs12': 'a.p12', 'kme.passphraseFile': 'hush' },
      /--kme-passphrase-file: the file that it names does not exist/,
    ],
  ])('%j is refused', async (flags, message) => {
    const said = await failure(flags);
    expect(said).toMatch(message);
    expect(said).not.toContain('hush');
  });
});

describe('extensions', () => {
  it('keep the kinds of their values in the file', async () => {
    await folder.configure(
      'kme:\n  extensionMandatory:\n    - { a: 1, b: "1", c: true, d: null, e: [x, 2.5], f: { g: -3 }, h: }\n',
    );
    expect((await load({})).extensions).toEqual({
      mandatory: [{ a: 1, b: '1', c: true, d: null, e: ['x', 2.5], f: { g: -3 }, h: null }],
    });
    await folder.configure('');
  });

  it.each([
    ['[{"a":{"b":1}}]', /has "a" of another kind/],
    ['[{"a":null}]', /has "a" of another kind/],
    ['[{"size":1}]', /has "size" again/],
    ['[{"a":1},{"a":2}]', /has "a" again/],
  ])('%s does not go with get', async (text, message) => {
    const flags = { 'kme.extensionOptional': text };
    expect((await load(flags)).extensions.optional).toEqual(JSON.parse(text));
    expect((await load({ ...flags, 'kme.decMethod': 'get' })).decMethod).toBe('get');
    expect(await failure({ ...flags, 'kme.method': 'get' })).toMatch(message);
    expect((await load({ ...flags, 'kme.method': 'get', 'kme.encMethod': 'post' })).encMethod).toBe('post');
  });
});
