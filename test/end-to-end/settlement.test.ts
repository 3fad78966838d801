import { describe, expect, it } from '@jest/globals';
import { handshakeOf, logOf, talkOf } from '../support/cli-log.js';
import { startCuttingProxy, type Cut, type CuttingProxy } from '../support/cutting-proxy.js';
import type { Responder, TwoSites } from '../support/cli-site.js';
import { killResponderAfterVote } from '../support/killed-after-vote.js';
import { siteSuite } from '../support/site-suite.js';
import { settledTree, siteTree } from '../support/site-tree.js';

const { make, alsoClose } = siteSuite();

const JSON_LOG = ['-v', '--log-format', 'json', '--insecure'];

const makeOpen = (): Promise<TwoSites> => make({ auth: 'none' });

async function proxyTo(responder: Responder, ...cuts: Cut[]): Promise<CuttingProxy> {
  const proxy = await startCuttingProxy(responder.port, cuts);
  alsoClose(() => proxy.close());
  return proxy;
}

async function expectSettled(sites: TwoSites, count: number): Promise<void> {
  expect(await sites.a.tree()).toEqual(settledTree('B', count));
  expect(await sites.b.tree()).toEqual(settledTree('A', count));
  for (let index = 0; index < count; index += 1) {
    const same = (await sites.a.read(`keys/B/B_${index}`)) === (await sites.b.read(`keys/A/A_${index}`));
    expect(same).toBe(true);
  }
}

async function openOf(site: TwoSites['a']): Promise<unknown> {
  const { code, stdout } = await site.run(['status', '--json']);
  const { peers } = JSON.parse(stdout) as { peers: { open: { standing: string }[] }[] };
  return { code, open: peers.flatMap(({ open }) => open.map(({ standing }) => standing)) };
}

const IN_DOUBT = siteTree({
  peer: 'A',
  roles: ['responder'],
  records: ['responder/<id>.staged beta exchange.json key key-ids.json'],
  names: ['A_0'],
});

/** A has decided and published, B has voted and was killed before it could hear of it. */
async function killedAfterVote(sites: TwoSites): Promise<void> {
  const a = await killResponderAfterVote(sites, JSON_LOG, alsoClose);
  expect(a).toMatchObject({ code: 10, stdout: `${sites.a.path('keys/B/B_0')}\n` });
  expect(await sites.a.tree()).toEqual(
    siteTree({
      peer: 'B',
      roles: ['initiator'],
      saved: ['B_0'],
      records: ['initiator/<id>.committed beta exchange.json key-ids.json'],
      names: ['B_0'],
    }),
  );
  const left = (await sites.b.tree()).filter((line) => !line.includes('/lock/'));
  expect(left).toEqual(IN_DOUBT);
  expect(await openOf(sites.a)).toEqual({ code: 10, open: ['unconfirmed'] });
  expect(await openOf(sites.b)).toEqual({ code: 11, open: ['in-doubt'] });
}

describe('a responder that is killed after its vote', () => {
  it('has its file as soon as recover tells it', async () => {
    const sites = await makeOpen();
    await killedAfterVote(sites);
    const responder = await sites.b.respond(JSON_LOG);
    const a = await sites.a.run(['recover', '--peer', `B:${responder.port}`, ...JSON_LOG]);
    const b = await responder.ended;
    expect(a).toMatchObject({ code: 0, stdout: '' });
    expect(b).toMatchObject({ code: 0, stdout: `${sites.b.path('keys/A/A_0')}\n` });
    expect(handshakeOf(a.stderr)).toEqual([
      ...['> HELLO', '< STATUS', '> ACK', '< FIN', '> END', '< END_OK'],
      ...['> HELLO', '< STATUS'],
    ]);
    await expectSettled(sites, 1);
    expect(await openOf(sites.a)).toEqual({ code: 0, open: [] });
    expect(await openOf(sites.b)).toEqual({ code: 0, open: [] });
  });

  it('has its file as soon as the next initiate comes, and another one', async () => {
    const sites = await makeOpen();
    await killedAfterVote(sites);
    const responder = await sites.b.respond([...JSON_LOG, '--json']);
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...JSON_LOG]);
    const b = await responder.ended;
    expect(a).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_1')}\n` });
    expect(b.code).toBe(0);
    expect(JSON.parse(b.stdout)).toMatchObject({
      outcome: 'saved',
      index: 1,
      file: sites.b.path('keys/A/A_1'),
      settled: [{ role: 'responder', peer: 'A', file: sites.b.path('keys/A/A_0'), index: 0 }],
      open: [],
    });
    await expectSettled(sites, 2);
  });
});

describe('a connection that is cut', () => {
  it.each<[string, Cut]>([
    ['before ACK is passed on', { from: 'initiator', message: 'ACK', how: 'before' }],
    ['inside ACK', { from: 'initiator', message: 'ACK', how: 'half' }],
    ['after ACK', { from: 'initiator', message: 'ACK', how: 'after' }],
    ['before FIN is passed on', { from: 'responder', message: 'FIN', how: 'before' }],
    ['inside FIN', { from: 'responder', message: 'FIN', how: 'half' }],
  ])('%s: A connects again and both end well', async (_when, cut) => {
    const sites = await makeOpen();
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder, cut);
    const a = await sites.a.run(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    const b = await responder.ended;
    await proxy.met(0);
    expect(a).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n` });
    expect(b).toMatchObject({ code: 0, stdout: `${sites.b.path('keys/A/A_0')}\n` });
    expect(talkOf(a.stderr)).toContain('repeating');
    await expectSettled(sites, 1);
    expect(sites.calls).toEqual(['kme-b status 200', 'kme-a enc_keys 200', 'kme-b dec_keys 200']);
  });

  it.each<[string, Cut]>([
    ['inside STATUS', { from: 'responder', message: 'STATUS', how: 'half' }],
    ['before SYN is passed on', { from: 'initiator', message: 'SYN', how: 'before' }],
    ['inside SYN', { from: 'initiator', message: 'SYN', how: 'half' }],
    ['after SYN', { from: 'initiator', message: 'SYN', how: 'after' }],
    ['before SYN_ACK is passed on', { from: 'responder', message: 'SYN_ACK', how: 'before' }],
    ['inside SYN_ACK', { from: 'responder', message: 'SYN_ACK', how: 'half' }],
  ])('%s: no file anywhere, and the next exchange starts afresh', async (_when, cut) => {
    const sites = await makeOpen();
    const responder = await sites.b.respond([...JSON_LOG, '--serve']);
    const proxy = await proxyTo(responder, cut);
    const a = await sites.a.run(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    expect(a).toMatchObject({ code: 69, stdout: '' });
    expect(logOf(a.stderr).at(-1)).toMatchObject({ level: 'error', event: 'peer-lost' });
    for (const [site, peer] of [
      [sites.a, 'B'],
      [sites.b, 'A'],
    ] as const) {
      expect((await site.tree()).filter((line) => line.startsWith(`keys/${peer}`))).toEqual([]);
    }
    const again = await sites.a.run(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    expect(again).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n` });
    responder.process.kill('SIGTERM');
    expect(await responder.ended).toMatchObject({ code: 0, stdout: `${sites.b.path('keys/A/A_0')}\n` });
    await expectSettled(sites, 1);
  });

  it.each<[string, Cut]>([
    ['before HELLO is passed on', { from: 'initiator', message: 'HELLO', how: 'before' }],
    ['inside HELLO', { from: 'initiator', message: 'HELLO', how: 'half' }],
  ])('%s: no key is drawn', async (_when, cut) => {
    const sites = await makeOpen();
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder, cut);
    const a = await sites.a.run(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    expect(a).toMatchObject({ code: 69, stdout: '' });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
  });
});

describe('a FIN that is lost with B', () => {
  it('A waits x out, saves and ends 10; recover ends both well', async () => {
    const sites = await makeOpen();
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder, { from: 'responder', message: 'FIN', how: 'before' });
    const initiator = sites.a.start([
      'initiate',
      '--peer',
      `B:${proxy.port}`,
      ...JSON_LOG,
      '--json',
      '--ack-timeout',
      '2s',
    ]);
    await proxy.met(0);
    proxy.refuse();
    responder.process.kill('SIGTERM');
    const b = await responder.ended;
    expect(b).toMatchObject({ code: 10, stdout: `${sites.b.path('keys/A/A_0')}\n` });
    const a = await initiator.ended;
    expect(a.code).toBe(10);
    expect(JSON.parse(a.stdout)).toMatchObject({
      outcome: 'unconfirmed',
      file: sites.a.path('keys/B/B_0'),
      open: [{ peer: 'B', role: 'initiator', standing: 'unconfirmed', name: 'B_0' }],
      error: { code: 'peer-lost' },
    });
    expect(await sites.b.tree()).toEqual(
      siteTree({
        peer: 'A',
        roles: ['responder'],
        saved: ['A_0'],
        records: ['responder/<id>.done beta exchange.json key-ids.json'],
        names: ['A_0'],
      }),
    );

    const again = await sites.b.respond(JSON_LOG);
    const recover = await sites.a.run(['recover', '--peer', `B:${again.port}`, ...JSON_LOG]);
    expect(recover.code).toBe(0);
    expect((await again.ended).code).toBe(0);
    await expectSettled(sites, 1);
  });
});

describe('an END that is lost', () => {
  it.each(['before', 'half'] as const)(
    '(%s) B waits a little, ends 10, and the next contact settles it',
    async (how) => {
      const sites = await makeOpen();
      const responder = await sites.b.respond([...JSON_LOG, '--ack-timeout', '1ms']);
      const proxy = await proxyTo(responder, { from: 'initiator', message: 'END', how });
      const a = await sites.a.run(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
      expect(a).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n` });
      expect(await sites.a.tree()).toEqual(settledTree('B'));
      const b = await responder.ended;
      expect(b).toMatchObject({ code: 10, stdout: `${sites.b.path('keys/A/A_0')}\n` });
      expect(await openOf(sites.b)).toEqual({ code: 10, open: ['unconfirmed'] });

      const again = await sites.b.respond(JSON_LOG);
      const next = await sites.a.run(['initiate', '--peer', `B:${again.port}`, ...JSON_LOG]);
      expect([next.code, (await again.ended).code]).toEqual([0, 0]);
      await expectSettled(sites, 2);
    },
  );

  it.each(['before', 'half'] as const)('(%s) B ends 0 where A comes again before that', async (how) => {
    const sites = await makeOpen();
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder, { from: 'initiator', message: 'END', how });
    const a = await sites.a.run(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    expect(a.code).toBe(0);
    const recover = await sites.a.run(['recover', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    expect(recover.code).toBe(0);
    expect(await responder.ended).toMatchObject({ code: 0, stdout: `${sites.b.path('keys/A/A_0')}\n` });
    await expectSettled(sites, 1);
  });
});

describe('an END_OK that is lost', () => {
  it.each(['before', 'half'] as const)('(%s) both have ended well', async (how) => {
    const sites = await makeOpen();
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder, { from: 'responder', message: 'END_OK', how });
    const a = await sites.a.run(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    await proxy.met(0);
    expect(a).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n` });
    expect(await responder.ended).toMatchObject({ code: 0, stdout: `${sites.b.path('keys/A/A_0')}\n` });
    await expectSettled(sites, 1);
  });
});
