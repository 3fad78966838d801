import { describe, expect, it } from '@jest/globals';
import { handshakeOf, settledText, talkOf } from '../support/cli-log.js';
import { kmeConfig } from '../support/cli-site.js';
import { startCuttingProxy, type Cut, type CuttingProxy } from '../support/cutting-proxy.js';
import { siteSuite } from '../support/site-suite.js';
import { settledTree, siteTree } from '../support/site-tree.js';

const { make, alsoClose, bench } = siteSuite();

const JSON_LOG = ['-v', '--log-format', 'json', '--insecure'];

async function proxyTo(port: number, ...cuts: Cut[]): Promise<CuttingProxy> {
  const proxy = await startCuttingProxy(port, cuts);
  alsoClose(() => proxy.close());
  return proxy;
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  it('ends an initiator that waits for keys: 130 and nothing left', async () => {
    const empty = await bench().another(0);
    const sites = await make((its) => ({
      a: { kme: { ...kmeConfig(its, 'a', empty.urlA), wait: '1h' } },
    }));
    const responder = await sites.b.respond();
    const initiator = sites.a.start(['initiate', '--peer', `B:${responder.port}`, '-v']);
    await initiator.said(/received STATUS/);
    initiator.kill(signal);
    const a = await initiator.ended;
    expect(a).toMatchObject({ code: 130, stdout: '' });
    expect(a.stderr).toMatch(/qkd-sync: interrupted\b/);
    responder.process.kill('SIGTERM');
    expect((await responder.ended).code).toBe(130);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
  });

  it('ends an initiator that waits for the vote: 130, the responder hears of it, nothing left', async () => {
    const sites = await make({ auth: 'none' });
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder.port, { from: 'responder', message: 'SYN_ACK', how: 'hold' });
    const initiator = sites.a.start(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    await proxy.met(0);
    initiator.kill(signal);
    await initiator.said(/sent ABORT/);
    proxy.release();
    const a = await initiator.ended;
    const b = await responder.ended;
    expect(a).toMatchObject({ code: 130, stdout: '' });
    expect(b).toMatchObject({ code: 75, stdout: '' });
    expect(handshakeOf(b.stderr).slice(0, 6)).toEqual([
      ...['< HELLO', '> STATUS', '< SYN', '> SYN_ACK', '< ABORT', '> ABORT_OK'],
    ]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B', roles: ['initiator'] }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A', roles: ['responder'] }));
  });

  it('does not end an initiator that has decided: it finishes', async () => {
    const sites = await make({ auth: 'none' });
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder.port, { from: 'responder', message: 'FIN', how: 'hold' });
    const initiator = sites.a.start(['initiate', '--peer', `B:${proxy.port}`, ...JSON_LOG]);
    await proxy.met(0);
    initiator.kill(signal);
    proxy.release();
    expect(await initiator.ended).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n` });
    expect((await responder.ended).code).toBe(0);
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    expect(await sites.b.tree()).toEqual(settledTree('A'));
  });

  it('ends a responder that waits for somebody: 130 and nothing left', async () => {
    const sites = await make();
    const responder = await sites.b.respond();
    responder.process.kill(signal);
    const b = await responder.ended;
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(settledText(b.stderr)).toBe(
      'qkd-sync: listening on 127.0.0.1 port <port>\nqkd-sync: interrupted\n',
    );
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
  });

  it('ends a responder that has voted: 11, its record stays, and the next contact settles it', async () => {
    const sites = await make({ auth: 'none' });
    const responder = await sites.b.respond(JSON_LOG);
    const proxy = await proxyTo(responder.port, { from: 'initiator', message: 'ACK', how: 'hold' });
    const initiator = sites.a.start([
      'initiate',
      '--peer',
      `B:${proxy.port}`,
      ...JSON_LOG,
      '--ack-timeout',
      '1s',
    ]);
    await proxy.met(0);
    proxy.refuse();
    responder.process.kill(signal);
    const b = await responder.ended;
    expect(b).toMatchObject({ code: 11, stdout: '' });
    expect(talkOf(b.stderr).at(-1)).toBe('interrupted');
    expect(talkOf(b.stderr)).toContain('in-doubt');
    expect(await sites.b.tree()).toEqual(
      siteTree({
        peer: 'A',
        roles: ['responder'],
        records: ['responder/<id>.staged beta exchange.json key key-ids.json'],
        names: ['A_0'],
      }),
    );
    expect((await initiator.ended).code).toBe(10);

    const again = await sites.b.respond(JSON_LOG);
    const recover = await sites.a.run(['recover', '--peer', `B:${again.port}`, ...JSON_LOG]);
    expect([recover.code, (await again.ended).code]).toEqual([0, 0]);
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    expect(await sites.b.tree()).toEqual(settledTree('A'));
  });
});
