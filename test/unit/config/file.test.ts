import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigFolder } from '../../support/config-folder.js';

let folder: ConfigFolder;

beforeEach(async () => {
  folder = await ConfigFolder.make();
});

afterEach(async () => {
  await folder.remove();
});

describe('which file is read', () => {
  const siteOf = async (sources: Parameters<ConfigFolder['load']>[1] = {}): Promise<string | undefined> =>
    (await folder.load('status', sources)).site;

  it('is the first of five', async () => {
    await folder.write('etc/qkd-sync/config.yaml', 'site: etc');
    expect(await siteOf()).toBe('etc');
    await folder.write('home/.config/qkd-sync/config.yaml', 'site: config');
    expect(await siteOf()).toBe('config');
    const xdg = { XDG_CONFIG_HOME: `${folder.root}/xdg` };
    expect(await siteOf({ env: xdg })).toBe('etc');
    await folder.write('xdg/qkd-sync/config.yaml', 'site: xdg');
    expect(await siteOf({ env: xdg })).toBe('xdg');
    await folder.configure('site: home');
    expect(await siteOf({ env: xdg })).toBe('home');
    await folder.write('cwd/variable.yaml', 'site: variable');
    const env = { ...xdg, QKD_SYNC_CONFIG: 'variable.yaml' };
    expect(await siteOf({ env })).toBe('variable');
    await folder.write('cwd/flag.yaml', 'site: flag');
    expect(await siteOf({ env, flags: { config: 'flag.yaml' } })).toBe('flag');
  });

  it('may be none', async () => {
    expect(await siteOf()).toBeUndefined();
  });

  it('takes ~ in the variable, and ignores an empty variable and a relative XDG_CONFIG_HOME', async () => {
    await folder.write('home/a.yaml', 'site: A');
    expect(await siteOf({ env: { QKD_SYNC_CONFIG: '~/a.yaml' } })).toBe('A');
    await folder.write('home/.config/qkd-sync/config.yaml', 'site: config');
    expect(await siteOf({ env: { QKD_SYNC_CONFIG: '', XDG_CONFIG_HOME: 'xdg' } })).toBe('config');
  });

  it('must exist where it is named', async () => {
    await folder.configure('site: home');
    const flag = await folder.failure('status', { flags: { config: 'none.yaml' } });
    const missing = `${folder.cwd}/none.yaml does not exist: expected a YAML file of settings`;
    expect(flag).toMatchObject({ code: 'config', message: `--config: ${missing}` });
    const variable = await folder.failure('status', { env: { QKD_SYNC_CONFIG: 'none.yaml' } });
    expect(variable).toMatchObject({ code: 'config', message: `QKD_SYNC_CONFIG: ${missing}` });
  });

  it('must have a name that can be one', async () => {
    const variable = await folder.failure('status', { env: { QKD_SYNC_CONFIG: 'a\nb' } });
    expect(variable.message).toBe('QKD_SYNC_CONFIG is "a\\nb": expected the name of a file');
    const flag = await folder.failure('status', { flags: { config: '' } });
    expect(flag).toMatchObject({ code: 'usage', message: '--config is empty: expected the name of a file' });
  });

  it('must be a regular file, of UTF-8, of 1 MiB at most', async () => {
    await mkdir(`${folder.cwd}/d.yaml`);
    const config = (name: string): ReturnType<ConfigFolder['failure']> =>
      folder.failure('status', { flags: { config: name } });
    expect((await config('d.yaml')).message).toMatch(/d\.yaml is not a regular file: expected/);
    await folder.write('cwd/latin.yaml', Buffer.from('site: \xe9', 'latin1'));
    expect((await config('latin.yaml')).message).toMatch(/latin\.yaml is not UTF-8 text: expected/);
    await folder.write('cwd/large.yaml', `site: A\n#${'x'.repeat(1024 * 1024 - 9)}`);
    expect((await folder.load('status', { flags: { config: 'large.yaml' } })).site).toBe('A');
    await folder.write('cwd/large.yaml', `site: A\n#${'x'.repeat(1024 * 1024 - 8)}`);
    expect((await config('large.yaml')).message).toMatch(/large\.yaml is larger than 1 MiB: expected/);
  });

  it('is not passed over where it is there but unusable', async () => {
    await mkdir(`${folder.home}/.qkd/qkd-sync.yaml`, { recursive: true });
    await folder.write('etc/qkd-sync/config.yaml', 'site: etc');
    const { message } = await folder.failure('status');
    expect(message).toMatch(/qkd-sync\.yaml is not a regular file/);
  });
});

describe('mistakes in the file', () => {
  it.each([
    ['site: A\nkme:\n  timout: 1s', '3: kme.timout is not a setting; did you mean kme.timeout?'],
    ['kmee: {}', '1: kmee is not a setting; did you mean kme?'],
    ['peer: {}', '1: peer is not a setting; did you mean peers?'],
    ['count: 5', '1: count is not a setting; did you mean exchange.count?'],
    ['ca: x.pem', '1: ca is not a setting'],
    ['insecure: true', '1: insecure is not a setting; did you mean kme.insecure?'],
    ['password: hush', '1: password is not a setting'],
    ['peers:\n  B:\n    psk: hush', '3: peers.B.psk is not a setting'],
    ['peers:\n  B: { adress: b }', '2: peers.B.adress is not a setting; did you mean peers.B.address?'],
    ['\nkme:\n  timeout: 10', '3: kme.timeout is "10": expected a duration such as 10s, from 1ms to 1h'],
    ['kme: { wait: [1s] }', '1: kme.wait is a list: expected a duration such as 10s, from 0s to 24h'],
    ['exchange: { count: {} }', '1: exchange.count is a section: expected an integer from 1 to 65536'],
    ['exchange: { count: }', '1: exchange.count is empty: expected an integer from 1 to 65536'],
    ['exchange: { size: 100 }', '1: exchange.size is "100": expected a multiple of 8 from 64 to 4096'],
    ['exchange: { format: raw }', '1: exchange.format is "raw": expected hex (nothing else yet)'],
    ['exchange: { naming: date }', '1: exchange.naming is "date": expected index or key-id'],
    ['channel: { requireHybrid: yes }', '1: channel.requireHybrid is "yes": expected true or false'],
    [
      'kme:\n  url:\n    - https://a\n    - { b: https://b }',
      '2: kme.url is a list: expected one URL or several, such as https://kme.example:8443 (no user, query or fragment), with commas between them or a list in the file',
    ],
    [
      'kme: { url: "https://me:hush@kme" }',
      '1: kme.url is a URL with a user name (not shown): expected one URL or several, such as https://kme.example:8443 (no user, query or fragment), with commas between them or a list in the file',
    ],
    [
      'kme: { key: "-----BEGIN PRIVATE KEY-----\\nhush" }',
      '1: kme.key is PEM text (not shown): expected the name of a file',
    ],
    [
      'site: " A"',
      '1: site is " A": expected an ID of 1 to 64 characters, none of them a control character, no space at either end',
    ],
    ['listen: b', '1: listen is "b": expected [HOST:]PORT, such as 7000, 127.0.0.1:7000 or [::1]:7000'],
    [
      'kme: https://kme',
      '1: kme is a single value: expected a section with url, ca, cert, key, pkcs12, passphraseFile, serverName, method, encMethod, decMethod, timeout, wait, maxPerRequest, parallel, extensionMandatory, extensionOptional, insecure',
    ],
    ['peers: [B]', '1: peers is a list: expected a section with one entry for each peer'],
    [
      'peers:\n  B: b.example',
      '2: peers.B is a single value: expected a section with address, sae, name, pskFile',
    ],
    [
      'peers: { B: { address: "b:0" } }',
      '1: peers.B.address is "b:0": expected HOST[:PORT], such as b.example:7000 or [2001:db8::1]:7000',
    ],
    [
      'peers:\n  " B": {}',
      '2: peers." B" is not named as a site: expected an ID of 1 to 64 characters, none of them a control character, no space at either end',
    ],
    [
      'peers:\n  B: {}\n  b: { name: c }',
      '3: peers.b differs from "B" by case only: expected one peer of that ID',
    ],
    [
      'peers:\n  B: {}\n  C: { name: b }',
      '3: peers.C has the same name as another peer: expected a name of its own in its certificate',
    ],
    ['- site', '1: holds a list: expected settings, such as site: A'],
    ['site: A\nsite: B', '2: sets site again: it is set in line 1'],
    [
      'site: A\nkeys: [',
      '3: is not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('%j', async (yaml, complaint) => {
    const path = await folder.configure(`${yaml}\n`);
    const { code, message } = await folder.failure('status');
    expect(message).toBe(`${path}:${complaint}`);
    expect(message).not.toContain('hush');
    expect(code).toBe('config');
  });

  it('are told all at once, with those of other places', async () => {
    const path = await folder.configure('site: " "\nkme: { timout: 1s }\nlockWait: 1\n');
    const { code, message, hint } = await folder.failure('recover', {
      env: { QKD_SYNC_KME_WAIT: 'long', QKD_SYNC_STIE: 'A' },
      flags: { peer: 'B', 'exchange.ackTimeout': 'soon', insecure: true },
    });
    expect(message.split('\n').sort()).toEqual(
      [
        `${path}:1: site is " ": expected an ID of 1 to 64 characters, none of them a control character, no space at either end`,
        `${path}:2: kme.timout is not a setting; did you mean kme.timeout?`,
        `${path}:3: lockWait is "1": expected a duration such as 10s, from 0s to 24h`,
        'QKD_SYNC_KME_WAIT is "long": expected a duration such as 10s, from 0s to 24h',
        'QKD_SYNC_STIE is not known: did you mean QKD_SYNC_SITE?',
        '--ack-timeout is "soon": expected a duration such as 10s, from 1ms to 1h',
      ].sort(),
    );
    expect(code).toBe('config');
    expect(hint).toBeUndefined();
  });

  it('are told where a stronger place has another value, too', async () => {
    const path = await folder.configure('site: A\nlockWait: 1\n');
    const { message } = await folder.failure('status', { flags: { lockWait: '1s' } });
    expect(message).toBe(`${path}:2: lockWait is "1": expected a duration such as 10s, from 0s to 24h`);
  });

  it('do not include a section with nothing in it', async () => {
    await folder.configure('site: A\nkme:\nchannel:\npeers:\n  B:\n');
    expect((await folder.load('status')).site).toBe('A');
  });

  it('are usage where all of them are in flags', async () => {
    const { code, message } = await folder.failure('status', {
      flags: { lockWait: '1', 'exchange.count': '0' },
    });
    expect(code).toBe('usage');
    expect(message).toBe(
      '--count is "0": expected an integer from 1 to 65536\n--lock-wait is "1": expected a duration such as 10s, from 0s to 24h',
    );
  });
});

it('says enough of a file that is not ours at all', async () => {
  const keys = Array.from({ length: 90_000 }, (_, at) => `k${at}: 1\n`).join('');
  const path = await folder.configure(keys);
  const lines = (await folder.failure('status')).message.split('\n');
  expect(lines[0]).toBe(`${path}:1: k0 is not a setting`);
  expect(lines).toHaveLength(51);
  expect(lines.at(-1)).toBe('and maybe more');
});
