import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { siteSuite } from '../support/site-suite.js';
import { settledTree } from '../support/site-tree.js';

const { make, bench } = siteSuite();

describe('roles', () => {
  it('64 where B would initiate, with the right command', async () => {
    const sites = await make();
    const b = await sites.b.run(['initiate', '--peer', 'A:1']);
    expect(b).toEqual({
      code: 64,
      stdout: '',
      stderr:
        'qkd-sync: between A and B it is A that initiates\n' +
        "hint: run 'qkd-sync respond' here and 'qkd-sync initiate --peer B' at A, or use --any-role on both sites\n",
    });
    expect(sites.calls).toEqual([]);
    expect(await sites.b.tree()).toEqual([]);
  });

  it('64 where A would respond, with the right command', async () => {
    const sites = await make();
    const a = await sites.a.run(['respond', '--listen', '127.0.0.1:0']);
    expect(a).toEqual({
      code: 64,
      stdout: '',
      stderr:
        'qkd-sync: between A and B it is A that initiates\n' +
        "hint: run 'qkd-sync initiate --peer B' here and 'qkd-sync respond' at B, or use --any-role on both sites\n",
    });
    expect(await sites.a.tree()).toEqual([]);
  });

  it('can be turned round by --any-role on both sites', async () => {
    const sites = await make();
    const responder = await sites.a.respond(['--any-role']);
    const b = await sites.b.run(['initiate', '--peer', `A:${responder.port}`, '--any-role']);
    const a = await responder.ended;
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(sites.calls).toEqual(['kme-a status 200', 'kme-b enc_keys 200', 'kme-a dec_keys 200']);
    expect((await sites.a.read('keys/B/B_0')) === (await sites.b.read('keys/A/A_0'))).toBe(true);
  });

  it('64 at B, and no exchange, where only A has --any-role', async () => {
    const sites = await make();
    const responder = await sites.a.respond(['--any-role']);
    const b = await sites.b.run(['initiate', '--peer', `A:${responder.port}`]);
    expect(b.code).toBe(64);
    expect(sites.calls).toEqual([]);
  });
});

describe('configuration', () => {
  it('78 where there is none, with all that is missing', async () => {
    const sites = await make();
    const a = await sites.a.run(['initiate', '--peer', 'B:1'], { env: { HOME: sites.folder } });
    expect(a).toMatchObject({ code: 78, stdout: '' });
    expect(a.stderr).toMatch(/^qkd-sync: site is not set: expected /m);
    expect(a.stderr).toMatch(/^qkd-sync: kme\.url is not set: expected /m);
    expect(a.stderr).toMatch(/^qkd-sync: nothing authenticates the sites/m);
    expect(a.stderr).toMatch(/^hint: .*qkd-sync kme --dir/m);
    expect(await sites.a.tree()).toEqual([]);
  });

  it('78 with file and line of each mistake', async () => {
    const sites = await make();
    const file = sites.a.path('.qkd/qkd-sync.yaml');
    await writeFile(file, 'site: A\nexchange:\n  cuont: 1\n  size: soon\n');
    const a = await sites.a.run(['initiate', '--peer', 'B:1']);
    expect(a).toMatchObject({ code: 78, stdout: '' });
    expect(a.stderr).toContain(`qkd-sync: ${file}:3: `);
    expect(a.stderr).toContain(`qkd-sync: ${file}:4: `);
    expect(a.stderr).toMatch(/exchange\.size is "soon": expected /);
  });

  it('takes variables, and flags before them', async () => {
    const sites = await make();
    const env = { QKD_SYNC_EXCHANGE_SIZE: '512', QKD_SYNC_EXCHANGE_COUNT: '3' };
    const { a, b } = await sites.exchange(['--count', '2'], { env });
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(await sites.a.read('keys/B/B_0')).toMatch(/^([0-9a-f]{128}\n){2}$/);
  });

  it('needs no file where flags say all', async () => {
    const sites = await make();
    await sites.a.configure({});
    const file = (name: string): string => bench().file(name);
    const responder = await sites.b.respond();
    const flags = [
      ...['--site', 'A', '--sae', 'sae-a', '--keys', 'keys', '--state', 'exchanges'],
      ...['--kme', bench().pair.urlA, '--kme-ca', file('kme-ca.pem')],
      ...['--kme-cert', file('sae-a.pem'), '--kme-key', file('sae-a.key')],
      ...['--ca', file('sites-ca.pem'), '--cert', file('a.pem'), '--key', file('a.key')],
      ...['--peer', `127.0.0.1:${responder.port}`, '--peer-site', 'B', '--peer-sae', 'sae-b'],
    ];
    const a = await sites.a.run(['initiate', ...flags]);
    expect(a).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n` });
    expect(await sites.a.tree()).toEqual(settledTree('B'));
  });
});

describe('the command line', () => {
  it('64 for an unknown flag, with the one that was meant', async () => {
    const sites = await make();
    expect(await sites.a.run(['initiate', '--peer', 'B', '--cuont', '2'])).toEqual({
      code: 64,
      stdout: '',
      stderr:
        "qkd-sync: unknown option '--cuont'\nhint: did you mean --count? See qkd-sync initiate --help\n",
    });
  });

  it('says what went wrong in the JSON object too', async () => {
    const sites = await make();
    const { code, stdout, stderr } = await sites.b.run(['initiate', '--peer', 'A:1', '--json']);
    expect(code).toBe(64);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'aborted',
      exchange: null,
      role: 'initiator',
      peer: 'A',
      keyIds: [],
      file: null,
      index: null,
      settled: [],
      open: [],
      error: { code: 'role', exit: 64, message: 'between A and B it is A that initiates' },
    });
    expect(stderr).toContain('between A and B');
    const other = await sites.b.run(['respond', '--json', '--nonsense']);
    expect(other.code).toBe(64);
    expect(JSON.parse(other.stdout)).toMatchObject({
      outcome: 'aborted',
      error: { code: 'usage', exit: 64 },
    });
  });

  it('explains itself on stdout', async () => {
    const sites = await make();
    for (const args of [[], ['--help'], ['help']]) {
      const { code, stdout, stderr } = await sites.a.run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: qkd-sync /);
    }
    const { stdout } = await sites.a.run(['initiate', '--help']);
    expect(stdout).toMatch(/\nExample:\n {2}qkd-sync initiate --peer B:7000\n$/);
    expect(await sites.a.run(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
      stderr: '',
    });
  });
});
