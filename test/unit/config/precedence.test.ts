/** Flag before environment before file before default, for each setting of the table. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { variableName } from '../../../src/config/setting.js';
import { SETTINGS } from '../../../src/config/settings-table.js';
import type { InitiateSettings, RespondSettings } from '../../../src/config/settings.js';
import { ConfigFolder } from '../../support/config-folder.js';

interface Sample {
  /** As the file, the environment and the flag say it. */
  readonly texts: readonly [string, string, string | true];
  /** What the settings hold then, the default first; no default where it must be set. */
  readonly values: readonly [unknown, unknown, unknown, unknown];
  /** Where the settings of one command or the other hold it. */
  readonly pick: (initiate: InitiateSettings, respond: RespondSettings) => unknown;
  /** What is needed besides, where that is not BASE. */
  readonly base?: Readonly<Record<string, string>>;
}

const REQUIRED = Symbol('must be set');

/** What is needed besides, so that loading succeeds. */
const BASE: Readonly<Record<string, string>> = {
  site: 'A',
  'kme.url': 'https://kme',
  'kme.cert': 'a.pem',
  'kme.key': 'a.key',
  'channel.ca': 'ca.pem',
  'channel.cert': 'a.pem',
  'channel.key': 'a.key',
};

const PKCS12 = Object.fromEntries(
  Object.entries(BASE).filter(([key]) => key !== 'kme.cert' && key !== 'kme.key'),
);

function same(otherwise: unknown, texts: readonly [string, string, string], pick: Sample['pick']): Sample {
  return { texts, values: [otherwise, ...texts], pick };
}

/** Files whose content tells which of them was read. */
function pem(
  name: string,
  otherwise: unknown,
  pick: (initiate: InitiateSettings) => string | undefined,
): Sample {
  return {
    texts: [`${name}.file`, `${name}.env`, `${name}.flag`],
    values: [otherwise, 'file', 'env', 'flag'],
    pick: (initiate) => /^this is (\w+)\n/.exec(pick(initiate) ?? '')?.[1] ?? pick(initiate),
  };
}

function duration(otherwiseMs: number, pick: Sample['pick']): Sample {
  return { texts: ['1s', '2s', '3s'], values: [otherwiseMs, 1_000, 2_000, 3_000], pick };
}

function extension(pick: Sample['pick']): Sample {
  const texts = ['[{"a":1}]', '[{"b":"x"},{"c":[null]}]', '[{"d":true}]'] as const;
  const [file, env, flag] = texts.map((text) => JSON.parse(text) as unknown);
  return { texts, values: [undefined, file, env, flag], pick };
}

function channel(initiate: InitiateSettings): { ca?: string; cert?: string; key?: string } {
  return initiate.auth.kind === 'certificates' ? initiate.auth : {};
}

const SAMPLES: Readonly<Record<string, (root: string) => Sample>> = {
  site: () => same(REQUIRED, ['S1', 'S2', 'S3'], ({ site }) => site),
  sae: () => same('A', ['s1', 's2', 's3'], ({ sae }) => sae),
  keys: (root) => ({
    texts: ['k1', 'k2', '~/k3'],
    values: [`${root}/home/.qkd/qnl/qll/keys`, `${root}/home/.qkd/k1`, `${root}/cwd/k2`, `${root}/home/k3`],
    pick: ({ keys }) => keys,
  }),
  state: (root) => ({
    texts: ['../k1', '~/k2', 'k3'],
    values: [`${root}/home/.qkd/qnl/qll/exchanges`, `${root}/home/k1`, `${root}/home/k2`, `${root}/cwd/k3`],
    pick: ({ state }) => state,
  }),
  'kme.url': () =>
    same(REQUIRED, ['https://a', 'https://b/p', 'http://localhost'], ({ kme }) => kme.urls.join()),
  'kme.ca': () => pem('ca.pem', undefined, ({ kme }) => kme.ca),
  'kme.cert': () => pem('a.pem', REQUIRED, ({ kme }) => kme.cert),
  'kme.key': () => pem('a.key', REQUIRED, ({ kme }) => kme.key),
  'kme.pkcs12': () => ({
    texts: ['file.p12', 'env.p12', 'flag.p12'],
    values: [undefined, '0file', '0env', '0flag'],
    pick: ({ kme }) => kme.pkcs12 && Buffer.from(kme.pkcs12).toString(),
    base: PKCS12,
  }),
  'kme.passphraseFile': () => ({
    texts: ['file.txt', 'env.txt', 'flag.txt'],
    values: [undefined, 'file', 'env', 'flag'],
    pick: ({ kme }) => kme.passphrase && Buffer.from(kme.passphrase.reveal()).toString(),
    base: { ...PKCS12, 'kme.pkcs12': 'flag.p12' },
  }),
  'kme.serverName': () => same(undefined, ['a', 'b', 'c'], ({ kme }) => kme.serverName),
  'kme.method': () =>
    same('post', ['get', 'post', 'get'], ({ kme }) => {
      expect(kme.decMethod).toBe(kme.encMethod);
      return kme.encMethod;
    }),
  'kme.encMethod': () => same('post', ['get', 'post', 'get'], ({ kme }) => kme.encMethod),
  'kme.decMethod': () => same('post', ['get', 'post', 'get'], ({ kme }) => kme.decMethod),
  'kme.timeout': () => duration(10_000, ({ kme }) => kme.timeoutMs),
  'kme.wait': () => duration(30_000, ({ kme }) => kme.waitMs),
  'kme.maxPerRequest': () => ({
    texts: ['1', '2', '3'],
    values: [undefined, 1, 2, 3],
    pick: ({ kme }) => kme.maxPerRequest,
  }),
  'kme.parallel': () => ({
    texts: ['1', '2', '3'],
    values: [4, 1, 2, 3],
    pick: ({ kme }) => kme.parallel,
  }),
  'kme.extensionMandatory': () => extension(({ kme }) => kme.extensions.mandatory),
  'kme.extensionOptional': () => extension(({ kme }) => kme.extensions.optional),
  'kme.insecure': () => ({
    texts: ['true', 'false', true],
    values: [false, true, false, true],
    pick: ({ kme }) => kme.insecure,
  }),
  'channel.ca': () => pem('ca.pem', REQUIRED, (initiate) => channel(initiate).ca),
  'channel.cert': () => pem('a.pem', REQUIRED, (initiate) => channel(initiate).cert),
  'channel.key': () => pem('a.key', REQUIRED, (initiate) => channel(initiate).key),
  'channel.requireHybrid': () => ({
    texts: ['true', 'false', true],
    values: [false, true, false, true],
    pick: ({ requireHybrid }) => requireHybrid,
  }),
  'exchange.count': () => ({
    texts: ['2', '3', '4'],
    values: [1, 2, 3, 4],
    pick: ({ exchange }) => exchange.count,
  }),
  'exchange.size': () => ({
    texts: ['64', '128', '4096'],
    values: [256, 64, 128, 4_096],
    pick: ({ exchange }) => exchange.size,
  }),
  'exchange.format': () => same('hex', ['hex', 'hex', 'hex'], ({ exchange }) => exchange.format),
  'exchange.naming': () => same('index', ['key-id', 'index', 'key-id'], ({ exchange }) => exchange.naming),
  'exchange.ackTimeout': () => duration(30_000, ({ exchange }) => exchange.ackTimeoutMs),
  'exchange.deadline': () => duration(600_000, ({ exchange }) => exchange.deadlineMs),
  lockWait: () => duration(10_000, ({ lockWaitMs }) => lockWaitMs),
  connectWait: () => duration(10_000, ({ connectWaitMs }) => connectWaitMs),
  listen: () => ({
    texts: ['7001', '127.0.0.1:7002', '[::1]:0'],
    values: [{ port: 7_000 }, { port: 7_001 }, { host: '127.0.0.1', port: 7_002 }, { host: '::1', port: 0 }],
    pick: (_, { listen }) => listen,
  }),
  timeout: () => duration(60_000, (_, { timeoutMs }) => timeoutMs),
};

let folder: ConfigFolder;

beforeAll(async () => {
  folder = await ConfigFolder.make();
  // One certificate and key for all, so that every pair fits.
  await folder.writeCredentials('one', 'a');
  for (const name of ['ca.pem', 'a.pem', 'a.key']) {
    const content = await readFile(`${folder.root}/one/${name}`, 'utf8');
    await folder.write(`cwd/${name}`, content);
    await folder.write(`home/.qkd/${name}.file`, `this is file\n${content}`);
    await folder.write(`cwd/${name}.env`, `this is env\n${content}`);
    await folder.write(`cwd/${name}.flag`, `this is flag\n${content}`);
  }
  for (const [place, source] of [
    ['home/.qkd', 'file'],
    ['cwd', 'env'],
    ['cwd', 'flag'],
  ] as const) {
    await folder.write(`${place}/${source}.p12`, `0${source}`);
    await folder.write(`${place}/${source}.txt`, `${source}\n`);
  }
});

afterAll(async () => {
  await folder.remove();
});

/** The value of `key` where the first `strength` of file, environment and flag set it. */
async function observe(
  key: string,
  { texts, pick, base: needed = BASE }: Sample,
  strength: number,
): Promise<unknown> {
  const [file, variable, flag] = texts;
  const quoted = JSON.stringify(file);
  const [section, name] = key.split('.');
  const yaml = name === undefined ? `${key}: ${quoted}` : `${section ?? ''}:\n  ${name}: ${quoted}`;
  await folder.configure(strength >= 1 ? yaml : '');
  const base = Object.entries(needed).filter(([other]) => other !== key);
  const sources = {
    env: strength >= 2 ? { [variableName(key)]: variable } : {},
    flags: { ...Object.fromEntries(base), ...(strength >= 3 ? { [key]: flag } : {}) },
  };
  const initiate = await folder.load('initiate', { ...sources, flags: { ...sources.flags, peer: 'B' } });
  const respond = await folder.load('respond', { ...sources, flags: { ...sources.flags, peerSite: 'B' } });
  return pick(initiate, respond);
}

it('is sampled here for every setting of the table', () => {
  expect(Object.keys(SAMPLES)).toEqual(Object.values(SETTINGS).map(({ key }) => key));
});

describe.each(Object.entries(SAMPLES))('%s', (key, makeSample) => {
  it('comes from its default, unless it must be set', async () => {
    const sample = makeSample(folder.root);
    const [otherwise] = sample.values;
    if (otherwise !== REQUIRED) {
      expect(await observe(key, sample, 0)).toEqual(otherwise);
      return;
    }
    const failure = await observe(key, sample, 0).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(QkdSyncError);
    expect(failure).toMatchObject({
      code: 'config',
      message: expect.stringContaining(`${key} is not set: expected `),
    });
  });

  it.each([
    [1, 'the file before the default'],
    [2, 'the environment before the file'],
    [3, 'the flag before all'],
  ])('comes, at strength %d, from %s', async (strength) => {
    const sample = makeSample(folder.root);
    expect(await observe(key, sample, strength)).toEqual(sample.values[strength]);
  });
});
