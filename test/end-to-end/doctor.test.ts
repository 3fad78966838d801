import { once } from 'node:events';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { Finding, FindingName } from '../../src/doctor/finding.js';
import { makeTestCa } from '../support/certificates.js';
import { logOf } from '../support/cli-log.js';
import type { CliEnd } from '../support/cli-process.js';
import { kmeConfig, type CliSite, type SiteConfig } from '../support/cli-site.js';
import { siteSuite } from '../support/site-suite.js';

const { make, bench, alsoClose } = siteSuite();

interface Diagnosis {
  readonly code: CliEnd['code'];
  readonly findings: readonly Finding[];
  readonly of: (name: FindingName, about?: string) => Finding | undefined;
}

async function diagnose(site: CliSite, ...args: string[]): Promise<Diagnosis> {
  const { code, stdout } = await site.run(['doctor', '--json', ...args]);
  const { exit, findings } = JSON.parse(stdout) as { exit: number; findings: readonly Finding[] };
  expect(exit).toBe(code);
  const of = (name: FindingName, about?: string): Finding | undefined =>
    findings.find((finding) => finding.name === name && (about === undefined || finding.about === about));
  return { code, findings, of };
}

/** Diagnoses site A with these settings of its KME instead of the right ones. */
async function diagnoseKme(kme: SiteConfig, ...args: string[]): Promise<Diagnosis> {
  const right = kmeConfig(bench(), 'a', bench().pair.urlA);
  const sites = await make({ a: { kme: { ...right, ...kme } } });
  return diagnose(sites.a, ...args);
}

const failuresOf = ({ findings }: Diagnosis): string[] =>
  findings.flatMap((finding) => (finding.standing === 'failed' ? [`${finding.name} ${finding.fault}`] : []));

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  alsoClose(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('where all is well', () => {
  it('ends with 0, takes no key and changes nothing', async () => {
    const sites = await make();
    const { code, stdout, stderr } = await sites.a.run(['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^settings\n {2}ok {7}configuration {11}all that an exchange needs is set\nhttps:/,
    );
    expect(stdout).toMatch(/\n {2}ok {7}kme-client-certificate {2}the KME takes our certificate\n/);
    expect(stdout).toMatch(/\n {2}ok {7}kme-clock {15}\w/);
    expect(stdout).toMatch(/\n\n\d+ ok, 0 warnings, 0 failed, 0 skipped\n$/);
    expect(sites.calls).toEqual(['kme-a status 200']);
    expect(await sites.a.tree()).toEqual([]);
  });

  it('draws the one key of --take-key, and says that it is lost', async () => {
    const sites = await make();
    const { code, stdout, stderr } = await sites.a.run([
      'doctor',
      '--take-key',
      '--log-format',
      'json',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(sites.calls).toEqual(['kme-a status 200', 'kme-a enc_keys 200']);
    expect(logOf(stderr)).toEqual([
      expect.objectContaining({ level: 'warn', event: 'keys-lost', call: 'enc_keys', keys: 1 }),
    ]);
    expect(stdout).toContain('one key of 256 bits drawn; it is lost');
    expect(await sites.a.tree()).toEqual([]);
  });

  it('is the same for the peer of --peer', async () => {
    const sites = await make();
    const { code, of } = await diagnose(sites.b, '--peer', 'A:7000');
    expect(code).toBe(0);
    expect(of('kme-status')?.about).toBe(`${bench().pair.urlB} for A (SAE sae-a)`);
  });
});

describe('the configuration', () => {
  it('that is wrong is 78, and what is right in it is looked at all the same', async () => {
    const sites = await make({ a: { exchange: { count: 'some' } } });
    const diagnosis = await diagnose(sites.a);
    expect(diagnosis.code).toBe(78);
    expect(failuresOf(diagnosis)).toEqual(['configuration configuration']);
    expect(diagnosis.of('configuration')?.text).toMatch(
      /qkd-sync\.yaml:\d+: exchange\.count is "some": expected/,
    );
    expect(diagnosis.of('kme-status')?.standing).toBe('ok');
  });

  it('that is no YAML is 78, and nothing else is looked at', async () => {
    const sites = await make();
    await writeFile(sites.a.path('.qkd/qkd-sync.yaml'), 'site: "');
    const { code, findings } = await diagnose(sites.a);
    expect(code).toBe(78);
    expect(findings.map(({ name }) => name)).toEqual(['configuration']);
  });

  it('of a wrong flag is 64', async () => {
    const sites = await make();
    expect(await sites.a.run(['doctor', '--count', 'some'])).toMatchObject({ code: 64, stdout: '' });
  });

  it('with a private key that others can read is a warning', async () => {
    const sites = await make();
    const key = sites.a.path('.qkd/sae-a.key');
    await copyFile(bench().file('sae-a.key'), key);
    await chmod(key, 0o644);
    const { code, of } = await diagnose(sites.a, '--kme-key', key);
    expect(code).toBe(0);
    expect(of('file-mode', 'kme.key')).toMatchObject({ standing: 'warning', hint: `chmod 600 ${key}` });
  });
});

describe('a KME', () => {
  it('that nobody is: 69', async () => {
    const gone = await diagnoseKme({ url: 'https://127.0.0.1:1' });
    expect(gone.code).toBe(69);
    expect(failuresOf(gone)).toEqual(['kme-tcp unreachable']);
    const nameless = await diagnoseKme({ url: 'https://kme.invalid' });
    expect(nameless.code).toBe(69);
    expect(failuresOf(nameless)).toEqual(['kme-dns unreachable']);
  });

  it('that speaks no TLS: 69', async () => {
    const port = await listen(createHttpServer((_, response) => response.end('hello')));
    const diagnosis = await diagnoseKme({ url: `https://127.0.0.1:${port}` });
    expect(diagnosis.code).toBe(69);
    expect(failuresOf(diagnosis)).toEqual(['kme-tls unreachable']);
    expect(diagnosis.of('kme-tls')?.text).toMatch(/^the KME does not speak TLS there/);
  });

  it('that is silent: 69 within the time-out', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
    const diagnosis = await diagnoseKme({ url: `https://127.0.0.1:${port}`, timeout: '300ms' });
    expect(diagnosis.code).toBe(69);
    expect(diagnosis.of('kme-tls')?.text).toMatch(/^no answer in 300 ms/);
  });

  it('of another CA: 69, with the names that it bears, and it is told nothing', async () => {
    const diagnosis = await diagnoseKme({ ca: bench().file('sites-ca.pem') });
    expect(diagnosis.code).toBe(69);
    expect(failuresOf(diagnosis)).toEqual(['kme-certificate unreachable']);
    expect(diagnosis.of('kme-certificate')).toMatchObject({
      text: expect.stringMatching(/unknown CA .*it bears .*DNS:localhost/),
      hint: expect.stringMatching(/^set kme\.ca/),
    });
    expect(bench().calls).toEqual([]);
  });

  it('of another name: 69, with the name that was expected', async () => {
    const diagnosis = await diagnoseKme({ serverName: 'kme-x' });
    expect(diagnosis.code).toBe(69);
    expect(diagnosis.of('kme-certificate')).toMatchObject({
      text: expect.stringMatching(/another name than kme-x: it bears DNS:/),
      hint: expect.stringMatching(/^set kme\.serverName/),
    });
  });

  it('whose certificate has expired: 69', async () => {
    const ca = await makeTestCa('KME CA');
    const notAfter = new Date(Date.now() - 60_000);
    const { cert, key } = await ca.issue({
      commonName: 'kme',
      san: [{ type: 'ip', value: '127.0.0.1' }],
      notAfter,
    });
    const server = createHttpsServer({ cert, key });
    server.on('tlsClientError', () => undefined);
    const port = await listen(server);
    const sites = await make();
    await writeFile(sites.a.path('.qkd/ca.pem'), ca.cert);
    const flags = ['--kme', `https://127.0.0.1:${port}`, '--kme-ca', sites.a.path('.qkd/ca.pem')];
    const diagnosis = await diagnose(sites.a, ...flags);
    expect(diagnosis.code).toBe(69);
    expect(failuresOf(diagnosis)).toEqual(['kme-certificate unreachable', 'certificate-expiry unreachable']);
    // The CA of this test lasts a day.
    expect(diagnosis.of('certificate-expiry', 'kme.ca')?.standing).toBe('warning');
  });

  it('that wants a certificate of ours, and gets none: 77', async () => {
    const diagnosis = await diagnoseKme({ cert: undefined, key: undefined });
    expect(diagnosis.code).toBe(77);
    expect(failuresOf(diagnosis)).toEqual(['kme-client-certificate refused', 'kme-status refused']);
    expect(diagnosis.of('kme-client-certificate')?.hint).toBe('set kme.cert and kme.key, or kme.pkcs12');
  });

  it('that knows our certificate as nobody: 77', async () => {
    const its = bench();
    const diagnosis = await diagnoseKme({ cert: its.file('a.pem'), key: its.file('a.key') });
    expect(diagnosis.code).toBe(77);
    expect(failuresOf(diagnosis)).toEqual(['kme-client-certificate refused', 'kme-status refused']);
  });

  it("that does not know the peer's SAE: 77", async () => {
    const sites = await make();
    const diagnosis = await diagnose(sites.a, '--peer', 'B', '--peer-sae', 'nobody');
    expect(diagnosis.code).toBe(77);
    expect(failuresOf(diagnosis)).toEqual(['kme-status refused']);
    expect(diagnosis.of('kme-status')?.text).toContain('no SAE nobody');
    expect(diagnosis.of('kme-client-certificate')?.standing).toBe('ok');
  });

  it('that has no keys is a warning, and 69 for who wants one', async () => {
    const empty = await bench().another(0);
    const diagnosis = await diagnoseKme({ url: empty.urlA });
    expect(diagnosis.code).toBe(0);
    expect(diagnosis.of('kme-stock')).toMatchObject({
      standing: 'warning',
      text: expect.stringMatching(/^0 keys/),
    });
    const asked = await diagnoseKme({ url: empty.urlA }, '--take-key');
    expect(asked.code).toBe(69);
    expect(failuresOf(asked)).toEqual(['kme-key unreachable']);
  });

  it('that delivers no keys of that size is a warning', async () => {
    const diagnosis = await diagnoseKme({}, '--size', '4096');
    expect(diagnosis.code).toBe(0);
    expect(diagnosis.of('kme-limits')).toMatchObject({
      standing: 'warning',
      hint: expect.stringMatching(/exchange\.size/),
    });
  });
});

describe('where qkd-net is set up', () => {
  const CONFIG =
    'base: .qkd/qnl\nqnlSiteKeyLoc: qll/keys\nsiteId: A\nkeyBytesSz: 32\nkeyBlockSz: 4\nqllBlockSz: 16\n';

  async function routed(config: SiteConfig): Promise<Awaited<ReturnType<typeof make>>> {
    const own = { site: undefined, keys: undefined, state: undefined };
    const sites = await make({ a: { ...own, ...config }, b: { exchange: { count: 16 } } });
    await mkdir(sites.a.path('.qkd/qnl'), { mode: 0o700 });
    await writeFile(sites.a.path('.qkd/qnl/config.yaml'), CONFIG);
    return sites;
  }

  it('its values are the defaults, and the files are as its router reads them', async () => {
    const sites = await routed({});
    const { a, b } = await sites.exchange();
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(a.stdout).toBe(`${sites.a.path('.qkd/qnl/qll/keys/B/B_0')}\n`);
    const { code, findings, of } = await diagnose(sites.a);
    expect(code).toBe(0);
    // The folder for temporary files may lie in memory.
    expect(findings.filter(({ name, standing }) => standing !== 'ok' && name !== 'file-system')).toEqual([]);
    expect(of('qkd-net-index')?.text).toBe('files 0 to 0 without a gap');
    expect(of('qkd-net-shape')?.text).toBe('16 lines of 64 characters, in hex');
  });

  it('other settings are warnings that say what the router makes of them', async () => {
    const sites = await routed({ exchange: { count: 1, size: 128, naming: 'key-id' }, keys: '../keys' });
    const { code, of } = await diagnose(sites.a);
    expect(code).toBe(0);
    expect(of('qkd-net-count')?.text).toMatch(/same key again and again/);
    expect(of('qkd-net-size')?.text).toMatch(/zeros/);
    expect(of('qkd-net-naming')?.standing).toBe('warning');
    expect(of('qkd-net-keys')).toMatchObject({
      standing: 'warning',
      hint: `set keys to ${sites.a.path('.qkd/qnl/qll/keys')}`,
    });
  });

  it('a mistake there is 78 with file and line', async () => {
    const sites = await routed({});
    await writeFile(sites.a.path('.qkd/qnl/config.yaml'), 'siteId: A\nqllBlockSz: [1]\n');
    const a = await sites.a.run(['initiate', '--peer', 'B:1']);
    expect(a.code).toBe(78);
    expect(a.stderr).toContain(
      `${sites.a.path('.qkd/qnl/config.yaml')}:2: qllBlockSz is a list: expected an integer`,
    );
  });
});
