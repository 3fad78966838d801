import { readFile, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeTestCa } from '../support/certificates.js';
import { logOf, sayingOf, settledText, talkOf } from '../support/cli-log.js';
import {
  channelConfig,
  kmeConfig,
  type CliSite,
  type Responder,
  type TwoSites,
} from '../support/cli-site.js';
import { siteSuite } from '../support/site-suite.js';
import { settledTree, siteTree } from '../support/site-tree.js';

const { make, bench } = siteSuite();

const JSON_LOG = ['-v', '--log-format', 'json'];

/** The responder that has refused one goes on listening, and serves a right one afterwards. */
async function expectServes(sites: TwoSites, responder: Responder, right: CliSite = sites.a): Promise<void> {
  const a = await right.run(['initiate', '--peer', `B:${responder.port}`]);
  const b = await responder.ended;
  expect([a.code, b.code]).toEqual([0, 0]);
  expect(await sites.b.tree()).toEqual(settledTree('A'));
}

/** What comes back on a raw connection until it closes, and how that happened. */
function untilClosed(socket: ReturnType<typeof connectTcp>): Promise<{ text: string; error: string }> {
  return new Promise((resolve) => {
    let text = '';
    let error = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (cause) => {
      error = cause.message;
    });
    socket.once('close', () => {
      resolve({ text, error });
    });
  });
}

describe('who is not who they should be', () => {
  it('77 where the certificate of A bears another name, and the responder goes on', async () => {
    const sites = await make((its) => ({ a: { channel: { ...channelConfig(its, 'b') } } }));
    const responder = await sites.b.respond(JSON_LOG);
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...JSON_LOG]);
    expect(a).toMatchObject({ code: 77, stdout: '' });
    expect(logOf(a.stderr).at(-1)).toMatchObject({ level: 'error', event: 'peer-refused' });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
    const right = ['--cert', bench().file('a.pem'), '--key', bench().file('a.key')];
    const again = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...right]);
    expect(again.code).toBe(0);
    const b = await responder.ended;
    expect(b.code).toBe(0);
    expect(talkOf(b.stderr).slice(0, 3)).toEqual(['listening', 'connection-refused', 'peer-connected']);
  });

  it('69 where the KME is of another CA, whatever the environment says of certificates', async () => {
    const kme = kmeConfig(bench(), 'a', bench().pair.urlA);
    const sites = await make({ a: { kme: { ...kme, ca: bench().file('sites-ca.pem') } } });
    const responder = await sites.b.respond();
    const trusting = { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } };
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`], trusting);
    expect(a).toMatchObject({ code: 69, stdout: '' });
    expect(a.stderr).toContain("the KME's certificate comes from an unknown CA");
    expect(sites.calls).toEqual(['kme-b status 200']);
    const right = ['--kme-ca', bench().file('kme-ca.pem')];
    const again = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...right], trusting);
    expect([again.code, (await responder.ended).code]).toEqual([0, 0]);
  });

  it('77 where the certificate of B bears another name', async () => {
    const sites = await make((its) => ({ b: { channel: { ...channelConfig(its, 'a') } } }));
    const responder = await sites.b.respond();
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`]);
    expect(a).toMatchObject({ code: 77, stdout: '' });
    expect(settledText(a.stderr)).toMatch(/^qkd-sync: .*\bB\b.*\n(hint: .*\n)?$/);
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
  });

  it('77 where the certificate of A is of another CA, and the responder goes on', async () => {
    const sites = await make();
    const stranger = await (
      await makeTestCa('another CA')
    ).issue({ commonName: 'A', san: [{ type: 'dns', value: 'A' }] });
    await writeFile(sites.a.path('.qkd/x.pem'), stranger.cert);
    await writeFile(sites.a.path('.qkd/x.key'), stranger.key, { mode: 0o600 });
    const responder = await sites.b.respond(JSON_LOG);
    const wrong = ['--cert', sites.a.path('.qkd/x.pem'), '--key', sites.a.path('.qkd/x.key')];
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...wrong]);
    expect(a).toMatchObject({ code: 77, stdout: '' });
    expect(sites.calls).toEqual([]);
    await expectServes(sites, responder);
  });

  it('77 where the pre-shared keys differ, and the responder goes on', async () => {
    const sites = await make({ auth: 'psk' });
    const responder = await sites.b.respond(JSON_LOG);
    const rightKey = await readFile(join(sites.folder, 'a-to-b.psk'), 'utf8');
    // B has read its copy of the file already.
    await writeFile(join(sites.folder, 'a-to-b.psk'), `${'a5'.repeat(32)}\n`);
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`]);
    expect(a).toMatchObject({ code: 77, stdout: '' });
    expect(sites.calls).toEqual([]);
    await writeFile(join(sites.folder, 'a-to-b.psk'), rightKey);
    await expectServes(sites, responder);
  });

  it('lets nobody beyond TLS who has no certificate', async () => {
    const sites = await make();
    const responder = await sites.b.respond(JSON_LOG);
    const ca = await readFile(bench().file('sites-ca.pem'), 'utf8');
    const socket = connectTls({ port: responder.port, host: '127.0.0.1', ca, servername: 'B' });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const { text, error } = await untilClosed(socket);
    expect(text).toBe('');
    expect(error).not.toBe('');
    await responder.process.said(/"event":"connection-refused"/);
    await expectServes(sites, responder);
  });

  it('answers nothing to a client that speaks no TLS', async () => {
    const sites = await make();
    const responder = await sites.b.respond(JSON_LOG);
    const socket = connectTcp({ port: responder.port, host: '127.0.0.1' });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const { text } = await untilClosed(socket);
    expect(text).not.toContain('HTTP');
    await responder.process.said(/"event":"connection-refused"/);
    await expectServes(sites, responder);
  });

  it('does not talk in the clear with a responder that wants TLS', async () => {
    const sites = await make();
    const plain = await make({ auth: 'none' });
    const responder = await sites.b.respond(JSON_LOG);
    const a = await plain.a.run([
      'initiate',
      '--peer',
      `B:${responder.port}`,
      '--insecure',
      '--connect-wait',
      '0s',
    ]);
    expect([69, 76, 77]).toContain(a.code);
    expect(a.stdout).toBe('');
    expect(sites.calls).toEqual([]);
    await expectServes(sites, responder);
  });
});

describe('without credentials', () => {
  it('works in the clear on loopback with --insecure on both sites', async () => {
    const sites = await make({ auth: 'none' });
    const { a, b } = await sites.exchange(['--insecure', ...JSON_LOG]);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(sayingOf(a.stderr, 'peer-connected')).toMatchObject({ method: 'none' });
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    expect(await sites.b.tree()).toEqual(settledTree('A'));
  });

  it('78 without --insecure', async () => {
    const sites = await make({ auth: 'none' });
    const a = await sites.a.run(['initiate', '--peer', 'B:1']);
    expect(a).toMatchObject({ code: 78, stdout: '' });
    expect(a.stderr).toContain('nothing authenticates the sites to each other');
    expect(await sites.a.tree()).toEqual([]);
  });

  it('78 with --insecure beyond loopback', async () => {
    const sites = await make({ auth: 'none' });
    const b = await sites.b.run(['respond', '--listen', '0.0.0.0:0', '--insecure']);
    expect(b).toMatchObject({ code: 78, stdout: '' });
    expect(b.stderr).toContain('--insecure');
  });
});
