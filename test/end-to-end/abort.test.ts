import { describe, expect, it } from '@jest/globals';
import { handshakeOf, logOf, sayingOf, settledText } from '../support/cli-log.js';
import { kmeConfig, type TwoSites } from '../support/cli-site.js';
import type { CliEnd } from '../support/cli-process.js';
import { siteSuite } from '../support/site-suite.js';
import { settledTree, siteTree } from '../support/site-tree.js';

const { make, bench } = siteSuite();

const JSON_LOG = ['-v', '--log-format', 'json'];

/** A responder that gives up soon after the refusal that the test is about. */
async function refusedExchange(
  sites: TwoSites,
  argsA: readonly string[] = [],
  argsB: readonly string[] = [],
): Promise<{ a: CliEnd; b: CliEnd }> {
  const responder = await sites.b.respond([...JSON_LOG, ...argsB]);
  const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...JSON_LOG, ...argsA]);
  await responder.process.said(/"event":"contact-failed"/);
  responder.process.kill('SIGTERM');
  return { a, b: await responder.ended };
}

/** What `status` says where nothing has come of anything. */
async function expectNothingOpen(sites: TwoSites): Promise<void> {
  for (const site of [sites.a, sites.b]) {
    const { code, stdout } = await site.run(['status', '--json']);
    expect(code).toBe(0);
    const { peers } = JSON.parse(stdout) as { peers: { nextIndex: number; open: unknown[] }[] };
    expect(peers.every(({ nextIndex, open }) => nextIndex === 0 && open.length === 0)).toBe(true);
  }
}

const lastError = (stderr: string): unknown => logOf(stderr).findLast(({ level }) => level === 'error');

describe('the initiator fails before it has drawn a key', () => {
  it('69 and no key drawn where the responder is down', async () => {
    const sites = await make();
    const gone = await sites.b.respond(['--timeout', '1ms']);
    await gone.ended;
    const args = ['initiate', '--peer', `B:${gone.port}`, '--connect-wait', '0s'];
    const a = await sites.a.run(args);
    expect(a).toMatchObject({ code: 69, stdout: '' });
    expect(settledText(a.stderr)).toMatch(
      /^qkd-sync: cannot reach B at 127\.0\.0\.1:<port>: .*\nhint: .*\n$/,
    );
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    await expectNothingOpen(sites);
  });

  it('69 and no key drawn where the KME of B is down', async () => {
    const down = await bench().another();
    await down.close();
    const sites = await make((its) => ({ b: { kme: kmeConfig(its, 'b', down.urlB) } }));
    const { a, b } = await refusedExchange(sites);
    expect(a).toMatchObject({ code: 69, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< NAK']);
    expect(handshakeOf(b.stderr)).toEqual(['< HELLO', '> NAK']);
    expect(sayingOf(b.stderr, 'contact-failed')).toMatchObject({ peer: 'A', code: 'kme-unreachable' });
    expect(lastError(a.stderr)).toMatchObject({ event: 'kme-unreachable' });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
    await expectNothingOpen(sites);
  });

  it.each([
    ['count', { count: 2 }, 'the responder is configured for 2 keys a file, the initiator for 1'],
    ['size', { size: 512 }, 'the responder is configured for keys of 512 bits, the initiator for 256'],
    [
      'naming',
      { naming: 'key-id' },
      'the responder is configured for naming by key-id, the initiator for index',
    ],
  ])('78 where the sites differ in %s', async (code, exchange, reason) => {
    const sites = await make({ b: { exchange } });
    const { a, b } = await refusedExchange(sites);
    expect(a).toMatchObject({ code: 78, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< NAK']);
    expect(lastError(a.stderr)).toMatchObject({
      event: 'disagreement',
      message: `the peer refused: ${reason}`,
    });
    expect(sayingOf(b.stderr, 'contact-failed')).toMatchObject({ code: 'disagreement' });
    expect(logOf(b.stderr).find(({ message }) => message === 'sent NAK')).toMatchObject({ code, reason });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
    await expectNothingOpen(sites);
  });

  it('78 where the sites differ in the number of the next file, 0 with --index on both', async () => {
    const sites = await make();
    const { a } = await refusedExchange(sites, [], ['--index', '5']);
    expect(a).toMatchObject({ code: 78, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< NAK']);
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));

    const again = await sites.exchange(['--index', '5']);
    expect([again.a.code, again.b.code]).toEqual([0, 0]);
    expect(again.a.stdout).toBe(`${sites.a.path('keys/B/B_5')}\n`);
    expect(again.b.stdout).toBe(`${sites.b.path('keys/A/A_5')}\n`);
  });

  it('77 where another SAE is claimed than is configured', async () => {
    const sites = await make({ a: { sae: 'sae-x' } });
    const { a, b } = await refusedExchange(sites);
    expect(a).toMatchObject({ code: 77, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< NAK']);
    expect(lastError(a.stderr)).toMatchObject({ event: 'peer-refused' });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
  });

  it('75 where its own KME has no keys', async () => {
    const empty = await bench().another(0);
    const sites = await make((its) => ({ a: { kme: kmeConfig(its, 'a', empty.urlA) } }));
    const responder = await sites.b.respond(JSON_LOG);
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...JSON_LOG]);
    responder.process.kill('SIGTERM');
    const b = await responder.ended;
    expect(a).toMatchObject({ code: 75, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< STATUS']);
    expect(lastError(a.stderr)).toMatchObject({ event: 'kme-empty' });
    expect(sites.calls).toEqual(['kme-b status 200', 'kme-a enc_keys 503']);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
    await expectNothingOpen(sites);
  });

  it('69 where its own KME is down', async () => {
    const down = await bench().another();
    await down.close();
    const sites = await make((its) => ({ a: { kme: kmeConfig(its, 'a', down.urlA) } }));
    const responder = await sites.b.respond(JSON_LOG);
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...JSON_LOG]);
    responder.process.kill('SIGTERM');
    expect(await responder.ended).toMatchObject({ code: 130, stdout: '' });
    expect(a).toMatchObject({ code: 69, stdout: '' });
    expect(lastError(a.stderr)).toMatchObject({ event: 'kme-unreachable' });
    expect(sites.calls).toEqual(['kme-b status 200']);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
    await expectNothingOpen(sites);
  });
});

describe('the responder fails before its vote', () => {
  it('75 where the KME of B has not the key', async () => {
    const other = await bench().another();
    const sites = await make((its) => ({ b: { kme: kmeConfig(its, 'b', other.urlB) } }));
    const { a, b } = await refusedExchange(sites);
    expect(a).toMatchObject({ code: 75, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< STATUS', '> SYN', '< NAK']);
    expect(handshakeOf(b.stderr)).toEqual(['< HELLO', '> STATUS', '< SYN', '> NAK']);
    expect(sites.calls).toEqual(['kme-b status 200', 'kme-a enc_keys 200', 'kme-b dec_keys 400']);
    const nothing = { roles: ['initiator'] } as const;
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B', ...nothing }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A', roles: ['responder'] }));
    await expectNothingOpen(sites);
  });

  it('leaves no gap: the next exchange takes the number that the failed one gave up', async () => {
    const other = await bench().another();
    const sites = await make();
    const { a } = await refusedExchange(sites, [], ['--kme', other.urlB]);
    expect(a.code).toBe(75);
    const again = await sites.exchange();
    expect([again.a.code, again.b.code]).toEqual([0, 0]);
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    expect(await sites.b.tree()).toEqual(settledTree('A'));
  });
});
