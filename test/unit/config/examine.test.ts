import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { examineSettings, type Examined } from '../../../src/config/examine.js';
import { ConfigFolder, type Sources } from '../../support/config-folder.js';

const PSK = '5a'.repeat(32);

let folder: ConfigFolder;

beforeEach(async () => {
  folder = await ConfigFolder.make();
});

afterEach(async () => {
  await folder.remove();
});

function examine({ flags = {}, env = {} }: Sources = {}): Promise<Examined> {
  return examineSettings({ flags, env, home: folder.home, cwd: folder.cwd, systemFolder: folder.etc });
}

describe('settings that are all right', () => {
  it('are told with the files that hold secrets', async () => {
    await folder.writeCredentials('home/.qkd', 'sae-a');
    await folder.write('home/.qkd/b.psk', PSK);
    await folder.configure(`
site: A
kme: { url: https://kme, cert: sae-a.pem, key: sae-a.key }
peers: { B: { sae: sae-b, pskFile: b.psk } }
`);
    const { settings, error } = await examine();
    expect(error).toBeUndefined();
    expect(settings).toMatchObject({
      site: 'A',
      kme: { urls: ['https://kme'] },
      auth: { kind: 'psk' },
      peers: [{ site: 'B', sae: 'sae-b' }],
      exchange: { count: 1, size: 256, format: 'hex', naming: 'index' },
      secretFiles: [
        { setting: 'kme.key', path: `${folder.home}/.qkd/sae-a.key` },
        { setting: 'peers.B.pskFile', path: `${folder.home}/.qkd/b.psk` },
      ],
    });
    expect(settings).not.toHaveProperty('qkdNet');
    expect(settings?.peers[0]).toEqual({ site: 'B', sae: 'sae-b' });
  });

  it('name what the key router reads, where it is set up', async () => {
    await folder.write(
      'home/.qkd/qnl/config.yaml',
      'siteId: A\nqllBlockSz: 4096\nkeyBytesSz: 32\nqnlSiteKeyLoc: k\n',
    );
    const { settings } = await examine({
      flags: { 'kme.url': 'https://kme', insecure: true, 'exchange.count': '7' },
    });
    expect(settings?.exchange).toMatchObject({ count: 7, size: 256 });
    expect(settings?.qkdNet).toMatchObject({
      folder: `${folder.home}/.qkd/qnl`,
      keys: `${folder.home}/.qkd/qnl/k`,
      count: 4_096,
      size: 256,
    });
  });
});

describe('which peers', () => {
  const SITE = { site: 'A', 'kme.url': 'https://kme', insecure: true };

  it('is all, the one that is named, or none', async () => {
    expect((await examine({ flags: SITE })).settings?.peers).toEqual([]);
    await folder.configure('peers: { B: { sae: sae-b }, C: {} }');
    const peersOf = async (flags: Sources['flags']): Promise<unknown> =>
      (await examine({ flags: { ...SITE, ...flags } })).settings?.peers;
    expect(await peersOf({})).toEqual([
      { site: 'B', sae: 'sae-b' },
      { site: 'C', sae: 'C' },
    ]);
    expect(await peersOf({ peer: 'B:7001' })).toEqual([{ site: 'B', sae: 'sae-b' }]);
    expect(await peersOf({ peer: 'elsewhere', peerSite: 'D', peerSae: 'sae-d' })).toEqual([
      { site: 'D', sae: 'sae-d' },
    ]);
  });
});

describe('a mistake', () => {
  it('in one setting leaves the others to be looked at', async () => {
    await folder.configure('site: A\nkme: { url: https://kme }\nexchange: { count: none }\n');
    const { settings, error } = await examine();
    expect(error).toMatchObject({ code: 'config' });
    expect(error?.message).toMatch(/exchange\.count is "none".*\nnothing authenticates the sites/);
    expect(settings).toMatchObject({ kme: { urls: ['https://kme'] }, exchange: { count: 1 } });
    expect(settings).not.toHaveProperty('auth');
  });

  it('in what is set for the KME leaves nothing of it', async () => {
    await folder.configure('site: A\nkme: { url: https://kme, ca: missing.pem }\n');
    const { settings, error } = await examine({ flags: { insecure: true } });
    expect(error?.message).toMatch(/missing\.pem does not exist/);
    expect(settings).toBeDefined();
    expect(settings).not.toHaveProperty('kme');
  });

  it('that makes the file none leaves nothing at all', async () => {
    await folder.configure('site: "');
    const { settings, error } = await examine();
    expect(settings).toBeUndefined();
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining('is not valid YAML') });
  });

  it('in flags alone is a usage error', async () => {
    const flags = { site: 'A', 'kme.url': 'https://kme', insecure: true, 'exchange.count': 'none' };
    await expect(examine({ flags })).rejects.toMatchObject({ code: 'usage' });
  });
});
