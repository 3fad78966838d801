import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { packedCli } from '../support/packed-cli.js';
import type { CliSite } from '../support/cli-site.js';
import { siteSuite } from '../support/site-suite.js';

const { make, bench } = siteSuite();

/** Keys that were not made by the tests' own KMEs must not be shown either. */
async function watchFile(site: CliSite, path: string): Promise<string> {
  const text = await site.read(path);
  bench().watch.addKey(Buffer.from(text.trim(), 'hex'));
  return text;
}

describe('demo', () => {
  it('shows a whole exchange and leaves nothing behind', async () => {
    const sites = await make();
    const { code, stdout, stderr } = await sites.a.run(['demo']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^(qkd-sync: .*\n)*$/) as unknown,
    });
    const digest = /A saved a\/keys\/B\/B_0 {2}sha256 ([0-9a-f]{64})\n/.exec(stdout)?.[1] ?? 'none';
    expect(stdout).toContain(`B saved b/keys/A/A_0  sha256 ${digest}\n`);
    expect(stdout).toContain('\nBoth sites have the same key file.\n');
    expect(stdout).toContain('\nTry next, by hand');
    expect(await sites.a.tree()).toEqual([]);
  });

  it('leaves its folder with --keep', async () => {
    const sites = await make();
    const { code, stdout } = await sites.a.run(['demo', '--keep', '-v']);
    expect(code).toBe(0);
    const [folder = ''] = (await readdir(sites.a.home)).filter((name) => name.startsWith('qkd-sync-demo-'));
    expect(stdout).toContain(`Everything is still in ${sites.a.path(folder)}\n`);
    const a = await watchFile(sites.a, join(folder, 'a/keys/B/B_0'));
    expect(a).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await sites.a.read(join(folder, 'b/keys/A/A_0'))) === a).toBe(true);
  });

  it('leaves nothing behind where it is interrupted', async () => {
    const sites = await make();
    const demo = sites.a.start(['demo']);
    await demo.said(/B\$ qkd-sync respond/);
    demo.kill('SIGINT');
    expect((await demo.ended).code).toBe(130);
    expect(await sites.a.tree()).toEqual([]);
  });

  it('is not led astray by the settings of its user', async () => {
    const sites = await make();
    const { code } = await sites.a.run(['demo'], {
      env: { QKD_SYNC_SITE: 'Z', QKD_SYNC_EXCHANGE_COUNT: '7' },
    });
    expect(code).toBe(0);
  });
});

describe('kme', () => {
  it('prints two commands that work as they stand, and runs until it is told to stop', async () => {
    const sites = await make();
    const bin = sites.a.path('bin');
    const command = packedCli();
    await mkdir(bin);
    await writeFile(join(bin, 'qkd-sync'), `#!/bin/sh\nexec '${command.node}' '${command.bin}' "$@"\n`, {
      mode: 0o700,
    });
    const shell = {
      command: { node: 'sh', bin: '-c' },
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    };
    // A name that needs quotes in a shell.
    const kme = sites.a.start(['kme', '--dir', "try it's", '--listen', '0,0']);
    const [, respond = ''] = await kme.said(/^ {2}(qkd-sync respond .*)$/m);
    const [, initiate = ''] = await kme.said(/^ {2}(qkd-sync initiate .*)$/m);
    expect(respond).toMatch(/ --listen 127\.0\.0\.1:7000$/);
    expect(initiate).toMatch(/ --peer B$/);
    expect(await sites.a.read("try it's/a.yaml")).toContain('address: "127.0.0.1:7000"');

    // All as printed but for the port, which may be taken on this machine.
    const responder = sites.a.start([respond.replace(/:7000$/, ':0')], shell);
    const [, port = ''] = await responder.said(/listening on 127\.0\.0\.1 port (\d+)/);
    const a = await sites.a.run([`${initiate}:${port}`], shell);
    const b = await responder.ended;
    expect(a).toMatchObject({ code: 0, stdout: `${sites.a.path("try it's/a/keys/B/B_0")}\n` });
    expect(b).toMatchObject({ code: 0, stdout: `${sites.a.path("try it's/b/keys/A/A_0")}\n` });
    const text = await watchFile(sites.a, "try it's/a/keys/B/B_0");
    expect((await sites.a.read("try it's/b/keys/A/A_0")) === text).toBe(true);

    kme.kill('SIGTERM');
    const end = await kme.ended;
    expect(end.code).toBe(0);
    expect(end.stderr).toContain('qkd-sync: kme-a: POST enc_keys by sae-a: 200\n');
  });

  it('speaks the dialects that it is told to, each side its own', async () => {
    const sites = await make();
    const args = ['--dir', 'odd', '--listen', '0,0', '--dialect', 'path-prefix+get-only,plain-http'];
    const kme = sites.a.start(['kme', ...args]);
    const [, urlA] = await kme.said(/^KME of site A {2}(https:\S+:\d+\/consumer)$/m);
    const [, urlB] = await kme.said(/^KME of site B {2}(http:\S+:\d+)$/m);
    await kme.said(/until you press Ctrl-C/);
    expect(await sites.a.read('odd/a.yaml')).toContain(`url: ${urlA ?? '?'}\n`);
    expect(await sites.a.read('odd/b.yaml')).toContain(`url: ${urlB ?? '?'}\n`);
    kme.kill('SIGTERM');
    expect((await kme.ended).code).toBe(0);
  });

  it('64 without a folder, and for ports that are none', async () => {
    const sites = await make();
    const without = await sites.a.run(['kme']);
    expect(without).toMatchObject({ code: 64, stdout: '' });
    expect(without.stderr).toContain('--dir');
    const ports = await sites.a.run(['kme', '--dir', 'x', '--listen', '1']);
    expect(ports).toMatchObject({ code: 64, stdout: '' });
    expect(await sites.a.tree()).toEqual([]);
  });

  it('78 where the folder is somebody else’s', async () => {
    const sites = await make();
    await mkdir(sites.a.path('mine'), { mode: 0o700 });
    await writeFile(sites.a.path('mine/file'), '', { mode: 0o600 });
    const { code, stderr } = await sites.a.run(['kme', '--dir', 'mine', '--listen', '0,0']);
    expect(code).toBe(78);
    expect(stderr).toContain('is not empty and was not made by qkd-sync kme');
    expect(await sites.a.tree()).toEqual(['mine/ 700', 'mine/file 600']);
  });
});
