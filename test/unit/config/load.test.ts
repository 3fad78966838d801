import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigFolder } from '../../support/config-folder.js';

let folder: ConfigFolder;

beforeEach(async () => {
  folder = await ConfigFolder.make();
});

afterEach(async () => {
  await folder.remove();
});

const INSECURE = { site: 'A', 'kme.url': 'https://kme', insecure: true };

describe('what each command needs', () => {
  it('is only the folders for status', async () => {
    expect(await folder.load('status')).toEqual({
      keys: `${folder.home}/.qkd/qnl/qll/keys`,
      state: `${folder.home}/.qkd/qnl/qll/exchanges`,
    });
  });

  it('is no KME for recover', async () => {
    const settings = await folder.load('recover', { flags: { site: 'A', insecure: true, peer: 'B:7001' } });
    expect(settings).toEqual({
      site: 'A',
      sae: 'A',
      keys: `${folder.home}/.qkd/qnl/qll/keys`,
      state: `${folder.home}/.qkd/qnl/qll/exchanges`,
      auth: { kind: 'none' },
      requireHybrid: false,
      peers: [{ site: 'B', sae: 'B', name: 'B' }],
      exchange: {
        count: 1,
        size: 256,
        format: 'hex',
        naming: 'index',
        ackTimeoutMs: 30_000,
        deadlineMs: 600_000,
      },
      lockWaitMs: 10_000,
      connectWaitMs: 10_000,
      insecure: true,
      anyRole: false,
      peer: { site: 'B', sae: 'B', name: 'B', host: 'B', port: 7001 },
    });
  });

  it('is site, KME and peer for initiate', async () => {
    const { code, message, hint } = await folder.failure('initiate', { flags: { insecure: true } });
    expect(code).toBe('config');
    expect(message.split('\n')).toEqual([
      '--peer is not set: expected a site that peers: names, or HOST[:PORT]',
      'site is not set: expected an ID of 1 to 64 characters, none of them a control character, no space at either end; set site in the configuration file, --site or QKD_SYNC_SITE',
      'kme.url is not set: expected one URL or several, such as https://kme.example:8443 (no user, query or fragment), with commas between them or a list in the file; set kme.url in the configuration file, --kme or QKD_SYNC_KME_URL',
    ]);
    expect(hint).toMatch(/^no configuration file was read: .*`qkd-sync kme --dir DIR`/);
    const only = await folder.failure('initiate', { flags: INSECURE });
    expect(only.code).toBe('usage');
  });

  it('is site, KME and a peer for respond', async () => {
    const path = await folder.configure('site: A\nkme: { url: https://kme }\n');
    const { code, message, hint } = await folder.failure('respond', { flags: { insecure: true } });
    expect(message).toBe(
      'peers is not set: expected at least one peer in the configuration file, or --peer-site',
    );
    expect(code).toBe('config');
    expect(hint).toBeUndefined();
    expect(path).toBeDefined();
  });

  it('includes what is about one run', async () => {
    const flags = { ...INSECURE, index: '7', anyRole: true };
    expect(await folder.load('initiate', { flags: { ...flags, peer: 'B' } })).toMatchObject({
      index: 7,
      anyRole: true,
      insecure: true,
    });
    expect(await folder.load('respond', { flags: { ...flags, peerSite: 'B' } })).toMatchObject({
      index: 7,
      anyRole: true,
    });
    expect(await folder.load('respond', { flags: { ...INSECURE, peerSite: 'B' } })).not.toHaveProperty(
      'index',
    );
  });

  it('takes no number after which none could be told', async () => {
    const flags = { ...INSECURE, peer: 'B' };
    expect(await folder.load('initiate', { flags: { ...flags, index: '1000000000000000' } })).toMatchObject({
      index: 10 ** 15,
    });
    for (const index of ['1000000000000001', '9007199254740991']) {
      expect(await folder.failure('initiate', { flags: { ...flags, index } })).toMatchObject({
        code: 'usage',
        message: `--index is "${index}": expected an integer from 0 to 1000000000000000`,
      });
    }
  });
});

describe('the peer', () => {
  const PEERS = `
peers:
  B: { address: "b.example:7001", sae: sae-b, name: site-b }
  C: {}
  D d: {}
  E e: { address: "[2001:db8::1]" }
`;
  const peer = async (flags: Record<string, unknown>): Promise<unknown> =>
    (await folder.load('initiate', { flags: { ...INSECURE, ...flags } })).peer;
  const refusal = async (flags: Record<string, unknown>): Promise<unknown> => {
    const { code, message } = await folder.failure('initiate', { flags: { ...INSECURE, ...flags } });
    return [code, message];
  };

  beforeEach(async () => {
    await folder.configure(PEERS);
  });

  it.each([
    [{ peer: 'B' }, { site: 'B', sae: 'sae-b', name: 'site-b', host: 'b.example', port: 7001 }],
    [{ peer: 'b:7002' }, { site: 'B', sae: 'sae-b', name: 'site-b', host: 'b.example', port: 7002 }],
    [
      { peer: 'B', peerSae: 'x' },
      { site: 'B', sae: 'x', name: 'site-b', host: 'b.example', port: 7001 },
    ],
    [{ peer: 'C' }, { site: 'C', sae: 'C', name: 'C', host: 'C', port: 7000 }],
    [{ peer: 'E e:7002' }, { site: 'E e', sae: 'E e', name: 'E e', host: '2001:db8::1', port: 7002 }],
    [
      { peer: 'z.example' },
      { site: 'z.example', sae: 'z.example', name: 'z.example', host: 'z.example', port: 7000 },
    ],
    [
      { peer: '[::1]:7009', peerSite: 'Z' },
      { site: 'Z', sae: 'Z', name: 'Z', host: '::1', port: 7009 },
    ],
    [
      { peer: '192.0.2.1', peerSite: 'Z', peerSae: 'sae-z' },
      { site: 'Z', sae: 'sae-z', name: 'Z', host: '192.0.2.1', port: 7000 },
    ],
    [
      { peer: 'b.example', peerSite: 'Z' },
      { site: 'Z', sae: 'Z', name: 'Z', host: 'b.example', port: 7000 },
    ],
    [
      { peer: '192.0.2.1', peerSite: 'B' },
      { site: 'B', sae: 'sae-b', name: 'site-b', host: '192.0.2.1', port: 7000 },
    ],
  ])('of %j is %j', async (flags, expected) => {
    expect(await peer(flags)).toEqual(expected);
  });

  it('is refused where it cannot be', async () => {
    expect(await refusal({ peer: 'b:0' })).toEqual([
      'usage',
      '--peer is "b:0": expected a site that peers: names, or HOST[:PORT]',
    ]);
    expect(await refusal({ peer: 'B', peerSite: 'C' })).toEqual([
      'usage',
      '--peer-site is "C": expected "B", the configured site that --peer names',
    ]);
    expect(await refusal({ peer: 'B.example:7009' })).toEqual([
      'usage',
      '--peer is "B.example:7009": expected "B", the configured site at that address, or --peer-site with it',
    ]);
    expect(await refusal({ peer: `${'x'.repeat(60)}.example` })).toEqual([
      'usage',
      '--peer is too long for a site ID: expected --peer-site with it',
    ]);
    expect(await refusal({ peer: 'D d' })).toEqual([
      'config',
      `${folder.home}/.qkd/qkd-sync.yaml:5: peers.D d.address is not set: expected HOST[:PORT], such as b.example:7000 or [2001:db8::1]:7000`.replace(
        'peers.D d',
        'peers."D d"',
      ),
    ]);
  });

  it('is another site, in the file and in flags', async () => {
    await folder.configure('peers:\n  a: {}\n');
    const message = await refusal({ peer: 'B' });
    expect(message).toEqual([
      'config',
      `${folder.home}/.qkd/qkd-sync.yaml:2: peers.a is this site itself: expected an ID other than "A"`,
    ]);
    await folder.configure('');
    expect(await refusal({ peer: 'a' })).toEqual([
      'config',
      'peers.a is this site itself: expected an ID other than "A"',
    ]);
  });

  describe('and this site have IDs that fit into the names of files', () => {
    const FITTING = 'ふ'.repeat(26);
    const LONG = 'ふ'.repeat(27);
    const FLAW =
      'is too long an ID for the names of files: expected at most 238 bytes, each that is no letter, digit, _, - or . counted three times';

    it('in the file', async () => {
      await folder.configure(`site: ${LONG}\npeers:\n  ${FITTING}: { address: b }\n`);
      expect(await refusal({ peer: FITTING, site: undefined })).toEqual([
        'config',
        `${folder.home}/.qkd/qkd-sync.yaml:1: site ${FLAW}`,
      ]);
      await folder.configure(`site: A\npeers:\n  ${LONG}: {}\n  C: {}\n`);
      expect(await refusal({ peer: 'C', site: undefined })).toEqual([
        'config',
        `${folder.home}/.qkd/qkd-sync.yaml:3: peers."${LONG}" ${FLAW}`,
      ]);
    });

    it('in flags', async () => {
      const flags = { ...INSECURE, peer: 'localhost' };
      expect(await folder.load('initiate', { flags: { ...flags, peerSite: FITTING } })).toMatchObject({
        peer: { site: FITTING },
      });
      expect(await refusal({ peer: 'localhost', peerSite: LONG })).toEqual([
        'config',
        `peers.${LONG} ${FLAW}`,
      ]);
    });
  });

  it('may be any of the file, or the one of the flags, for respond', async () => {
    const peers = async (flags: Record<string, unknown>): Promise<unknown> =>
      (await folder.load('respond', { flags: { ...INSECURE, ...flags } })).peers;
    expect(await peers({})).toMatchObject([{ site: 'B' }, { site: 'C' }, { site: 'D d' }, { site: 'E e' }]);
    expect(await peers({ peerSite: 'b' })).toEqual([{ site: 'B', sae: 'sae-b', name: 'site-b' }]);
    expect(await peers({ peerSite: 'Z', peerSae: 'sae-z' })).toEqual([
      { site: 'Z', sae: 'sae-z', name: 'Z' },
    ]);
    const { code, message } = await folder.failure('respond', { flags: { ...INSECURE, peerSae: 'x' } });
    expect([code, message]).toEqual(['usage', '--peer-sae is set without --peer-site: expected both']);
  });

  it('is one of a thousand at most', async () => {
    const list = (count: number): string =>
      `peers:\n${Array.from({ length: count }, (_, at) => `  p${at}: {}\n`).join('')}`;
    await folder.configure(list(1_000));
    await folder.load('status');
    await folder.configure(list(1_001));
    const { message } = await folder.failure('status');
    expect(message).toMatch(/:2: peers\.p0 and the others are 1001: expected at most 1000 peers$/);
  });
});

describe('the way to authenticate', () => {
  const CHANNEL = 'channel: { ca: ca.pem, cert: a.pem, key: a.key }\n';
  const PSK = 'peers:\n  B: { pskFile: b.psk }\n  C: {}\n';
  const where = (line: number): string => `${folder.home}/.qkd/qkd-sync.yaml:${line}`;

  beforeEach(async () => {
    await folder.writeCredentials('home/.qkd', 'a');
    await folder.write('home/.qkd/b.psk', 'ab'.repeat(32));
  });

  it('is certificates', async () => {
    await folder.configure(CHANNEL);
    const { auth, insecure } = await folder.load('recover', { flags: { site: 'A', peer: 'B' } });
    expect(auth).toEqual({
      kind: 'certificates',
      ca: expect.stringContaining('BEGIN CERTIFICATE'),
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
      key: expect.stringContaining('BEGIN PRIVATE KEY'),
    });
    expect(insecure).toBe(false);
  });

  it('is pre-shared keys, which the peers of this run must have', async () => {
    await folder.configure(PSK);
    const { auth, peer } = await folder.load('recover', { flags: { site: 'A', peer: 'B' } });
    expect(auth).toEqual({ kind: 'psk' });
    expect(peer.psk?.byteLength).toBe(32);
    expect(JSON.stringify(peer)).not.toContain('abab');
    const other = await folder.failure('recover', { flags: { site: 'A', peer: 'C' } });
    expect(other).toMatchObject({
      code: 'config',
      message: `${where(3)}: peers.C.pskFile is not set: expected the name of a file, as the other peers have`,
    });
    const respond = await folder.failure('respond', { flags: { site: 'A', 'kme.url': 'https://kme' } });
    expect(respond.message).toMatch(/peers\.C\.pskFile is not set/);
  });

  it('is one', async () => {
    await folder.configure(CHANNEL + PSK);
    const both = await folder.failure('recover', { flags: { site: 'A', peer: 'C' } });
    expect(both).toMatchObject({
      code: 'config',
      message: `${where(1)}: channel.ca and ${where(3)}: peers.B.pskFile are both set: expected one way to authenticate, certificates or pre-shared keys`,
    });
    const rest = await folder.failure('recover', {
      flags: {
        site: 'A',
        peer: 'C',
        config: await folder.write('home/.qkd/b.yaml', PSK),
        'channel.key': 'a.key',
      },
    });
    expect(rest.message).toMatch(/^--key and .*b\.yaml:2: peers\.B\.pskFile are both set: /);
  });

  it('is complete', async () => {
    await folder.configure('channel: { cert: a.pem }\n');
    const { message } = await folder.failure('recover', { flags: { site: 'A', peer: 'B' } });
    expect(message.split('\n')).toEqual([
      'channel.ca is not set: expected the name of a file; set channel.ca in the configuration file, --ca or QKD_SYNC_CHANNEL_CA',
      'channel.key is not set: expected the name of a file; set channel.key in the configuration file, --key or QKD_SYNC_CHANNEL_KEY',
    ]);
  });

  it('is none only where that is said', async () => {
    const { code, message, hint } = await folder.failure('recover', { flags: { site: 'A', peer: 'B' } });
    expect(code).toBe('config');
    expect(message).toBe(
      'nothing authenticates the sites to each other: expected certificates or pre-shared keys',
    );
    for (const part of [
      'channel.ca',
      'mutual TLS',
      'pskFile',
      'TLS-PSK',
      '`qkd-sync kme --dir DIR`',
      '--insecure',
    ]) {
      expect(hint).toContain(part);
    }
    expect(hint).toMatch(/^no configuration file was read: /);
  });

  it.each([
    [CHANNEL, '1: channel.ca'],
    [PSK, '2: peers.B.pskFile'],
  ])('is not none where it is configured: %j', async (yaml, place) => {
    await folder.configure(yaml);
    const { code, message } = await folder.failure('recover', {
      flags: { site: 'A', peer: 'B', insecure: true },
    });
    expect(code).toBe('config');
    expect(message).toBe(
      `--insecure and ${folder.home}/.qkd/qkd-sync.yaml:${place} are both set: expected one or the other`,
    );
  });
});

describe('the folders', () => {
  it.each([
    ['/x/keys', '/x/keys', false],
    ['/x/keys', '/x/keys/state', false],
    ['/x/state/keys', '/x/state', false],
    ['/x/keys', '/x/keys2', true],
    ['/x/keys', '/x/..keys', true],
    ['/x/keys', '/y', true],
  ])('keys %s and state %s lie apart: %s', async (keys, state, isRight) => {
    const sources = { flags: { keys, state } };
    if (isRight) {
      expect(await folder.load('status', sources)).toEqual({ keys, state });
      return;
    }
    const { code, message } = await folder.failure('status', sources);
    expect([code, message]).toEqual([
      'config',
      `keys is "${keys}" and state is "${state}": expected neither inside the other`,
    ]);
  });
});

it('calls flags that are not in the table a bug', async () => {
  await expect(folder.load('status', { flags: { colour: 'red' } })).rejects.toThrow(TypeError);
  await expect(folder.load('status', { flags: { site: ['A'] } })).rejects.toThrow(TypeError);
});
