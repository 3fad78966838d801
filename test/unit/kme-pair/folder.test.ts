/** What `qkd-sync kme --dir DIR` leaves on disk. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../../../src/base/clock.js';
import { systemRandom } from '../../../src/base/random.js';
import { loadSettings } from '../../../src/config/load.js';
import { prepareFolder } from '../../../src/kme-pair/folder.js';
import { CREDENTIAL_FILES } from '../../../src/kme-pair/names.js';
import { writeSettings } from '../../../src/kme-pair/settings-file.js';

/** Each file is fsynced, which takes its time on a busy machine. */
jest.setTimeout(60_000);

let root: string;
let dir: string;
let said: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kme-folder-'));
  dir = join(root, 'deep', 'pair');
  said = [];
});
afterEach(() => rm(root, { recursive: true }));

const NOW = Date.UTC(2026, 1, 28, 12);
const sources = {
  clock: { ...systemClock, now: () => NOW },
  random: systemRandom,
  log: (_level: string, event: string) => said.push(event),
};
const prepare = (): Promise<void> => prepareFolder(dir, sources);
const settings = (port = 8441, peerPort = 7000): Promise<unknown> =>
  writeSettings(dir, {
    kmeUrlA: `https://127.0.0.1:${port}`,
    kmeUrlB: `https://127.0.0.1:${port + 1}`,
    siteB: `127.0.0.1:${peerPort}`,
  });
const text = (name: string): Promise<string> => readFile(join(dir, name), 'utf8');
const contents = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all((await readdir(dir)).map(async (name) => [name, await text(name)] as const)),
  );
const certificate = async (name: string): Promise<X509Certificate> => new X509Certificate(await text(name));

describe('modes', () => {
  it.each([0o000, 0o022, 0o077])('are 0700 and 0600 under umask %i', async (umask) => {
    const before = process.umask(umask);
    try {
      await prepare();
      await settings();
    } finally {
      process.umask(before);
    }
    const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
    expect(await mode(dir)).toBe('700');
    const names = await readdir(dir);
    expect(names.toSorted()).toEqual([...CREDENTIAL_FILES, '.qkd-sync-kme', 'a.yaml', 'b.yaml'].toSorted());
    for (const name of names) expect([name, await mode(join(dir, name))]).toEqual([name, '600']);
  });

  it('do not come from what a crash has left', async () => {
    await prepare();
    await rm(join(dir, 'a.key'));
    await writeFile(join(dir, '.a.key.new'), 'torn', { mode: 0o644 });
    await prepare();
    expect((await stat(join(dir, 'a.key'))).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).not.toContain('.a.key.new');
  });

  it('are set on an empty folder that was there', async () => {
    await mkdir(dir, { recursive: true });
    await chmod(dir, 0o755);
    await prepare();
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });
});

describe('certificates', () => {
  beforeEach(prepare);

  it('come from two CAs that are nothing else', async () => {
    const kmeCa = await certificate('kme-ca.pem');
    const sitesCa = await certificate('sites-ca.pem');
    for (const ca of [kmeCa, sitesCa]) {
      expect(ca.ca).toBe(true);
      expect(ca.verify(ca.publicKey)).toBe(true);
    }
    for (const [ca, other, names] of [
      [kmeCa, sitesCa, ['kme-a', 'kme-b', 'sae-a', 'sae-b']],
      [sitesCa, kmeCa, ['a', 'b']],
    ] as const)
      for (const name of names) {
        const leaf = await certificate(`${name}.pem`);
        expect(leaf.ca).toBe(false);
        expect(leaf.checkIssued(ca)).toBe(true);
        expect(leaf.verify(ca.publicKey)).toBe(true);
        expect(leaf.verify(other.publicKey)).toBe(false);
        expect(leaf.checkPrivateKey(createPrivateKey(await text(`${name}.key`)))).toBe(true);
      }
  });

  it('name their holders, and are good for their ends of a connection only', async () => {
    const [server, client] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
    const facts = async (name: string): Promise<unknown[]> => {
      const { subject, subjectAltName, keyUsage } = await certificate(`${name}.pem`);
      return [subject, subjectAltName, keyUsage];
    };
    expect(await facts('kme-a')).toEqual([
      'CN=kme-a',
      'DNS:localhost, DNS:kme-a, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      [server],
    ]);
    const addresses = 'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1';
    expect(await facts('kme-a.no-san')).toEqual(['CN=kme-a', undefined, [server]]);
    expect(await facts('kme-b.ip-only')).toEqual(['CN=kme-b', addresses, [server]]);
    expect(await facts('kme-b.wrong-name')).toEqual(['CN=another-kme', 'DNS:another-kme', [server]]);
    expect(await facts('sae-b')).toEqual(['CN=sae-b', undefined, [client]]);
    expect(await facts('b')).toEqual(['CN=B', 'DNS:B', [server, client]]);
  });

  it('are valid for ten years from an hour ago but for the expired ones, with keys P-256 and serial numbers of their own', async () => {
    const serials = new Set<string>();
    const files = CREDENTIAL_FILES.filter((name) => name.endsWith('.pem'));
    for (const name of files) {
      const one = await certificate(name);
      const expired = name.includes('expired');
      expect([one.validFrom, one.validTo].map((date) => new Date(date).toISOString())).toEqual(
        expired
          ? ['2026-02-26T12:00:00.000Z', '2026-02-27T12:00:00.000Z']
          : ['2026-02-28T11:00:00.000Z', '2036-02-28T11:00:00.000Z'],
      );
      expect(one.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
      expect(one.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      serials.add(one.serialNumber);
    }
    expect(serials.size).toBe(files.length);
  });
});

describe('a second start', () => {
  it('changes nothing where nothing has changed', async () => {
    await prepare();
    await settings();
    const before = await contents();
    await prepare();
    await settings();
    expect(await contents()).toEqual(before);
    expect(said).toEqual(['kme-credentials-made']);
  });

  it('sets the addresses, and keeps what the user has changed', async () => {
    await prepare();
    await settings();
    const before = await contents();
    const mine = (before['a.yaml'] ?? '').replace('count: 1', 'count: 5 # mine');
    await writeFile(join(dir, 'a.yaml'), mine);
    await settings(9001, 7500);
    expect(await text('a.yaml')).toBe(mine.replace('8441', '9001').replace('7000', '7500'));
    expect(await text('b.yaml')).toBe(before['b.yaml']?.replace('8442', '9002'));
  });

  it('refuses a settings file that has lost its header, and leaves both as they are', async () => {
    await prepare();
    await settings();
    const mine = (await text('b.yaml')).replace(/^.*\n/, '');
    await writeFile(join(dir, 'b.yaml'), mine);
    const refusal = { code: 'config', message: expect.stringContaining('b.yaml') as unknown };
    const before = await contents();
    await expect(settings(9001)).rejects.toMatchObject(refusal);
    expect(await contents()).toEqual(before);
  });

  it('refuses a settings file that is broken, with its line', async () => {
    await prepare();
    await settings();
    await writeFile(join(dir, 'a.yaml'), (await text('a.yaml')).replace('sae: sae-a\n', 'sae: "sae-a\n'));
    await expect(settings(9001)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/a\.yaml, line \d+: not valid YAML/) as unknown,
    });
  });

  it('makes all credentials anew where one is lost', async () => {
    await prepare();
    const before = await contents();
    await rm(join(dir, 'sae-a.key'));
    await prepare();
    const after = await contents();
    expect(said).toEqual(['kme-credentials-made', 'kme-credentials-lost', 'kme-credentials-made']);
    for (const name of CREDENTIAL_FILES) expect(after[name]).not.toBe(before[name]);
  });

  it.each([
    ['an empty marker', { '.qkd-sync-kme': '' }],
    ['the draft of a marker', { '..qkd-sync-kme.new': '' }],
    [
      'some credentials',
      { '.qkd-sync-kme': 'made by qkd-sync kme: credentials incomplete\n', 'a.pem': 'torn' },
    ],
  ])('goes on where a crash has left %s', async (_, files) => {
    await mkdir(dir, { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
    await prepare();
    expect((await readdir(dir)).toSorted()).toEqual([...CREDENTIAL_FILES, '.qkd-sync-kme'].toSorted());
    expect((await certificate('a.pem')).subject).toBe('CN=A');
  });
});

describe('a folder of somebody else', () => {
  it('is refused and left alone', async () => {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'a.pem'), 'precious');
    await expect(prepare()).rejects.toMatchObject({
      code: 'config',
      message: `${dir} is not empty and was not made by qkd-sync kme`,
    });
    expect(await contents()).toEqual({ 'a.pem': 'precious' });
  });

  it('is refused where it is a file', async () => {
    await mkdir(join(root, 'deep'));
    await writeFile(dir, '');
    await expect(prepare()).rejects.toMatchObject({ code: 'config', message: `${dir} is not a folder` });
  });

  it('is a storage error where it cannot be read', async () => {
    const long = join(dir, 'x'.repeat(300));
    await expect(prepareFolder(long, sources)).rejects.toMatchObject({ code: 'storage' });
  });
});

describe('settings files', () => {
  it('let both sites run on this machine', async () => {
    await prepare();
    expect(await settings()).toEqual({ configA: join(dir, 'a.yaml'), configB: join(dir, 'b.yaml') });
    const own = (letter: string): object => ({
      sae: `sae-${letter}`,
      keys: `${letter}/keys`,
      state: `${letter}/exchanges`,
      channel: { ca: 'sites-ca.pem', cert: `${letter}.pem`, key: `${letter}.key` },
      exchange: { count: 1, size: 256 },
    });
    const kme = (letter: string, port: number): object => ({
      url: `https://127.0.0.1:${port}`,
      ca: 'kme-ca.pem',
      cert: `sae-${letter}.pem`,
      key: `sae-${letter}.key`,
    });
    expect(parse(await text('a.yaml'))).toEqual({
      site: 'A',
      ...own('a'),
      kme: kme('a', 8441),
      peers: { B: { address: '127.0.0.1:7000', sae: 'sae-b', name: 'B' } },
    });
    expect(parse(await text('b.yaml'))).toEqual({
      site: 'B',
      ...own('b'),
      kme: kme('b', 8442),
      peers: { A: { sae: 'sae-a', name: 'A' } },
    });
  });

  it('are what the commands take', async () => {
    await prepare();
    await settings();
    const nothingElse = { env: {}, home: root, cwd: root, systemFolder: root };
    const a = await loadSettings({
      need: 'initiate',
      flags: { config: join(dir, 'a.yaml'), peer: 'B' },
      ...nothingElse,
    });
    const b = await loadSettings({
      need: 'respond',
      flags: { config: join(dir, 'b.yaml'), listen: '7000' },
      ...nothingElse,
    });
    expect(a).toMatchObject({ site: 'A', sae: 'sae-a', peer: { host: '127.0.0.1', port: 7000 } });
    expect(b).toMatchObject({ site: 'B', sae: 'sae-b' });
  });
});
