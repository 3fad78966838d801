import { beforeAll, describe, expect, it } from '@jest/globals';
import { examine, type DoctorSettings } from '../../../src/doctor/doctor.js';
import { certificatesIn } from '../../../src/doctor/expiry.js';
import type { Finding } from '../../../src/doctor/finding.js';
import type { DoctorPorts, KmeProbe } from '../../../src/doctor/ports.js';
import { makeTestCa, type Credentials } from '../../support/certificates.js';
import { coded, doctorPorts, GOOD_PROBE, memoryDisk, PLAIN_WAY } from '../../support/doctor-ports.js';

const KME = 'https://kme.example:8443';
const FOLDERS = ['file-system ok', 'file-system ok'];
const KME_TALK = ['kme-client-certificate', 'kme-clock', 'kme-status', 'kme-stock', 'kme-limits'];

let own: Credentials;
let caPem: string;
let settings: DoctorSettings;

beforeAll(async () => {
  const dates = { notBefore: new Date(0), notAfter: new Date('2027-01-01T00:00:00Z') };
  const ca = await makeTestCa('CA');
  own = await ca.issue({ commonName: 'kme.example', ...dates });
  caPem = ca.cert;
  settings = {
    kme: { ...PLAIN_WAY, urls: [KME], cert: own.cert, key: own.key },
    peers: [{ site: 'B', sae: 'sae-b' }],
    exchange: { count: 1, size: 256, format: 'hex', naming: 'index' },
    keys: '/keys',
    state: '/exchanges',
    secretFiles: [{ setting: 'kme.key', path: '/sae.key' }],
    takeKey: false,
  };
});

function world(changed: Partial<DoctorPorts> = {}): ReturnType<typeof doctorPorts> {
  const shown = { protocol: 'TLSv1.3', chain: certificatesIn(own.cert), own: undefined, distrust: undefined };
  const { network } = doctorPorts();
  return doctorPorts({
    network: { ...network, connectTls: () => Promise.resolve(shown) },
    disk: memoryDisk({ '/sae.key': 'x' }),
    ...changed,
  });
}

const summary = (findings: readonly Finding[]): string[] =>
  findings.map(({ name, standing }) => `${name} ${standing}`);

const networkWith = (changed: Partial<DoctorPorts['network']>): Partial<DoctorPorts> => ({
  network: { ...world().network, ...changed },
});

describe('everything', () => {
  it('is looked at in the order in which an exchange needs it', async () => {
    const ports = world();
    const findings = await examine(
      { ...settings, auth: { kind: 'certificates', ca: caPem, cert: own.cert } },
      ports,
    );
    expect(findings.map(({ name, about }) => `${name} ${about}`)).toEqual([
      `kme-dns ${KME}`,
      `kme-tcp ${KME}`,
      `kme-tls ${KME}`,
      `kme-certificate ${KME}`,
      `certificate-expiry ${KME}`,
      `kme-client-certificate ${KME}`,
      `kme-clock ${KME}`,
      `kme-status ${KME} for B (SAE sae-b)`,
      `kme-stock ${KME} for B (SAE sae-b)`,
      `kme-limits ${KME} for B (SAE sae-b)`,
      'certificate-expiry kme.cert',
      'certificate-expiry channel.ca',
      'certificate-expiry channel.cert',
      'file-mode kme.key',
      'file-system keys',
      'file-system state',
    ]);
    expect(ports.clock.pending).toBe(0);
  });

  it('of qkd-net comes last, where it is set up', async () => {
    const disk = memoryDisk({ '/sae.key': 'x', '/qnl': null });
    const findings = await examine(
      { ...settings, qkdNet: { folder: '/qnl', count: 4_096 } },
      world({ disk }),
    );
    expect(summary(findings).slice(-5)).toEqual([
      'qkd-net-count warning',
      'qkd-net-format ok',
      'qkd-net-naming ok',
      'qkd-net-owner ok',
      'qkd-net-index skipped',
    ]);
  });
});

describe('several KMEs', () => {
  it('are all looked at, whatever one of them is', async () => {
    const urls = ['https://192.0.2.1', 'https://192.0.2.2'];
    const connect: DoctorPorts['network']['connect'] = ({ host }) =>
      host === '192.0.2.1' ? Promise.reject(coded('ECONNREFUSED')) : Promise.resolve(host);
    const findings = await examine(
      { ...settings, kme: { ...PLAIN_WAY, urls } },
      world(networkWith({ connect })),
    );
    const tcp = findings.filter(({ name }) => name === 'kme-tcp');
    expect(tcp.map(({ about, standing }) => `${about} ${standing}`)).toEqual([
      'https://192.0.2.1 failed',
      'https://192.0.2.2 ok',
    ]);
  });
});

it('the certificate of a PKCS#12 file is the one that was shown', async () => {
  const [shown] = certificatesIn(own.cert);
  const connectTls: DoctorPorts['network']['connectTls'] = () =>
    Promise.resolve({ protocol: 'TLSv1.3', chain: [], own: shown, distrust: undefined });
  const kme = { ...PLAIN_WAY, urls: [KME], pkcs12: Uint8Array.of(0x30) };
  const findings = await examine({ ...settings, kme }, world(networkWith({ connectTls })));
  expect(findings).toContainEqual(
    expect.objectContaining({ name: 'certificate-expiry', about: 'kme.pkcs12', standing: 'ok' }),
  );
});

describe('what comes after a failure is skipped', () => {
  const skippedFrom = (...names: string[]): string[] => names.map((name) => `${name} skipped`);

  it('of DNS', async () => {
    const lookup = (): Promise<never> => Promise.reject(coded('ENOTFOUND'));
    expect(summary(await examine(settings, world(networkWith({ lookup }))))).toEqual([
      'kme-dns failed',
      ...skippedFrom('kme-tcp', 'kme-tls', 'kme-certificate', ...KME_TALK),
      'certificate-expiry ok',
      'file-mode ok',
      ...FOLDERS,
    ]);
  });

  it('of TCP', async () => {
    const connect = (): Promise<never> => Promise.reject(coded('ECONNREFUSED'));
    expect(summary(await examine(settings, world(networkWith({ connect }))))).toEqual([
      'kme-dns ok',
      'kme-tcp failed',
      ...skippedFrom('kme-tls', 'kme-certificate', ...KME_TALK),
      'certificate-expiry ok',
      'file-mode ok',
      ...FOLDERS,
    ]);
  });

  it("of the KME's certificate: nothing is said to it", async () => {
    const distrusted = {
      protocol: 'TLSv1.3',
      chain: certificatesIn(own.cert),
      own: undefined,
      distrust: 'CERT_HAS_EXPIRED',
    };
    const openKme = (): never => {
      throw new Error('the KME is talked to');
    };
    const ports = world({ ...networkWith({ connectTls: () => Promise.resolve(distrusted) }), openKme });
    expect(summary(await examine(settings, ports)).slice(2, -4)).toEqual([
      'kme-tls ok',
      'kme-certificate failed',
      'certificate-expiry ok',
      ...skippedFrom(...KME_TALK),
    ]);
  });

  it('of our certificate in the handshake', async () => {
    const connectTls = (): Promise<never> => Promise.reject(coded('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'));
    expect(summary(await examine(settings, world(networkWith({ connectTls })))).slice(2, -4)).toEqual([
      'kme-client-certificate failed',
      ...skippedFrom('kme-tls', 'kme-certificate', ...KME_TALK.slice(1)),
    ]);
  });

  it('of the settings of the KME', async () => {
    const { kme, ...others } = settings;
    expect(kme).toBeDefined();
    expect(summary(await examine(others, world()))).toEqual(['kme-dns skipped', 'file-mode ok', ...FOLDERS]);
  });
});

it('without a peer there is nobody to ask for', async () => {
  const findings = await examine({ ...settings, peers: [] }, world());
  const status = findings.find(({ name }) => name === 'kme-status');
  expect(status).toMatchObject({ standing: 'skipped', text: expect.stringContaining('--peer') });
});

it('a URL that cannot be used is a fault of the configuration', async () => {
  const kme = { ...PLAIN_WAY, urls: ['http://kme.example'] };
  expect((await examine({ ...settings, kme }, world()))[0]).toMatchObject({
    name: 'configuration',
    standing: 'failed',
    fault: 'configuration',
  });
});

it('lets go of the KME even when told to stop', async () => {
  let closed = 0;
  const stopped: KmeProbe = {
    ...GOOD_PROBE,
    status: () => Promise.reject(coded('interrupted')),
    close: () => {
      closed += 1;
      return Promise.resolve();
    },
  };
  await expect(examine(settings, world({ openKme: () => stopped }))).rejects.toThrow('interrupted');
  expect(closed).toBe(1);
});
