import type { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { certificatesIn } from '../../../src/doctor/expiry.js';
import type { Network, ProbedKme, TlsSight } from '../../../src/doctor/ports.js';
import { examineTls, type TlsExamination } from '../../../src/doctor/tls.js';
import { makeTestCa } from '../../support/certificates.js';
import { coded, doctorPorts, PLAIN_KME } from '../../support/doctor-ports.js';
import { ManualClock } from '../../support/manual-clock.js';

const ORIGIN = 'https://kme.example:8443';

let chain: X509Certificate[];
let nameless: X509Certificate[];
let addressed: X509Certificate[];

beforeAll(async () => {
  const ca = await makeTestCa('KME CA');
  const notAfter = new Date('2027-01-02T03:04:05Z');
  const notBefore = new Date('2020-01-01T00:00:00Z');
  const san = [{ type: 'dns' as const, value: 'kme.example' }];
  const { cert } = await ca.issue({ commonName: 'kme-a', san, notAfter, notBefore });
  chain = [...certificatesIn(cert), ...certificatesIn(ca.cert)];
  addressed = certificatesIn((await ca.issue({ commonName: '192.0.2.7', notAfter, notBefore })).cert);
  nameless = certificatesIn((await ca.issue({ commonName: 'KME 7', notAfter, notBefore })).cert);
});

function examine(
  sight: Partial<TlsSight> | Error,
  { url = ORIGIN, serverName }: { readonly url?: string; readonly serverName?: string } = {},
): Promise<TlsExamination> {
  const connectTls: Network['connectTls'] = () =>
    sight instanceof Error
      ? Promise.reject(sight)
      : Promise.resolve({ protocol: 'TLSv1.2', chain, own: undefined, distrust: undefined, ...sight });
  const kme: ProbedKme = { ...PLAIN_KME, url, tls: { serverName } };
  const bound = { clock: new ManualClock(), timeoutMs: 1_000, signal: new AbortController().signal };
  return examineTls(new URL(url), kme, { ...doctorPorts().network, connectTls }, bound);
}

describe('a KME whose certificate is right', () => {
  it('is trusted, and told with its version, dates and names', async () => {
    const { findings, isTrusted, chain: shown } = await examine({});
    expect(findings).toEqual([
      { name: 'kme-tls', about: ORIGIN, standing: 'ok', text: 'TLSv1.2' },
      {
        name: 'kme-certificate',
        about: ORIGIN,
        standing: 'ok',
        text: 'trusted, valid until 2027-01-02; it bears DNS:kme.example, CN=kme-a',
      },
    ]);
    expect(isTrusted).toBe(true);
    expect(shown).toBe(chain);
  });

  it('may have no SAN, and a serverName that is its CN', async () => {
    const { isTrusted } = await examine({ chain: nameless }, { serverName: 'KME 7' });
    expect(isTrusted).toBe(true);
  });
});

describe('a KME whose certificate is wrong', () => {
  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', /^the KME's certificate comes from an unknown CA/, /^set kme\.ca/],
    ['CERT_HAS_EXPIRED', /has expired \(/, /clock/],
    ['CERT_NOT_YET_VALID', /is not valid yet/, /clock/],
  ])('by %s is not trusted, and its names are told', async (distrust, text, hint) => {
    const { findings, isTrusted } = await examine({ distrust });
    expect(isTrusted).toBe(false);
    expect(findings[1]).toMatchObject({
      name: 'kme-certificate',
      standing: 'failed',
      fault: 'unreachable',
      text: expect.stringMatching(text),
      hint: expect.stringMatching(hint),
    });
    expect(findings[1]?.text).toMatch(/; it bears DNS:kme\.example, CN=kme-a; valid until 2027-01-02$/);
  });

  it('by its name is told with the name that was expected', async () => {
    const { findings, isTrusted } = await examine({}, { serverName: 'kme-b' });
    expect(isTrusted).toBe(false);
    expect(findings[1]?.text).toMatch(/another name than kme-b.*; it bears DNS:kme\.example, CN=kme-a;/);
    expect(findings[1]?.hint).toMatch(/^set kme\.serverName/);
  });

  it('by its CN alone is trusted under the name of serverName only, as the client does', async () => {
    const url = 'https://192.0.2.7:8443';
    const { isTrusted } = await examine({ chain: addressed }, { url });
    expect(isTrusted).toBe(false);
    const named = await examine({ chain: addressed }, { url, serverName: '192.0.2.7' });
    expect(named.isTrusted).toBe(true);
  });

  it('in two ways is told of both', async () => {
    const { findings } = await examine({ distrust: 'CERT_HAS_EXPIRED' }, { serverName: 'kme-b' });
    expect(findings[1]?.text).toMatch(/has expired.*another name/);
    expect(findings[1]?.hint).toMatch(/clock.*kme\.serverName/);
  });

  it('by having none is not trusted', async () => {
    const { findings, isTrusted } = await examine({ chain: [] });
    expect(isTrusted).toBe(false);
    expect(findings[1]).toMatchObject({ standing: 'failed', text: 'the KME shows no certificate' });
  });
});

describe('a handshake that fails', () => {
  it.each(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ECONNRESET'])(
    'with %s is a failure of TLS',
    async (code) => {
      const { findings, isTrusted } = await examine(coded(code));
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ name: 'kme-tls', standing: 'failed', fault: 'unreachable' });
      expect(isTrusted).toBe(false);
    },
  );

  it('because of our certificate is a refusal of it', async () => {
    const { findings } = await examine(coded('ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE'));
    expect(findings).toEqual([
      expect.objectContaining({
        name: 'kme-client-certificate',
        standing: 'failed',
        fault: 'refused',
        text: `the KME does not accept our certificate (${ORIGIN})`,
      }),
    ]);
  });
});

it('plain http has no TLS to look at', async () => {
  const { findings, isTrusted } = await examine(new Error('not called'), { url: 'http://127.0.0.1:80' });
  expect(findings).toEqual([expect.objectContaining({ name: 'kme-tls', standing: 'skipped' })]);
  expect(isTrusted).toBe(true);
});
