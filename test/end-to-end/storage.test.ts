import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { handshakeOf, sayingOf, settledText } from '../support/cli-log.js';
import type { CliEnd } from '../support/cli-process.js';
import type { Fault, TwoSites } from '../support/cli-site.js';
import { siteSuite } from '../support/site-suite.js';
import { settledTree, siteTree } from '../support/site-tree.js';

const { make } = siteSuite();

const JSON_LOG = ['-v', '--log-format', 'json'];

/** One exchange with a fault at one site. `stop` tells a responder to end that would go on waiting. */
async function faultyExchange(
  sites: TwoSites,
  fault: { readonly a?: Fault; readonly b?: Fault },
  { args = [], stop = true }: { readonly args?: readonly string[]; readonly stop?: boolean } = {},
): Promise<{ a: CliEnd; b: CliEnd }> {
  const all = [...JSON_LOG, ...args];
  const responder = await sites.b.respond(all, { ...(fault.b && { fault: fault.b }) });
  const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, ...all], {
    ...(fault.a && { fault: fault.a }),
  });
  if (stop) responder.process.kill('SIGTERM');
  return { a, b: await responder.ended };
}

/** Without the fault the next exchange goes through, and settles what was open. */
async function expectHealed(sites: TwoSites, count: number): Promise<void> {
  const { a, b } = await sites.exchange();
  expect([a.code, b.code]).toEqual([0, 0]);
  expect(await sites.a.tree()).toEqual(settledTree('B', count));
  expect(await sites.b.tree()).toEqual(settledTree('A', count));
  for (let index = 0; index < count; index += 1) {
    const same = (await sites.a.read(`keys/B/B_${index}`)) === (await sites.b.read(`keys/A/A_${index}`));
    expect(same).toBe(true);
  }
}

describe('a read-only file system', () => {
  it('A, all of it: 74, nothing is asked of anybody and nothing is on disk', async () => {
    const sites = await make();
    const fault: Fault = { code: 'EROFS', path: /^/ };
    const a = await sites.a.run(['initiate', '--peer', 'B:1', '--connect-wait', '0s'], { fault });
    expect(a).toMatchObject({ code: 74, stdout: '' });
    expect(a.stderr).toMatch(
      /^qkd-sync: storage failed: EROFS.*\nhint: mount this file system for writing\n$/,
    );
    expect(await sites.a.tree()).toEqual([]);
  });

  it('A, its folder of keys: 74 before a key is drawn', async () => {
    const sites = await make();
    await sites.exchange();
    const before = sites.calls.length;
    const { a, b } = await faultyExchange(sites, { a: { code: 'EROFS', path: /^\/keys/ } }, { stop: false });
    expect(a).toMatchObject({ code: 74, stdout: '' });
    // A has settled what was open, which was nothing, as recover would.
    expect(b).toMatchObject({ code: 0, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< STATUS']);
    expect(sayingOf(a.stderr, 'storage')).toMatchObject({ hint: 'mount this file system for writing' });
    expect(sites.calls.slice(before)).toEqual([]);
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    await expectHealed(sites, 2);
  });

  it('B, its folder of keys: NAK, 75 at A and no key drawn', async () => {
    const sites = await make();
    await sites.exchange();
    const before = sites.calls.length;
    const { a, b } = await faultyExchange(sites, { b: { code: 'EROFS', path: /^\/keys/ } });
    expect(a).toMatchObject({ code: 75, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< NAK']);
    expect(sayingOf(b.stderr, 'contact-failed')).toMatchObject({ code: 'storage' });
    expect(sites.calls.slice(before)).toEqual([]);
    expect(await sites.b.tree()).toEqual(settledTree('A'));
    await expectHealed(sites, 2);
  });
});

describe('a full file system before the point of no return', () => {
  it('A, while it stages: 74, B has never heard of the exchange', async () => {
    const sites = await make();
    const { a, b } = await faultyExchange(sites, {
      a: { code: 'ENOSPC', operations: ['write'], path: /\.tmp-.*\/key$/ },
    });
    expect(a).toMatchObject({ code: 74, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< STATUS']);
    expect(sayingOf(a.stderr, 'storage')).toMatchObject({ hint: 'make room on this file system' });
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B', roles: ['initiator'] }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
    await expectHealed(sites, 1);
  });

  it('A, while it decides: 74, and B is told to abort', async () => {
    const sites = await make();
    const fault: Fault = { code: 'ENOSPC', operations: ['write'], path: /\.staged\// };
    const { a, b } = await faultyExchange(sites, { a: fault }, { stop: false });
    expect(a).toMatchObject({ code: 74, stdout: '' });
    expect(b).toMatchObject({ code: 75, stdout: '' });
    expect(handshakeOf(a.stderr).slice(-2)).toEqual(['> ABORT', '< ABORT_OK']);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B', roles: ['initiator'] }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A', roles: ['responder'] }));
    await expectHealed(sites, 1);
  });

  it('B, while it stages: NAK, 75 at A', async () => {
    const sites = await make();
    const { a, b } = await faultyExchange(sites, {
      b: { code: 'ENOSPC', operations: ['write'], path: /\.tmp-.*\/key$/ },
    });
    expect(a).toMatchObject({ code: 75, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(handshakeOf(a.stderr)).toEqual(['> HELLO', '< STATUS', '> SYN', '< NAK']);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B', roles: ['initiator'] }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A', roles: ['responder'] }));
    await expectHealed(sites, 1);
  });
});

describe('a file system that fails after the point of no return', () => {
  it('A cannot publish: 14, its record stays, and the next run finishes it', async () => {
    const sites = await make();
    const { a } = await faultyExchange(
      sites,
      { a: { code: 'ENOSPC', operations: ['rename'], path: /^\/keys\/B\/B_0$/ } },
      { args: ['--ack-timeout', '500ms'] },
    );
    expect(a).toMatchObject({ code: 14, stdout: '' });
    expect(await sites.a.tree()).toContain('exchanges/B/initiator/<id>.committed/key 600');
    expect((await sites.a.tree()).filter((line) => line.startsWith('keys/B/B'))).toEqual([]);
    expect((await sites.a.run(['status'])).code).toBe(14);
    await expectHealed(sites, 2);
  });

  it('B cannot publish: 14, A has no FIN and ends 10, and the next contact settles it', async () => {
    const sites = await make();
    const { a, b } = await faultyExchange(
      sites,
      { b: { code: 'ENOSPC', operations: ['rename'], path: /^\/keys\/A\/A_0$/ } },
      { args: ['--ack-timeout', '500ms'] },
    );
    expect(a).toMatchObject({ code: 10, stdout: `${sites.a.path('keys/B/B_0')}\n` });
    expect(b).toMatchObject({ code: 14, stdout: '' });
    expect(handshakeOf(b.stderr)).not.toContain('> FIN');
    expect(await sites.b.tree()).toContain('exchanges/A/responder/<id>.committed/key 600');
    expect((await sites.b.run(['status'])).code).toBe(14);
    await expectHealed(sites, 2);
  });

  it('B cannot make its decision durable: 14, SUSPECT, and nothing of it is told until the next boot', async () => {
    const sites = await make();
    const { a, b } = await faultyExchange(
      sites,
      { b: { code: 'EIO', operations: ['fsync'], path: /^\/keys\/A$/ } },
      { args: ['--ack-timeout', '500ms'] },
    );
    expect(a.code).toBe(10);
    expect(b.code).toBe(14);
    expect(handshakeOf(b.stderr)).not.toContain('> FIN');
    expect(await sites.b.tree()).toContain('exchanges/SUSPECT 600');
    const again = await sites.b.run(['respond', '--listen', '127.0.0.1:0']);
    expect(again).toMatchObject({ code: 74, stdout: '' });
    expect(again.stderr).toContain('are suspect');
    expect((await sites.b.run(['status'])).code).toBe(74);
  });
});

describe('a name that is taken', () => {
  it('at A: 74 and no key drawn', async () => {
    const sites = await make();
    await mkdir(sites.a.path('keys/B'), { recursive: true, mode: 0o700 });
    await writeFile(sites.a.path('keys/B/B_0'), 'mine\n', { mode: 0o600 });
    const { a, b } = await faultyExchange(sites, {}, { stop: false });
    expect(a).toMatchObject({ code: 74, stdout: '' });
    expect(b).toMatchObject({ code: 0, stdout: '' });
    expect(sayingOf(a.stderr, 'name-taken')).toMatchObject({
      message: 'the name of the next key file is taken: B_0',
    });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(
      [...siteTree({ peer: 'B' }), 'keys/ 700', 'keys/B/ 700', 'keys/B/B_0 600'].sort(),
    );
    expect(await sites.a.read('keys/B/B_0')).toBe('mine\n');
  });

  it('at B: NAK, 75 at A and no key drawn', async () => {
    const sites = await make();
    await mkdir(sites.b.path('keys/A'), { recursive: true, mode: 0o700 });
    await writeFile(sites.b.path('keys/A/A_0'), 'mine\n', { mode: 0o600 });
    const { a, b } = await faultyExchange(sites, {});
    expect(a).toMatchObject({ code: 75, stdout: '' });
    expect(b).toMatchObject({ code: 130, stdout: '' });
    expect(sayingOf(b.stderr, 'contact-failed')).toMatchObject({ code: 'name-taken' });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.read('keys/A/A_0')).toBe('mine\n');
  });

  it('at A, told to people', async () => {
    const sites = await make();
    await mkdir(sites.a.path('keys/B'), { recursive: true, mode: 0o700 });
    await writeFile(sites.a.path('keys/B/B_0'), 'mine\n', { mode: 0o600 });
    const a = await sites.a.run(['initiate', '--peer', 'B:1', '--connect-wait', '0s']);
    expect(a.code).toBe(74);
    expect(settledText(a.stderr)).toBe(
      'qkd-sync: the name of the next key file is taken: B_0\n' +
        `hint: move it away, or give a higher number with --index on both sites; see ${sites.a.path('keys/B')}\n`,
    );
  });
});
