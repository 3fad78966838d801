import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigFolder } from '../../support/config-folder.js';

const CONFIG = `base: .qkd/qnl
routeConfigLoc: routes.json
qnlSiteKeyLoc: qll/keys
siteId: A
port: 9292
keyBytesSz: 32
keyBlockSz: 1024
qllBlockSz: 4096
headerSz: 132
kmsIP: localhost
kmsPort: 9393
OTPConfig:
  keyBlockSz: 1024
  keyLoc: otp/keys
`;
const ROUTES = '{"adjacent": {"B": "192.168.2.212"}, "nonAdjacent": {"C": "B"}}';
const PSK = '5a'.repeat(32);

let folder: ConfigFolder;

beforeEach(async () => {
  folder = await ConfigFolder.make();
});

afterEach(async () => {
  await folder.remove();
});

async function setUpRouter(config = CONFIG, routes = ROUTES): Promise<void> {
  await folder.write('home/.qkd/qnl/config.yaml', config);
  await folder.write('home/.qkd/qnl/routes.json', routes);
}

const ofRouter = (name: string): string => `${folder.home}/.qkd/qnl/${name}`;

describe('where qkd-net is set up', () => {
  it('an exchange needs nothing but the KME and how the sites authenticate', async () => {
    await setUpRouter();
    await folder.write('home/.qkd/b.psk', PSK);
    await folder.configure('kme: { url: https://kme }\npeers: { B: { pskFile: b.psk } }\n');
    const settings = await folder.load('initiate', { flags: { peer: 'B' } });
    expect(settings).toMatchObject({
      site: 'A',
      sae: 'A',
      keys: ofRouter('qll/keys'),
      state: ofRouter('qll/exchanges'),
      exchange: { count: 4096, size: 256, format: 'hex', naming: 'index' },
      peer: { site: 'B', sae: 'B', host: '192.168.2.212', port: 7000 },
    });
    expect(await folder.load('respond')).toMatchObject({ peers: [{ site: 'B' }] });
  });

  it('the configuration file of --config changes nothing about that', async () => {
    await setUpRouter(CONFIG.replace('qllBlockSz: 4096', 'qllBlockSz: 64').replace('32', '64'));
    const config = await folder.write('elsewhere/own.yaml', 'kme: { url: https://kme }\n');
    const flags = { config, insecure: true, peer: 'B' };
    expect(await folder.load('initiate', { flags })).toMatchObject({
      site: 'A',
      exchange: { count: 64, size: 512 },
    });
  });

  it('its own places are joined as qkd-net joins them', async () => {
    await setUpRouter('base: var/qnl\nrouteConfigLoc: conf/r.json\nqnlSiteKeyLoc: /keys\n');
    await folder.write('home/var/qnl/conf/r.json', '{"adjacent": {"D": "d.example:9292"}}');
    const settings = await folder.load('respond', {
      flags: { site: 'A', 'kme.url': 'https://kme', insecure: true },
    });
    expect(settings).toMatchObject({ keys: `${folder.home}/var/qnl/keys`, peers: [{ site: 'D' }] });
    expect(settings.exchange).toMatchObject({ count: 1, size: 256 });
  });

  it.each([
    ['b.example:9292', 'b.example'],
    ['192.168.2.212:9292', '192.168.2.212'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]:9292', '2001:db8::1'],
  ])('a route to %s is a peer at %s, on our own port', async (route, host) => {
    await setUpRouter(CONFIG, JSON.stringify({ adjacent: { B: route } }));
    const flags = { 'kme.url': 'https://kme', insecure: true, peer: 'B' };
    expect((await folder.load('initiate', { flags })).peer).toMatchObject({ host, port: 7000 });
  });

  it('own settings win, those of peers field by field', async () => {
    await setUpRouter(CONFIG, '{\n\t"adjacent": {\n\t\t"B": "b.example",\n\t\t"E": "e.example"\n\t}\n}');
    await folder.configure(`
site: F
kme: { url: https://kme }
exchange: { count: 2 }
keys: k
peers: { b: { sae: sae-b }, E: { address: own.example:7001 } }
`);
    const flags = { insecure: true, peer: 'b', 'exchange.size': '512' };
    const toB = await folder.load('initiate', { flags });
    expect(toB).toMatchObject({
      site: 'F',
      keys: `${folder.home}/.qkd/k`,
      exchange: { count: 2, size: 512 },
    });
    expect(toB.peer).toMatchObject({ site: 'b', sae: 'sae-b', host: 'b.example' });
    const toE = await folder.load('initiate', { flags: { ...flags, peer: 'E' } });
    expect(toE.peer).toMatchObject({ host: 'own.example', port: 7001 });
  });

  it('adjacent sites without a pre-shared key of their own are called by name only, and not answered', async () => {
    await setUpRouter(CONFIG, '{"adjacent": {"B": "b.example", "C": "c.example"}}');
    await folder.write('home/.qkd/b.psk', PSK);
    await folder.configure('kme: { url: https://kme }\npeers: { B: { pskFile: b.psk } }\n');
    expect((await folder.load('respond')).peers.map(({ site }) => site)).toEqual(['B']);
    const { message } = await folder.failure('initiate', { flags: { peer: 'C' } });
    expect(message).toMatch(/^peers\.C\.pskFile is not set: expected /);
  });

  it('needs no routes', async () => {
    await folder.write('home/.qkd/qnl/config.yaml', CONFIG);
    expect(await folder.load('status')).toMatchObject({ site: 'A' });
  });
});

describe('without a config.yaml', () => {
  it('routes alone mean nothing', async () => {
    await folder.write('home/.qkd/qnl/routes.json', ROUTES);
    expect(await folder.load('status')).not.toHaveProperty('site');
    const flags = { site: 'A', 'kme.url': 'https://kme', insecure: true };
    expect((await folder.failure('respond', { flags })).message).toMatch(/^peers is not set/);
  });
});

describe('a mistake', () => {
  it.each([
    ['siteId: [A]', '1: siteId is a list: expected an ID of 1 to 64 characters'],
    ['x: 1\nsiteId: " A"', '2: siteId is " A": expected an ID of 1 to 64 characters'],
    ['qllBlockSz: many', '1: qllBlockSz is "many": expected an integer from 1 to 65536'],
    ['qllBlockSz:', '1: qllBlockSz is empty: expected an integer from 1 to 65536'],
    ['keyBytesSz: 4', '1: keyBytesSz is "4": expected an integer from 8 to 512'],
    ['qnlSiteKeyLoc: {}', '1: qnlSiteKeyLoc is a section: expected a path below the home folder'],
    ['qnlSiteKeyLoc: k\nbase: ""', '2: base is empty: expected a path below the home folder'],
    ['just text', '1: holds a single value: expected settings of qkd-net'],
    ['', '1: holds nothing: expected settings of qkd-net'],
    ['a: 1\na: 2', '2: sets a again: it is set in line 1'],
    ['a: "', '1: is not valid YAML: '],
  ])('in config.yaml (%j) is 78 with file and line, whatever is needed', async (text, expected) => {
    await setUpRouter(text);
    const { code, message } = await folder.failure('status');
    expect(code).toBe('config');
    expect(message).toContain(`${ofRouter('config.yaml')}:${expected}`);
    expect(message).not.toContain('\n');
  });

  it.each([
    ['{"adjacent": ["B"]}', '1: adjacent is a list: expected an object with one host'],
    ['{\n"adjacent":\n{"B": {}}}', '3: adjacent.B is a section: expected HOST[:PORT]'],
    ['{"adjacent": {"B": "not a host"}}', '1: adjacent.B is "not a host": expected HOST[:PORT]'],
    ['{"adjacent": {"B": "b.example"', '1: is not valid YAML: '],
  ])('in routes.json (%j) too', async (routes, expected) => {
    await setUpRouter(CONFIG, routes);
    const { code, message } = await folder.failure('status');
    expect(code).toBe('config');
    expect(message).toContain(`${ofRouter('routes.json')}:${expected}`);
  });

  it('in a name there is told with its place', async () => {
    await setUpRouter(CONFIG, '{"adjacent": {" B": "b.example"}}');
    expect((await folder.failure('status')).message).toContain(
      `${ofRouter('routes.json')}:1: adjacent. B is not named as a site`,
    );
  });

  it('of an unreadable file is 78 with its name', async () => {
    await setUpRouter(CONFIG.replace('routes.json', 'qll'));
    await folder.write('home/.qkd/qnl/qll/keys/x', '');
    expect((await folder.failure('status')).message).toBe(
      `${ofRouter('qll')} is not a regular file: expected routes of qkd-net`,
    );
    await setUpRouter('siteId: \u00e9');
    await folder.write('home/.qkd/qnl/config.yaml', Uint8Array.of(0x61, 0xff));
    expect((await folder.failure('status')).message).toBe(
      `${ofRouter('config.yaml')} is not UTF-8 text: expected settings of qkd-net`,
    );
  });
});
