import { describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import type { Finding, FindingName } from '../../../src/doctor/finding.js';
import type { KmeProbe } from '../../../src/doctor/ports.js';
import { examineService, type AskedFor } from '../../../src/doctor/service.js';
import type { KmeStatus } from '../../../src/kme/kme.js';
import { GOOD_PROBE, HTTP_OK, refusal } from '../../support/doctor-ports.js';

const KME = new URL('https://kme.example:8443');
const ASKED: AskedFor = {
  peers: [{ site: 'B', sae: 'sae-b' }],
  count: 4_096,
  size: 256,
  maxPerRequest: undefined,
  hasCertificate: true,
  takeKey: false,
};

async function findingsOf(probe: Partial<KmeProbe>, asked: Partial<AskedFor> = {}): Promise<Finding[]> {
  return examineService(KME, { ...ASKED, ...asked }, { ...GOOD_PROBE, ...probe });
}

const saying = (value: KmeStatus): Partial<KmeProbe> => ({
  status: () => Promise.resolve({ value, http: HTTP_OK }),
});

const failing = (...answer: Parameters<typeof refusal>): Partial<KmeProbe> => ({
  status: () => Promise.resolve(refusal(...answer)),
});

function one(findings: readonly Finding[], name: FindingName): Finding | undefined {
  return findings.find((finding) => finding.name === name);
}

describe('a KME that answers', () => {
  it('takes our certificate and knows the SAE', async () => {
    const findings = await findingsOf({});
    expect(one(findings, 'kme-client-certificate')).toMatchObject({
      about: 'https://kme.example:8443',
      standing: 'ok',
      text: 'the KME takes our certificate',
    });
    expect(one(findings, 'kme-status')).toEqual({
      name: 'kme-status',
      about: 'https://kme.example:8443 for B (SAE sae-b)',
      standing: 'ok',
      text: 'the KME answers for this SAE',
    });
    expect(one(findings, 'kme-key')).toBeUndefined();
  });

  it('may ask for no certificate', async () => {
    const finding = one(await findingsOf({}, { hasCertificate: false }), 'kme-client-certificate');
    expect(finding).toMatchObject({ standing: 'ok', text: 'the KME asks for none, and none is configured' });
  });

  it('is shown no certificate over plain http, whatever comes of it', async () => {
    const plain = new URL('http://127.0.0.1:8441');
    for (const answer of [saying({}), failing(undefined, 'the KME broke the connection')]) {
      const findings = await examineService(plain, ASKED, { ...GOOD_PROBE, ...answer });
      expect(one(findings, 'kme-client-certificate')).toMatchObject({
        standing: 'skipped',
        text: 'plain http: none is shown',
      });
    }
  });

  it('is asked for each peer, and looked at as a whole once', async () => {
    const asked: string[] = [];
    const status: KmeProbe['status'] = (sae) => {
      asked.push(sae);
      return Promise.resolve({ value: {}, http: HTTP_OK });
    };
    const peers = [...ASKED.peers, { site: 'C', sae: 'sae-c' }];
    const names = (await findingsOf({ status }, { peers })).map(({ name }) => name);
    expect(asked).toEqual(['sae-b', 'sae-c']);
    const each = ['kme-status', 'kme-stock', 'kme-limits'];
    expect(names).toEqual(['kme-client-certificate', 'kme-clock', ...each, ...each]);
  });
});

describe('a KME that refuses', () => {
  it.each([
    ['in TLS', refusal(undefined, 'the KME does not accept our certificate', 'refused')],
    ['by breaking the connection', refusal(undefined, 'the KME broke the connection', 'broken')],
    ['with a 400 after the handshake', refusal(400, 'the KME does not accept our certificate', 'refused')],
  ])('our certificate %s', async (_, answer) => {
    const findings = await findingsOf({ status: () => Promise.resolve(answer) });
    expect(one(findings, 'kme-client-certificate')).toMatchObject({
      standing: 'failed',
      fault: 'refused',
      hint: expect.stringMatching(/^check kme\.cert/),
    });
    expect(one(findings, 'kme-status')).toMatchObject({ standing: 'failed', fault: 'refused' });
  });

  it.each([400, 401, 403])('whoever shows none with %i', async (status) => {
    const findings = await findingsOf(failing(status, 'who are you'), { hasCertificate: false });
    expect(one(findings, 'kme-client-certificate')).toMatchObject({
      standing: 'failed',
      fault: 'refused',
      text: 'who are you',
      hint: 'set kme.cert and kme.key, or kme.pkcs12',
    });
  });

  it.each([
    [400, 'refused'],
    [401, 'refused'],
    [422, 'refused'],
    [404, 'configuration'],
    [405, 'configuration'],
    [302, 'configuration'],
    [200, 'configuration'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [503, 'unreachable'],
  ])('the SAE with %i: the fault is "%s", our certificate is not', async (status, fault) => {
    const findings = await findingsOf(failing(status, 'no'));
    expect(one(findings, 'kme-status')).toMatchObject({
      standing: 'failed',
      fault,
      text: 'no',
      hint: 'do something',
    });
    expect(one(findings, 'kme-client-certificate')?.standing).toBe('ok');
    expect(one(findings, 'kme-stock')).toBeUndefined();
  });

  it('nothing, but is silent: that says nothing of our certificate', async () => {
    const findings = await findingsOf(failing(undefined, 'no answer in 10 s'));
    expect(one(findings, 'kme-client-certificate')?.standing).toBe('skipped');
    expect(one(findings, 'kme-clock')?.standing).toBe('skipped');
    expect(one(findings, 'kme-status')).toMatchObject({ standing: 'failed', fault: 'unreachable' });
  });
});

describe('the stock', () => {
  it.each([
    [{ storedKeyCount: 4_096 }, 'ok', '4096 keys in stock, an exchange takes 4096'],
    [{ storedKeyCount: 4_095 }, 'warning', '4095 keys in stock, an exchange takes 4096'],
    [{ storedKeyCount: 1 }, 'warning', '1 key in stock, an exchange takes 4096'],
    [{ storedKeyCount: 0 }, 'warning', '0 keys in stock, an exchange takes 4096'],
    [{}, 'skipped', 'the KME does not say how many keys it has'],
  ])('%j is "%s"', async (status, standing, text) => {
    expect(one(await findingsOf(saying(status)), 'kme-stock')).toMatchObject({ standing, text });
  });
});

describe('the limits', () => {
  it.each([
    [
      { minKeySize: 64, maxKeySize: 1_024, maxKeyPerRequest: 4_096 },
      'ok',
      /^keys from 64 bits, up to 1024 bits, 4096 a request$/,
    ],
    [{ maxKeyPerRequest: 128 }, 'ok', /; 4096 keys take 32 requests$/],
    [{ minKeySize: 512 }, 'warning', /^keys from 512 bits; exchange\.size is 256 bits$/],
    [{ maxKeySize: 128 }, 'warning', /^keys up to 128 bits; exchange\.size is 256 bits$/],
    [{ minKeySize: 256, maxKeySize: 256 }, 'ok', /^keys from 256 bits, up to 256 bits$/],
    [{ minKeySize: 0, maxKeySize: 0, maxKeyPerRequest: 0 }, 'skipped', /says nothing/],
    [{}, 'skipped', /says nothing/],
  ])('%j are "%s"', async (status, standing, text) => {
    const finding = one(await findingsOf(saying(status)), 'kme-limits');
    expect(finding).toMatchObject({ standing, text: expect.stringMatching(text) });
  });
});

it('a block is asked for in several requests, whatever the KME would give at once', async () => {
  const finding = one(
    await findingsOf(saying({ maxKeyPerRequest: 1_000_000 }), { count: 65_536 }),
    'kme-limits',
  );
  expect(finding?.text).toMatch(/; 65536 keys take 16 requests$/);
});

it('our own limit counts too', async () => {
  const finding = one(
    await findingsOf(saying({ maxKeyPerRequest: 128 }), { maxPerRequest: 64 }),
    'kme-limits',
  );
  expect(finding?.text).toMatch(/; 4096 keys take 64 requests$/);
});

describe('--take-key', () => {
  it('draws one key for each peer, and says that it is lost', async () => {
    const findings = await findingsOf({}, { takeKey: true });
    expect(one(findings, 'kme-key')).toMatchObject({
      standing: 'ok',
      text: 'one key of 256 bits drawn; it is lost',
    });
  });

  it.each([
    [refusal(503, 'out of keys'), 'unreachable'],
    [{ ...refusal(400, 'out of keys'), error: new QkdSyncError('kme-empty', 'out of keys') }, 'unreachable'],
    [{ ...refusal(200, 'x'), error: new QkdSyncError('kme-refused', 'no such SAE') }, 'refused'],
    [{ ...refusal(405, 'x'), error: new QkdSyncError('config', 'try the other method') }, 'configuration'],
    [refusal(200, 'a key of another size'), 'configuration'],
  ])('has failed where no key comes', async (answer, fault) => {
    const drawKey: KmeProbe['drawKey'] = () => Promise.resolve(answer);
    const findings = await findingsOf({ drawKey }, { takeKey: true });
    expect(one(findings, 'kme-key')).toMatchObject({ standing: 'failed', fault, text: answer.error.message });
  });

  it('draws none where status has failed', async () => {
    const drawKey: KmeProbe['drawKey'] = () => Promise.reject(new Error('drawn'));
    const findings = await findingsOf({ ...failing(401, 'no'), drawKey }, { takeKey: true });
    expect(one(findings, 'kme-key')).toBeUndefined();
  });
});
