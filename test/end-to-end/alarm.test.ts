/**
 * What only an operator can settle, as real processes meet it: both sites say 13 at each contact, new exchanges go on,
 * and after the operator's hand all is well again.
 */
import { mkdir, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { talkOf } from '../support/cli-log.js';
import type { CliEnd } from '../support/cli-process.js';
import type { CliSite, TwoSites } from '../support/cli-site.js';
import { startCuttingProxy, type Cut } from '../support/cutting-proxy.js';
import { killResponderAfterVote } from '../support/killed-after-vote.js';
import { meet } from '../support/meet.js';
import { siteSuite } from '../support/site-suite.js';

const { make, alsoClose } = siteSuite();

const FLAGS = ['-v', '--log-format', 'json', '--insecure'];

/** An exchange in which something happens while a message is on its way. */
async function meddle(
  sites: TwoSites,
  on: Pick<Cut, 'from' | 'message'>,
  act: () => Promise<void>,
): Promise<[CliEnd, CliEnd]> {
  const responder = await sites.b.respond([...FLAGS, '--ack-timeout', '1s']);
  const proxy = await startCuttingProxy(responder.port, [{ ...on, how: 'hold' }]);
  alsoClose(() => proxy.close());
  const initiator = sites.a.start(['initiate', '--peer', `B:${proxy.port}`, ...FLAGS, '--ack-timeout', '1s']);
  await proxy.met(0);
  await act();
  proxy.release();
  const a = await initiator.ended;
  return [a, await responder.ended];
}

/** Somebody else's file. */
async function put(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'alien');
}

/** Each contact says 13 at both sites, and a new exchange is made all the same: its number. */
async function expectAlarms(sites: TwoSites, number: number, home = '.'): Promise<void> {
  const keys = join(home, 'keys');
  const more = ['--keys', sites.a.path(keys), '--state', sites.a.path(join(home, 'exchanges'))];
  for (const command of ['recover', 'initiate'] as const) {
    const ends = await meet(sites, command, FLAGS, more);
    expect(ends.map(({ code }) => code)).toEqual([13, 13]);
    for (const { stderr } of ends) expect(talkOf(stderr).join()).toMatch(/alarm|foreign/);
  }
  expect(await sites.b.read(`keys/A/A_${number}`)).toBe(await sites.a.read(`${keys}/B/B_${number}`));
}

async function expectPeace(sites: TwoSites, number: number): Promise<void> {
  expect((await meet(sites, 'initiate', FLAGS)).map(({ code }) => code)).toEqual([0, 0]);
  expect(await sites.b.read(`keys/A/A_${number}`)).toBe(await sites.a.read(`keys/B/B_${number}`));
  for (const site of [sites.a, sites.b]) expect((await site.run(['status'])).code).toBe(0);
}

/** The IDs in alarm at a site. */
async function alarmsOf(site: CliSite): Promise<string[]> {
  const { stdout } = await site.run(['status', '--json']);
  const { peers } = JSON.parse(stdout) as { peers: { open: { id: string; standing: string }[] }[] };
  return peers
    .flatMap(({ open }) => open)
    .filter(({ standing }) => standing === 'alarm')
    .map(({ id }) => id);
}

async function forgetAlarms(site: CliSite): Promise<void> {
  for (const id of await alarmsOf(site))
    expect((await site.run(['resolve', id, '--forget', '--yes'])).code).toBe(0);
}

describe('a key file whose name somebody has taken after the decision', () => {
  it('at B: the key file is in place once the name is free', async () => {
    const sites = await make({ auth: 'none' });
    const alien = sites.b.path('keys/A/A_0');
    const [a, b] = await meddle(sites, { from: 'responder', message: 'SYN_ACK' }, () => put(alien));
    expect([a.code, b.code]).toEqual([10, 13]);
    await expectAlarms(sites, 1);
    expect(await sites.b.read('keys/A/A_0')).toBe('alien');
    await unlink(alien);
    await expectPeace(sites, 2);
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));
  });

  it('at A: the key file is in place once the name is free', async () => {
    const sites = await make({ auth: 'none' });
    const alien = sites.a.path('keys/B/B_0');
    const [a] = await meddle(sites, { from: 'responder', message: 'FIN' }, () => put(alien));
    expect(a.code).toBe(13);
    await expectAlarms(sites, 1);
    expect(await sites.a.read('keys/B/B_0')).toBe('alien');
    await unlink(alien);
    await expectPeace(sites, 2);
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));
  });
});

describe('a decision of A', () => {
  it('that B has no record of: A keeps its record until it is forgotten', async () => {
    const sites = await make({ auth: 'none' });
    const [a] = await meddle(sites, { from: 'initiator', message: 'ACK' }, async () => {
      const folder = sites.b.path('exchanges/A/responder');
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
    });
    expect(a.code).toBe(13);
    await expectAlarms(sites, 1);
    await forgetAlarms(sites.a);
    await expectPeace(sites, 2);
  });
});

describe('a vote whose nonce is damaged', () => {
  it('is an alarm at both sites where A has committed, until it is forgotten', async () => {
    const sites = await make({ auth: 'none' });
    expect((await killResponderAfterVote(sites, FLAGS, alsoClose)).code).toBe(10);
    const folder = sites.b.path('exchanges/A/responder');
    for (const name of await readdir(folder)) await writeFile(join(folder, name, 'beta'), 'damaged');
    const ends = await meet(sites, 'recover', FLAGS);
    expect(ends.map(({ code }) => code)).toEqual([13, 13]);
    for (const site of [sites.a, sites.b]) await forgetAlarms(site);
    expect((await meet(sites, 'recover', FLAGS)).map(({ code }) => code)).toEqual([0, 0]);
  });
});

describe('a resolution that is damaged', () => {
  it('is an alarm at both sites, and new exchanges go on, until it is forgotten', async () => {
    const sites = await make({ auth: 'none' });
    expect((await killResponderAfterVote(sites, FLAGS, alsoClose)).code).toBe(10);
    const folder = sites.b.path('exchanges/A/responder');
    const [vote = ''] = await readdir(folder);
    const resolved = await sites.b.run(['resolve', vote.slice(0, 32), '--commit', '--yes']);
    expect(resolved.code).toBe(0);
    for (const name of await readdir(folder)) await writeFile(join(folder, name, 'resolution'), '');
    await expectAlarms(sites, 1);
    for (const site of [sites.a, sites.b]) await forgetAlarms(site);
    await expectPeace(sites, 2);
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));
  });
});

describe('a vote that was given to another folder of state of A', () => {
  it('stays as it is until that folder is there again', async () => {
    const sites = await make({ auth: 'none' });
    expect((await killResponderAfterVote(sites, FLAGS, alsoClose)).code).toBe(10);
    await expectAlarms(sites, 1, 'elsewhere');
    expect(await alarmsOf(sites.b)).toEqual([]);
    const ends = await meet(sites, 'recover', FLAGS);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));
  });
});

describe('a folder of state of A that has lost its state-id', () => {
  it('ends what it still has a record of, and needs no operator', async () => {
    const sites = await make({ auth: 'none' });
    expect((await killResponderAfterVote(sites, FLAGS, alsoClose)).code).toBe(10);
    await unlink(sites.a.path('exchanges/state-id'));
    // B counts the vote as another folder's until it has heard of it.
    expect((await meet(sites, 'recover', FLAGS)).map(({ code }) => code)).toEqual([13, 0]);
    await expectPeace(sites, 1);
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));
  });
});

describe('resolve', () => {
  it('says 13 while another exchange is in alarm', async () => {
    const sites = await make({ auth: 'none' });
    for (const number of [0, 1]) {
      const alien = sites.b.path(`keys/A/A_${number}`);
      await meddle(sites, { from: 'responder', message: 'SYN_ACK' }, () => put(alien));
    }
    const [first = '', second = ''] = await alarmsOf(sites.b);
    const resolved = await sites.b.run(['resolve', first, '--forget', '--yes', '--json']);
    expect(resolved.code).toBe(13);
    expect(JSON.parse(resolved.stdout)).toMatchObject({
      alarm: null,
      open: [{ id: second, standing: 'alarm' }],
    });
    expect(resolved.stderr).toContain(`exchange ${second} with A`);
    expect((await sites.b.run(['resolve', second, '--forget', '--yes'])).code).toBe(0);
  });
});
