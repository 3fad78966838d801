import { expect, it } from '@jest/globals';
import { findingLines, type Paint } from '../../../src/cli/finding-lines.js';
import { failed, ok, skipped, warning } from '../../../src/doctor/finding.js';

const KME = 'https://kme';
const FINDINGS = [
  ok('kme-dns', KME, 'kme is 192.0.2.1'),
  failed('kme-tls', KME, 'unreachable', { text: 'no TLS', hint: 'check kme.url' }),
  skipped('kme-stock', `${KME} for B`, 'not reached'),
  warning('file-mode', 'kme.key', 'mode 0644\nand more', 'chmod 600'),
];
const PLAIN: Paint = { ok: String, warning: String, failed: String, skipped: String };

it('is aligned, and readable without colours', () => {
  expect(findingLines(FINDINGS, PLAIN)).toEqual([
    'https://kme',
    '  ok       kme-dns    kme is 192.0.2.1',
    '  FAILED   kme-tls    no TLS',
    '                      hint: check kme.url',
    'https://kme for B',
    '  skipped  kme-stock  not reached',
    'kme.key',
    '  WARNING  file-mode  mode 0644',
    '                      and more',
    '                      hint: chmod 600',
    '',
    '1 ok, 1 warning, 1 failed, 1 skipped',
  ]);
});

it('paints how each stands, and nothing else', () => {
  const paint: Paint = { ...PLAIN, failed: (text) => `<${text}>` };
  expect(findingLines(FINDINGS, paint)[2]).toBe('  <FAILED >  kme-tls    no TLS');
});
