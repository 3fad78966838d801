import { describe, expect, test } from '@jest/globals';
import { carriesName, certificateNames, peerNamed } from '../../../src/peer/certificate-names.js';

const subject = (CN: string): { C: string; ST: string; L: string; O: string; OU: string; CN: string } => ({
  C: '',
  ST: '',
  L: '',
  O: '',
  OU: '',
  CN,
});

describe('certificateNames', () => {
  test('takes DNS names and the common name, nothing else', () => {
    expect(
      certificateNames({
        subject: subject('Site B'),
        subjectaltname: 'DNS:b.example, IP Address:192.0.2.1, URI:urn:x, DNS:B',
      }),
    ).toEqual(['b.example', 'B', 'Site B']);
  });

  test('does not let one quoted name pass for two', () => {
    expect(certificateNames({ subjectaltname: 'DNS:"evil, DNS:A", DNS:c' })).toEqual(['evil, DNS:A', 'c']);
    expect(certificateNames({ subjectaltname: String.raw`DNS:"x\"", DNS:A\"` })).toEqual([
      'x"',
      String.raw`A\ `.trim(),
    ]);
    expect(certificateNames({ subjectaltname: 'URI:"urn:x, DNS:A"' })).toEqual([]);
  });

  test('takes all of several common names', () => {
    const several = JSON.parse('{"CN":["A","B"]}') as ReturnType<typeof subject>;
    expect(certificateNames({ subject: several })).toEqual(['A', 'B']);
  });

  test('finds none in an empty certificate', () => {
    expect(certificateNames({})).toEqual([]);
  });
});

describe('carriesName', () => {
  test('is exact but for case', () => {
    expect(carriesName(['Site-B'], 'sITE-b')).toBe(true);
    expect(carriesName(['Site-B'], 'Site-B2')).toBe(false);
  });

  test('knows no wildcards, on either side', () => {
    expect(carriesName(['*.example'], 'b.example')).toBe(false);
    expect(carriesName(['b.example'], '.example')).toBe(false);
    expect(carriesName(['b.example'], '*.example')).toBe(false);
  });
});

describe('peerNamed', () => {
  const peers = [
    { site: 'A', name: 'a.example' },
    { site: 'C', name: 'c.example' },
  ];

  test('finds the one peer', () => {
    expect(peerNamed(['C.EXAMPLE', 'other'], peers)?.site).toBe('C');
  });

  test('is nobody for a stranger, and for a certificate of two peers', () => {
    expect(peerNamed(['A'], peers)).toBeUndefined();
    expect(peerNamed(['a.example', 'c.example'], peers)).toBeUndefined();
  });
});
