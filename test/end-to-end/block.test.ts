/** Blocks of 4,096 keys for qkd-net's key router, on hosts where nothing but the KME and the peer is configured. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { screenOf } from '../support/fake-terminal.js';
import { kmeConfig, type CliSite, type TwoSites } from '../support/cli-site.js';
import { packedCli } from '../support/packed-cli.js';
import { startCuttingProxy, type Cut } from '../support/cutting-proxy.js';
import { startEndingProxy, type EndingProxy } from '../support/ending-proxy.js';
import { siteSuite } from '../support/site-suite.js';

const { make, alsoClose, bench } = siteSuite();
jest.setTimeout(300_000);

const KEYS = 4_096;
const KEYS_FOLDER = '.qkd/qnl/qll/keys';

/** qkd-net's own two files, as it ships them. */
async function setUpQkdNet(site: CliSite, id: string, peer: string): Promise<void> {
  const folder = site.path('.qkd/qnl');
  await mkdir(folder, { recursive: true });
  const config = [
    `siteId: ${id}`,
    'base: .qkd/qnl',
    'routeConfigLoc: routes.json',
    'qnlSiteKeyLoc: qll/keys',
  ];
  const sizes = ['port: 9292', 'keyBytesSz: 32', 'keyBlockSz: 1024', `qllBlockSz: ${KEYS}`];
  await writeFile(join(folder, 'config.yaml'), [...config, ...sizes, ''].join('\n'));
  await writeFile(join(folder, 'routes.json'), JSON.stringify({ adjacent: { [peer]: '127.0.0.1' } }));
}

/** Sites without any setting that qkd-net's files have. */
async function makeQkdNetSites(): Promise<TwoSites> {
  const left = { site: undefined, keys: undefined, state: undefined };
  const sites = await make({ auth: 'none', a: left, b: left });
  await setUpQkdNet(sites.a, 'A', 'B');
  await setUpQkdNet(sites.b, 'B', 'A');
  return sites;
}

async function exchange(sites: TwoSites, cuts: readonly Cut[] = []): Promise<readonly [unknown, unknown]> {
  const responder = await sites.b.respond(['--insecure', '--timeout', '20s', '--ack-timeout', '2s']);
  const proxy = cuts.length === 0 ? undefined : await startCuttingProxy(responder.port, cuts);
  if (proxy !== undefined) alsoClose(() => proxy.close());
  const port = proxy?.port ?? responder.port;
  const flags = ['--insecure', '--ack-timeout', '2s'];
  const a = await sites.a.run(['initiate', '--peer', `B:${port}`, ...flags]);
  // It may have been told no before its vote, and would wait for another contact.
  responder.process.kill('SIGTERM');
  return [a.code, (await responder.ended).code];
}

/** The key files of both sites are those of so many exchanges, block by block the same. */
async function expectBlocks(sites: TwoSites, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n);
  const names = async (site: CliSite, peer: string): Promise<string[]> =>
    (await readdir(site.path(`${KEYS_FOLDER}/${peer}`)).catch(() => [])).sort();
  expect(await names(sites.a, 'B')).toEqual(numbers.map((n) => `B_${n}`));
  expect(await names(sites.b, 'A')).toEqual(numbers.map((n) => `A_${n}`));
  const all = new Set<string>();
  for (const n of numbers) {
    const a = await sites.a.read(`${KEYS_FOLDER}/B/B_${n}`);
    const b = await sites.b.read(`${KEYS_FOLDER}/A/A_${n}`);
    expect(a === b).toBe(true);
    const lines = a.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(KEYS);
    expect(lines.every((line) => /^[0-9a-f]{64}$/.test(line))).toBe(true);
    for (const line of lines) all.add(line);
  }
  expect(all.size).toBe(count * KEYS);
}

/** This site's KME fails after so many requests. */
async function failingKme(site: CliSite, letter: 'a' | 'b', requests: number): Promise<EndingProxy> {
  const { urlA, urlB } = bench().pair;
  const proxy = await startEndingProxy(Number(new URL(letter === 'a' ? urlA : urlB).port), requests);
  alsoClose(() => proxy.close());
  await setKme(site, letter, `https://127.0.0.1:${proxy.port}`);
  return proxy;
}

async function setKme(site: CliSite, letter: 'a' | 'b', url: string): Promise<void> {
  const peer = letter === 'a' ? 'B' : 'A';
  await site.configure({
    sae: `sae-${letter}`,
    kme: kmeConfig(bench(), letter, url),
    peers: { [peer]: { sae: `sae-${peer.toLowerCase()}` } },
  });
}

async function soundKmes({ a, b }: TwoSites): Promise<void> {
  await setKme(a, 'a', bench().pair.urlA);
  await setKme(b, 'b', bench().pair.urlB);
}

describe('blocks for the key router', () => {
  it('come one after the other, whole, alike and without gaps, whatever failed in between', async () => {
    const sites = await makeQkdNetSites();
    expect(await exchange(sites)).toEqual([0, 0]);
    await expectBlocks(sites, 1);

    // The first of the requests asks for the status: at B the second does too, before the initiator draws.
    await failingKme(sites.a, 'a', 12);
    expect((await exchange(sites))[0]).toBe(69);
    await expectBlocks(sites, 1);

    await soundKmes(sites);
    await failingKme(sites.b, 'b', 12);
    expect((await exchange(sites))[0]).toBe(69);
    await expectBlocks(sites, 1);

    await soundKmes(sites);
    expect(await exchange(sites)).toEqual([0, 0]);
    await expectBlocks(sites, 2);
  });

  it('survive a kill in the middle of a block on either side, and a cut', async () => {
    const sites = await makeQkdNetSites();
    for (const letter of ['a', 'b'] as const) {
      const kme = await failingKme(sites[letter], letter, 12);
      const responder = await sites.b.respond(['--insecure', '--timeout', '20s']);
      const initiator = sites.a.start(['initiate', '--peer', `B:${responder.port}`, '--insecure']);
      await kme.spent;
      (letter === 'a' ? initiator : responder.process).kill('SIGKILL');
      const a = await initiator.ended;
      responder.process.kill('SIGTERM');
      await responder.ended;
      expect(a.code).not.toBe(0);
      await expectBlocks(sites, 0);
      await soundKmes(sites);
    }
    // A has decided and B has not heard of it: the next contact settles the block before it begins another.
    await exchange(sites, [{ from: 'initiator', message: 'ACK', how: 'before' }]);
    expect(await exchange(sites)).toEqual([0, 0]);
    await expectBlocks(sites, 2);
  });
});

describe('the progress of a block', () => {
  it('is shown on a terminal while it is fetched, and leaves nothing', async () => {
    const sites = await makeQkdNetSites();
    const responder = await sites.b.respond(['--insecure']);
    const { node, bin } = packedCli();
    // So slow that it is worth a bar anywhere.
    const command = `stty cols 100 rows 30; ${node} ${bin} initiate --insecure --peer B:${responder.port} --kme-parallel 1 --kme-max-per-request 8`;
    const terminal = sites.a.start(['-qec', command, '/dev/null'], {
      command: { node: 'script', bin: '-f' },
    });
    const { code, stdout } = await terminal.ended;
    expect(code).toBe(0);
    expect((await responder.ended).code).toBe(0);
    expect(stdout).toMatch(/fetching keys \[#*-*\] \d+\/4096, \d+ keys\/s, [\d.]+ (s|ms|min) left/);
    expect(screenOf(stdout)).toEqual([
      sites.a.path(`${KEYS_FOLDER}/B/B_0`),
      expect.stringMatching(/^qkd-sync: \d+ ms between ACK and exit$/),
      expect.stringMatching(/^qkd-sync: both sites have saved B_0 \(4096 keys\) in /),
    ]);
  });

  it('is for the terminal alone: stdout in a pipe has the result and nothing else', async () => {
    const sites = await makeQkdNetSites();
    const responder = await sites.b.respond(['--insecure']);
    const { node, bin } = packedCli();
    const slow = '--kme-parallel 1 --kme-max-per-request 8';
    const run = `${node} ${bin} initiate --insecure --peer B:${responder.port} ${slow}`;
    // Of the two only stdout is in the pipe: stderr stays the terminal.
    const command = `stty cols 100 rows 30; ${run} | cat > result`;
    const terminal = sites.a.start(['-qec', command, '/dev/null'], {
      command: { node: 'script', bin: '-f' },
    });
    const { stdout: shown } = await terminal.ended;
    expect((await responder.ended).code).toBe(0);
    expect(shown).toMatch(/fetching keys \[/);
    expect(await sites.a.read('result')).toBe(`${sites.a.path(`${KEYS_FOLDER}/B/B_0`)}\n`);
    expect(screenOf(shown)).toEqual([
      expect.stringMatching(/^qkd-sync: \d+ ms between ACK and exit$/),
      expect.stringMatching(/^qkd-sync: both sites have saved B_0 \(4096 keys\) in /),
    ]);
  });

  it('is not shown on a terminal without a width', async () => {
    const sites = await makeQkdNetSites();
    const responder = await sites.b.respond(['--insecure']);
    const { node, bin } = packedCli();
    const command = `stty cols 0 rows 0; ${node} ${bin} initiate --insecure --peer B:${responder.port}`;
    const terminal = sites.a.start(['-qec', command, '/dev/null'], {
      command: { node: 'script', bin: '-f' },
    });
    const { code, stdout } = await terminal.ended;
    expect(code).toBe(0);
    expect((await responder.ended).code).toBe(0);
    expect(stdout).not.toContain('fetching');
  });

  it('is not shown to what is no terminal', async () => {
    const sites = await makeQkdNetSites();
    const responder = await sites.b.respond(['--insecure']);
    const { stderr } = await sites.a.run(['initiate', '--insecure', '--peer', `B:${responder.port}`]);
    expect(`${stderr}${(await responder.ended).stderr}`).not.toMatch(/fetching|\u001b/);
  });
});
