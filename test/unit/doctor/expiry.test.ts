import { beforeAll, describe, expect, it } from '@jest/globals';
import { certificatesIn, examineExpiry, type Certificates } from '../../../src/doctor/expiry.js';
import { makeTestCa } from '../../support/certificates.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');

/** PEM texts of certificates that are valid for so many days. */
const pem = new Map<number, string>();

beforeAll(async () => {
  const ca = await makeTestCa('CA');
  for (const days of [10, 100]) {
    const dates = { notBefore: new Date(START), notAfter: new Date(START + days * DAY_MS) };
    pem.set(days, (await ca.issue({ commonName: `for ${days} days`, ...dates })).cert);
  }
});

function examine(days: readonly number[], atDay: number, isChoice = false): ReturnType<typeof examineExpiry> {
  const text = days.map((one) => pem.get(one)).join('\n');
  const certificates: Certificates = {
    about: 'kme.cert',
    fault: 'configuration',
    isChoice,
    all: certificatesIn(text),
  };
  return examineExpiry(certificates, START + atDay * DAY_MS);
}

describe('a certificate', () => {
  it.each([
    [69.9, 'ok', 'valid until 2026-04-11'],
    [70.1, 'warning', 'expires in 29 days, on 2026-04-11'],
    [98.5, 'warning', 'expires in 1 day, on 2026-04-11'],
    [100, 'failed', 'expired on 2026-04-11'],
    [-1, 'failed', 'not valid before 2026-01-01'],
  ])('of 100 days is at day %d: "%s"', (day, standing, text) => {
    expect(examine([100], day)).toMatchObject({
      name: 'certificate-expiry',
      about: 'kme.cert',
      standing,
      text,
    });
  });

  it('that has expired is a fault of the kind that was said', () => {
    expect(examine([10], 11)).toMatchObject({ fault: 'configuration', hint: 'have it renewed' });
  });
});

describe('several certificates', () => {
  it('are as good as the worst, where all are needed', () => {
    expect(examine([100, 10], 11)).toMatchObject({ standing: 'failed', text: 'expired on 2026-01-11' });
  });

  it('are as good as the best, where any will do', () => {
    expect(examine([10, 100], 11, true)).toMatchObject({ standing: 'ok', text: 'valid until 2026-04-11' });
  });
});
