/** An operator decides an exchange whose peer is lost, and the peer comes back after all. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { talkOf } from '../support/cli-log.js';
import type { Fault, TwoSites } from '../support/cli-site.js';
import { killResponderAfterVote } from '../support/killed-after-vote.js';
import { meet } from '../support/meet.js';
import { siteSuite } from '../support/site-suite.js';

const { make, alsoClose } = siteSuite();

const FLAGS = ['-v', '--log-format', 'json', '--insecure'];

/** B is in doubt about an exchange that A has saved; answers its ID. */
async function leaveInDoubt(): Promise<{ sites: TwoSites; id: string }> {
  const sites = await make({ auth: 'none' });
  expect((await killResponderAfterVote(sites, FLAGS, alsoClose)).code).toBe(10);
  const { peers } = JSON.parse((await sites.b.run(['status', '--json'])).stdout) as {
    peers: { open: { id: string }[] }[];
  };
  return { sites, id: peers[0]?.open[0]?.id ?? '' };
}

const records = async (site: TwoSites['a']): Promise<string[]> =>
  (await site.tree()).filter((line) => /(initiator|responder)\/<id>/.test(line));

describe('an operator of B', () => {
  it('who commits as A did has the file, and the next contact settles it', async () => {
    const { sites, id } = await leaveInDoubt();
    const resolved = await sites.b.run(['resolve', id, '--commit', '--yes', '--json']);
    expect(resolved.code).toBe(0);
    expect(JSON.parse(resolved.stdout)).toEqual({
      exchange: id,
      choice: 'commit',
      state: 'resolved',
      alarm: null,
      hooks: [],
      open: [],
      unread: [],
    });
    expect(resolved.stderr).toContain(`exchange ${id} with peer A, responder here: staged`);
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));

    const [a, b] = await meet(sites, 'recover', FLAGS);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect([await records(sites.a), await records(sites.b)]).toEqual([[], []]);
  });

  it('who aborts otherwise than A: alarm on both sites, and new exchanges go on, until both have forgotten', async () => {
    const { sites, id } = await leaveInDoubt();
    const resolved = await sites.b.run(['resolve', id, '--abort', '--yes']);
    expect(resolved).toMatchObject({ code: 0, stdout: '' });
    const status = await sites.b.run(['status']);
    expect(status.code).toBe(0);
    expect(status.stdout).toContain(`${id}  responder  A_0  aborted by an operator here`);
    expect((await sites.b.tree()).filter((line) => line.includes('/key '))).toEqual([]);

    const [a, b] = await meet(sites, 'recover', FLAGS);
    expect([a.code, b.code]).toEqual([13, 13]);
    const [first, second] = await meet(sites, 'initiate', FLAGS);
    expect([first.code, second.code]).toEqual([13, 13]);
    expect(await sites.b.read('keys/A/A_1')).toBe(await sites.a.read('keys/B/B_1'));
    for (const { stderr } of [a, b, first, second]) expect(talkOf(stderr).join()).toContain('alarm');

    for (const site of [sites.a, sites.b]) {
      expect((await site.run(['resolve', id, '--forget', '--yes'])).code).toBe(0);
      expect((await site.run(['status'])).code).toBe(0);
    }
    const [last, best] = await meet(sites, 'initiate', FLAGS);
    expect([last.code, best.code]).toEqual([0, 0]);
    expect(await sites.b.read('keys/A/A_2')).toBe(await sites.a.read('keys/B/B_2'));
  });
});

describe('a choice that cannot be carried out', () => {
  it('to commit is 14, and is carried out by the same choice once there is room', async () => {
    const { sites, id } = await leaveInDoubt();
    const commit = ['resolve', id, '--commit', '--yes', '--json'];
    const fault: Fault = { code: 'ENOSPC', operations: ['rename'], path: /resolved\/key$/ };
    const resolved = await sites.b.run(commit, { fault });
    expect(resolved.code).toBe(14);
    expect(JSON.parse(resolved.stdout)).toMatchObject({
      exchange: id,
      choice: 'commit',
      state: 'resolved',
      error: { code: 'storage', exit: 74 },
    });
    expect(resolved.stderr).toContain('its key file may not be in place yet');
    expect(resolved.stderr).toContain('hint: make room on this file system');
    expect((await sites.b.run(['status'])).code).toBe(14);

    expect((await sites.b.run(commit)).code).toBe(0);
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));
    expect((await meet(sites, 'recover', FLAGS)).map(({ code }) => code)).toEqual([0, 0]);
  });

  it('to abort is 14: the key is still there', async () => {
    const { sites, id } = await leaveInDoubt();
    const fault: Fault = { code: 'EACCES', operations: ['unlink'], path: /resolved\/key$/ };
    const resolved = await sites.b.run(['resolve', id, '--abort', '--yes'], { fault });
    expect(resolved).toMatchObject({ code: 14, stdout: '' });
    expect(resolved.stderr).toContain('its key may not be destroyed yet');
    expect((await sites.b.tree()).filter((line) => line.includes('/key '))).toHaveLength(1);
    await meet(sites, 'recover', FLAGS);
    expect((await sites.b.tree()).filter((line) => line.includes('/key '))).toEqual([]);
  });
});

describe('records of another peer that cannot be read', () => {
  it('hide neither what has been done nor what is open with the others', async () => {
    const { sites, id } = await leaveInDoubt();
    const record = `exchanges/C/responder/${'c'.repeat(32)}.staged`;
    await mkdir(sites.b.path(join(record, 'exchange.json')), { recursive: true });
    const status = await sites.b.run(['status', '--json']);
    expect(status.code).toBe(74);
    const unread = [{ peer: 'C', error: { code: 'storage', exit: 74 } }];
    expect(JSON.parse(status.stdout)).toMatchObject({ peers: [{ peer: 'A', open: [{ id }] }], unread });

    const resolved = await sites.b.run(['resolve', id, '--commit', '--yes', '--json']);
    expect(resolved.code).toBe(13);
    expect(JSON.parse(resolved.stdout)).toMatchObject({ exchange: id, state: 'resolved', open: [], unread });
    expect(resolved.stderr).toContain('cannot read the records of peer C: storage failed: EISDIR');
    expect(await sites.b.read('keys/A/A_0')).toBe(await sites.a.read('keys/B/B_0'));
  });
});

describe('nothing is changed', () => {
  it('without somebody to ask, without a choice, or without such an exchange', async () => {
    const { sites, id } = await leaveInDoubt();
    const before = await sites.b.tree();
    const tries = [
      { args: [id, '--abort'], says: 'nobody is there to confirm' },
      { args: [id], says: 'say exactly one of --commit, --abort and --forget' },
      { args: [id, '--abort', '--commit', '--yes'], says: 'say exactly one of' },
      { args: [id, '--forget', '--yes'], says: 'it is staged and not in alarm' },
      { args: ['0'.repeat(32), '--abort', '--yes'], says: `there is no exchange ${'0'.repeat(32)} here` },
      { args: ['A_0', '--abort', '--yes'], says: "'A_0' is no exchange's ID" },
      { args: ['--abort'], says: "missing required argument 'id'" },
    ];
    for (const { args, says } of tries) {
      const { code, stdout, stderr } = await sites.b.run(['resolve', ...args]);
      expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
      expect(stderr).toContain(says);
    }
    expect((await sites.a.run(['resolve', id, '--abort', '--yes'])).code).toBe(64);
    expect(await sites.b.tree()).toEqual(before);
  });
});
