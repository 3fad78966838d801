import { describe, expect, it } from '@jest/globals';
import { logOf, sayingOf, settledText, talkOf } from '../support/cli-log.js';
import type { TwoSites } from '../support/cli-site.js';
import { siteSuite } from '../support/site-suite.js';
import { settledTree, siteTree } from '../support/site-tree.js';

const { make } = siteSuite();

const JSON_LOG = ['-v', '--log-format', 'json'];

const INITIATOR_TALK = [
  'peer-connected',
  '> HELLO',
  '< STATUS',
  'kme-try',
  '> SYN',
  '< SYN_ACK',
  'deciding',
  '> ACK',
  '< FIN',
  '> END',
  '< END_OK',
  'ack-to-exit',
  'saved',
];
const RESPONDER_TALK = [
  'listening',
  'peer-connected',
  'connected',
  '< HELLO',
  'kme-try',
  '> STATUS',
  '< SYN',
  'kme-try',
  '> SYN_ACK',
  '< ACK',
  '> FIN',
  '< END',
  '> END_OK',
  'saved',
];

async function expectSame(sites: TwoSites, index: number): Promise<void> {
  const [a, b] = [await sites.a.read(`keys/B/B_${index}`), await sites.b.read(`keys/A/A_${index}`)];
  expect(a).toMatch(/^[0-9a-f]{64}\n$/);
  expect(b === a).toBe(true);
}

describe('an exchange', () => {
  it('brings one key file to both sites over mutual TLS', async () => {
    const sites = await make();
    const { a, b } = await sites.exchange(JSON_LOG);
    expect(a).toMatchObject({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n` });
    expect(b).toMatchObject({ code: 0, stdout: `${sites.b.path('keys/A/A_0')}\n` });
    expect(talkOf(a.stderr)).toEqual(INITIATOR_TALK);
    expect(talkOf(b.stderr)).toEqual(RESPONDER_TALK);
    expect(sayingOf(a.stderr, 'peer-connected')).toMatchObject({
      peer: 'B',
      method: 'certificates',
      version: 'TLSv1.3',
    });
    expect(sayingOf(b.stderr, 'peer-connected')).toMatchObject({ peer: 'A', method: 'certificates' });
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    expect(await sites.b.tree()).toEqual(settledTree('A'));
    await expectSame(sites, 0);
    expect(sites.calls).toEqual(['kme-b status 200', 'kme-a enc_keys 200', 'kme-b dec_keys 200']);
  });

  it('ends on FIN and not on the wait for it, and says how long that took', async () => {
    const sites = await make();
    const { a } = await sites.exchange(['--log-format', 'json', '--ack-timeout', '1h']);
    expect(a.code).toBe(0);
    expect(sayingOf(a.stderr, 'ack-to-exit')['ms']).toBeLessThan(10_000);
  });

  it('brings one key file to both sites over TLS-PSK', async () => {
    const sites = await make({ auth: 'psk' });
    const { a, b } = await sites.exchange(JSON_LOG);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(talkOf(a.stderr)).toEqual(INITIATOR_TALK);
    expect(talkOf(b.stderr)).toEqual(RESPONDER_TALK);
    const security = { method: 'psk', version: 'TLSv1.3', suite: 'TLS_CHACHA20_POLY1305_SHA256' };
    expect(sayingOf(a.stderr, 'peer-connected')).toMatchObject({ peer: 'B', ...security });
    expect(sayingOf(b.stderr, 'peer-connected')).toMatchObject({ peer: 'A', ...security });
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    expect(await sites.b.tree()).toEqual(settledTree('A'));
    await expectSame(sites, 0);
  });

  it('tells people what happens, step by step', async () => {
    const sites = await make();
    const { a, b } = await sites.exchange(['-v']);
    expect(settledText(a.stderr)).toBe(`\
qkd-sync: connected to B at 127.0.0.1:<port>
qkd-sync: sent HELLO
qkd-sync: received STATUS
qkd-sync: the KME at 127.0.0.1:<port> has answered enc_keys
qkd-sync: sent SYN
qkd-sync: received SYN_ACK
qkd-sync: deciding to commit
qkd-sync: sent ACK
qkd-sync: received FIN
qkd-sync: sent END
qkd-sync: received END_OK
qkd-sync: <time> between ACK and exit
qkd-sync: both sites have saved B_0 (1 key) in <time>
`);
    expect(settledText(b.stderr)).toBe(`\
qkd-sync: listening on 127.0.0.1 port <port>
qkd-sync: A connected from 127.0.0.1:<port>
qkd-sync: connection from 127.0.0.1:<port>
qkd-sync: received HELLO
qkd-sync: the KME at 127.0.0.1:<port> has answered status
qkd-sync: sent STATUS
qkd-sync: received SYN
qkd-sync: the KME at 127.0.0.1:<port> has answered dec_keys
qkd-sync: sent SYN_ACK
qkd-sync: received ACK
qkd-sync: sent FIN
qkd-sync: received END
qkd-sync: sent END_OK
qkd-sync: both sites have saved A_0 (1 key) in <time>
`);
  });

  it('says nothing on stderr with --quiet', async () => {
    const sites = await make();
    const responder = await sites.b.respond();
    const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`, '-q']);
    expect(a).toEqual({ code: 0, stdout: `${sites.a.path('keys/B/B_0')}\n`, stderr: '' });
    expect((await responder.ended).code).toBe(0);
  });

  it('prints one object with --json', async () => {
    const sites = await make();
    const { a, b } = await sites.exchange(['--json', '--count', '2']);
    const parsed = JSON.parse(a.stdout) as { exchange: string; keyIds: string[] };
    const common = {
      outcome: 'saved',
      exchange: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      kme: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/) as unknown,
      keyIds: [expect.any(String), expect.any(String)],
      index: 0,
      durationMs: expect.any(Number) as unknown,
      settled: [],
      hooks: [],
      open: [],
      peerAlarms: 0,
      foreign: 0,
      unread: [],
    };
    const [ofA, ofB] = [sites.a.path('keys/B/B_0'), sites.b.path('keys/A/A_0')];
    expect(parsed).toEqual({ ...common, role: 'initiator', peer: 'B', file: ofA });
    expect(JSON.parse(b.stdout)).toEqual({
      ...common,
      exchange: parsed.exchange,
      keyIds: parsed.keyIds,
      role: 'responder',
      peer: 'A',
      file: ofB,
    });
    expect(a.stdout.trimEnd()).not.toContain('\n');
  });

  it('works twenty times in a row, without a gap', async () => {
    const sites = await make();
    for (let index = 0; index < 20; index += 1) {
      const { a, b } = await sites.exchange(['--json']);
      expect([a.code, b.code]).toEqual([0, 0]);
      expect(JSON.parse(a.stdout)).toMatchObject({ outcome: 'saved', index });
      await expectSame(sites, index);
    }
    expect(await sites.a.tree()).toEqual(settledTree('B', 20));
    expect(await sites.b.tree()).toEqual(settledTree('A', 20));
  });

  it.each(['000', '077'])('makes private files and folders under umask %s', async (umask) => {
    const sites = await make();
    const { a, b } = await sites.exchange([], { umask });
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(await sites.a.tree()).toEqual(settledTree('B'));
    expect(await sites.b.tree()).toEqual(settledTree('A'));
  });

  it('names the file after the first key ID where both sites say so', async () => {
    const exchange = { naming: 'key-id', count: 2 };
    const sites = await make({ a: { exchange }, b: { exchange } });
    const { a, b } = await sites.exchange(['--json']);
    expect([a.code, b.code]).toEqual([0, 0]);
    const { keyIds, file } = JSON.parse(a.stdout) as { keyIds: string[]; file: string };
    expect(file).toBe(sites.a.path(`keys/B/${keyIds[0] ?? ''}.hex`));
    expect(await sites.b.read(`keys/A/${keyIds[0] ?? ''}.hex`)).toMatch(/^([0-9a-f]{64}\n){2}$/);
  });
});

describe('respond', () => {
  it('answers one exchange after another with --serve, until it is told to stop', async () => {
    const sites = await make();
    const responder = await sites.b.respond(['--serve', ...JSON_LOG]);
    for (let index = 0; index < 3; index += 1) {
      const a = await sites.a.run(['initiate', '--peer', `B:${responder.port}`]);
      expect(a.code).toBe(0);
    }
    responder.process.kill('SIGTERM');
    const b = await responder.ended;
    expect(b.code).toBe(0);
    expect(b.stdout).toBe([0, 1, 2].map((index) => `${sites.b.path(`keys/A/A_${index}`)}\n`).join(''));
    expect(logOf(b.stderr).filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    expect(await sites.a.tree()).toEqual(settledTree('B', 3));
    expect(await sites.b.tree()).toEqual(settledTree('A', 3));
  });

  it('gives up where nobody comes in time', async () => {
    const sites = await make();
    const b = await sites.b.run(['respond', '--listen', '127.0.0.1:0', '--timeout', '1s']);
    expect(b).toMatchObject({ code: 75, stdout: '' });
    expect(settledText(b.stderr)).toBe(`\
qkd-sync: listening on 127.0.0.1 port <port>
qkd-sync: no exchange within 1 s
hint: start 'qkd-sync initiate' at the peer within this time, or raise --timeout
`);
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
  });
});

describe('recover', () => {
  it('ends both sides well where nothing is open, and draws no key', async () => {
    const sites = await make();
    const responder = await sites.b.respond();
    const a = await sites.a.run(['recover', '--peer', `B:${responder.port}`]);
    expect(a).toEqual({ code: 0, stdout: '', stderr: 'qkd-sync: nothing is open with the peer\n' });
    expect(await responder.ended).toMatchObject({ code: 0, stdout: '' });
    expect(sites.calls).toEqual([]);
    expect(await sites.a.tree()).toEqual(siteTree({ peer: 'B' }));
    expect(await sites.b.tree()).toEqual(siteTree({ peer: 'A' }));
  });
});

describe('status', () => {
  it('tells what there is, before and after, and changes nothing', async () => {
    const sites = await make();
    const places = `keys   ${sites.a.path('keys')}\nstate  ${sites.a.path('exchanges')}\n`;
    expect(await sites.a.run(['status'])).toEqual({
      code: 0,
      stdout: `${places}no exchange has been made here yet\n`,
      stderr: '',
    });
    expect(await sites.a.tree()).toEqual([]);
    await sites.exchange();
    expect(await sites.a.run(['status'])).toEqual({
      code: 0,
      stdout: `${places}peer B: next file number 1, nothing open\n`,
      stderr: '',
    });
    const { code, stdout } = await sites.b.run(['status', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      keys: sites.b.path('keys'),
      state: sites.b.path('exchanges'),
      peers: [{ peer: 'A', nextIndex: 1, open: [], givenUp: [], hooks: [], moreHooks: 0 }],
      unread: [],
    });
    expect(await sites.a.tree()).toEqual(settledTree('B'));
  });
});

describe('two initiators at the same instant', () => {
  it('never make two files of one number, and leave both sites equal', async () => {
    const sites = await make();
    let files = 0;
    for (let round = 0; round < 3; round += 1) {
      const responder = await sites.b.respond();
      const args = ['initiate', '--peer', `B:${responder.port}`, '--connect-wait', '0s'];
      const ends = await Promise.all([sites.a.run(args), sites.a.run(args)]);
      const b = await responder.ended;
      const codes = ends.map(({ code }) => code);
      expect(codes).toContain(0);
      expect(codes.every((code) => [0, 69, 75].includes(Number(code)))).toBe(true);
      expect(b.code).toBe(0);
      files += codes.filter((code) => code === 0).length;
      expect(await sites.a.tree()).toEqual(settledTree('B', files));
      expect(await sites.b.tree()).toEqual(settledTree('A', files));
    }
    for (let index = 0; index < files; index += 1) await expectSame(sites, index);
  });

  it('are both served by a responder that stays', async () => {
    const sites = await make();
    const responder = await sites.b.respond(['--serve']);
    const args = ['initiate', '--peer', `B:${responder.port}`];
    const ends = await Promise.all([sites.a.run(args), sites.a.run(args)]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(await sites.a.tree()).toEqual(settledTree('B', 2));
    expect(await sites.b.tree()).toEqual(settledTree('A', 2));
    await expectSame(sites, 0);
    await expectSame(sites, 1);
  });
});
