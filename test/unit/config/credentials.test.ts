import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QkdSyncError } from '../../../src/base/errors.js';
import { ConfigFolder } from '../../support/config-folder.js';

let folder: ConfigFolder;
const SECRET = randomBytes(32);

beforeAll(async () => {
  folder = await ConfigFolder.make();
  await folder.writeCredentials('cwd', 'a', 'b');
  await folder.write('cwd/text', 'nothing to see');
  await folder.write('cwd/broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  await folder.write('cwd/broken.key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  await folder.write(
    'cwd/locked.key',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
  );
});

afterAll(async () => {
  await folder.remove();
});

const CHANNEL = { 'channel.ca': 'ca.pem', 'channel.cert': 'a.pem', 'channel.key': 'a.key' };
const BASE = { site: 'A', peer: 'B' };

describe('certificates and private keys', () => {
  const CERTIFICATE = 'a PEM file with at least one certificate';
  const KEY = 'a PEM file with a private key, without passphrase';

  it.each([
    [{ 'channel.ca': 'none.pem' }, '--ca', 'none.pem', `does not exist: expected ${CERTIFICATE}`],
    [{ 'channel.ca': '.' }, '--ca', '', `is not a regular file: expected ${CERTIFICATE}`],
    [{ 'channel.ca': 'text' }, '--ca', 'text', `holds no certificate: expected ${CERTIFICATE}`],
    [{ 'channel.ca': 'a.key' }, '--ca', 'a.key', `holds no certificate: expected ${CERTIFICATE}`],
    [
      { 'channel.cert': 'broken.pem' },
      '--cert',
      'broken.pem',
      `holds a broken certificate: expected ${CERTIFICATE}`,
    ],
    [{ 'channel.key': 'a.pem' }, '--key', 'a.pem', `holds no usable private key: expected ${KEY}`],
    [{ 'channel.key': 'broken.key' }, '--key', 'broken.key', `holds no usable private key: expected ${KEY}`],
    [{ 'channel.key': 'locked.key' }, '--key', 'locked.key', `holds no usable private key: expected ${KEY}`],
  ])('are refused: %j', async (flags, flag, name, complaint) => {
    const { code, message } = await folder.failure('recover', { flags: { ...BASE, ...CHANNEL, ...flags } });
    expect(message).toBe(
      `${flag}: ${[folder.cwd, name].filter((part) => part !== '').join('/')} ${complaint}`,
    );
    expect(code).toBe('config');
  });

  it('are refused where they do not belong together', async () => {
    const { message } = await folder.failure('recover', {
      flags: { ...BASE, ...CHANNEL, 'channel.key': 'b.key' },
    });
    expect(message).toBe(
      `--key: ${folder.cwd}/b.key holds the key of another certificate: expected the private key of the certificate in ${folder.cwd}/a.pem (--cert)`,
    );
  });

  it('are refused for the one that was given for this run, where the other is the configuration file’s', async () => {
    const path = await folder.write('cwd/pair.yaml', 'channel:\n  ca: ca.pem\n  cert: a.pem\n  key: a.key\n');
    const ofCert = 'holds the certificate of another key: expected that of the private key in';
    const ofKey = 'holds the key of another certificate: expected the private key of the certificate in';
    const flags = { ...BASE, config: 'pair.yaml' };
    const [a, b] = [`${folder.cwd}/a`, `${folder.cwd}/b`];
    for (const [sources, message] of [
      [
        { flags: { ...flags, 'channel.cert': 'b.pem' } },
        `--cert: ${b}.pem ${ofCert} ${a}.key (${path}:4: channel.key)`,
      ],
      [
        { flags: { ...flags, 'channel.key': 'b.key' } },
        `--key: ${b}.key ${ofKey} ${a}.pem (${path}:3: channel.cert)`,
      ],
      [
        { flags, env: { QKD_SYNC_CHANNEL_CERT: 'b.pem' } },
        `QKD_SYNC_CHANNEL_CERT: ${b}.pem ${ofCert} ${a}.key (${path}:4: channel.key)`,
      ],
      [
        { flags: { ...flags, 'channel.cert': 'b.pem' }, env: { QKD_SYNC_CHANNEL_KEY: 'a.key' } },
        `--cert: ${b}.pem ${ofCert} ${a}.key (QKD_SYNC_CHANNEL_KEY)`,
      ],
    ] as const) {
      expect((await folder.failure('recover', sources)).message).toBe(message);
    }
  });

  it('are refused beyond 1 MiB', async () => {
    await folder.write('cwd/large.pem', 'x'.repeat(1024 * 1024 + 1));
    const { message } = await folder.failure('recover', {
      flags: { ...BASE, ...CHANNEL, 'channel.ca': 'large.pem' },
    });
    expect(message).toMatch(/^--ca: .*large\.pem is larger than 1 MiB: expected/);
  });

  it('are both needed for the KME, or neither', async () => {
    const flags = { ...BASE, ...CHANNEL, 'kme.url': 'https://kme' };
    expect((await folder.load('initiate', { flags })).kme).toEqual({
      urls: ['https://kme'],
      insecure: false,
      encMethod: 'post',
      decMethod: 'post',
      extensions: {},
      timeoutMs: 10_000,
      waitMs: 30_000,
      parallel: 4,
    });
    const noKey = await folder.failure('initiate', { flags: { ...flags, 'kme.cert': 'a.pem' } });
    expect(noKey.message).toBe(
      'kme.key is not set: expected the name of a file; set kme.key in the configuration file, --kme-key or QKD_SYNC_KME_KEY',
    );
    const noCert = await folder.failure('initiate', { flags: { ...flags, 'kme.key': 'a.key' } });
    expect(noCert.message).toMatch(/^kme\.cert is not set: /);
    const wrong = await folder.failure('initiate', {
      flags: { ...flags, 'kme.cert': 'a.pem', 'kme.key': 'b.key' },
    });
    expect(wrong.message).toMatch(/^--kme-key: .*b\.key holds the key of another certificate/);
  });

  it('of the KME are not looked at where nothing is drawn', async () => {
    const flags = { ...BASE, ...CHANNEL };
    const env = { QKD_SYNC_KME_CA: 'none.pem' };
    expect((await folder.load('recover', { flags, env })).auth.kind).toBe('certificates');
  });
});

describe('pre-shared keys', () => {
  const load = async (content: string): Promise<Uint8Array | undefined> => {
    await folder.write('cwd/psk.yaml', 'site: A\npeers:\n  B: { pskFile: a-to-b.psk }\n');
    await folder.write('cwd/a-to-b.psk', content);
    const settings = await folder.load('recover', { flags: { config: 'psk.yaml', peer: 'B' } });
    expect(settings.auth).toEqual({ kind: 'psk' });
    expect(settings.peers).toHaveLength(1);
    return settings.peer.psk?.reveal();
  };
  const refusal = async (content: string): Promise<QkdSyncError> => {
    await folder.write('cwd/psk.yaml', 'site: A\npeers:\n  B: { pskFile: a-to-b.psk }\n');
    await folder.write('cwd/a-to-b.psk', content);
    return folder.failure('recover', { flags: { config: 'psk.yaml', peer: 'B' } });
  };
  const where = (): string => `${folder.cwd}/psk.yaml:3: peers.B.pskFile`;
  const expected = 'expected 32 to 512 secret bytes in hex or base64';

  it.each([
    ['hex', SECRET.toString('hex')],
    [
      'hex in capitals and lines',
      `${SECRET.toString('hex')
        .toUpperCase()
        .replace(/(.{16})/g, '$1\r\n')}\n`,
    ],
    ['base64', SECRET.toString('base64')],
    ['base64 in lines', `${SECRET.toString('base64').replace(/(.{10})/g, '$1\n')}\n`],
  ])('are read from %s', async (_what, content) => {
    expect(Buffer.from((await load(content)) ?? []).equals(SECRET)).toBe(true);
  });

  it('have 32 to 512 bytes', async () => {
    expect(await load('ab'.repeat(32))).toHaveLength(32);
    expect(await load('ab'.repeat(512))).toHaveLength(512);
    const short = await refusal('ab'.repeat(31));
    expect(short.message).toBe(`${where()}: ${folder.cwd}/a-to-b.psk holds 31 bytes: ${expected}`);
    const long = await refusal('ab'.repeat(513));
    expect(long.message).toMatch(/holds 513 bytes: /);
  });

  it.each(['', 'not a key, really', '-----BEGIN PRIVATE KEY-----'])(
    'are not found in "%s"',
    async (content) => {
      const { code, message } = await refusal(content);
      expect(message).toBe(`${where()}: ${folder.cwd}/a-to-b.psk holds no pre-shared key: ${expected}`);
      expect(code).toBe('config');
    },
  );

  it('are refused, and not shown, in the place of their file', async () => {
    for (const key of [SECRET.toString('hex'), SECRET.toString('base64')]) {
      await folder.write('cwd/psk.yaml', `site: A\npeers:\n  B: { pskFile: "${key}" }\n`);
      const { message } = await folder.failure('recover', { flags: { config: 'psk.yaml', peer: 'B' } });
      expect(message).toBe(
        `${where()} seems to be the key itself: expected the name of a file that holds it`,
      );
    }
  });

  it('must have a file that exists', async () => {
    await folder.write('cwd/psk.yaml', 'site: A\npeers:\n  B: { pskFile: none.psk }\n');
    const { message } = await folder.failure('recover', { flags: { config: 'psk.yaml', peer: 'B' } });
    expect(message).toBe(
      `${where()}: ${folder.cwd}/none.psk does not exist: expected a file with 32 to 512 secret bytes in hex or base64`,
    );
  });
});
