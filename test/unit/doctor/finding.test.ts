import { expect, it } from '@jest/globals';
import { failed, ok, skipped, warning, worstFault, type Fault } from '../../../src/doctor/finding.js';

const failing = (fault: Fault): ReturnType<typeof failed> => failed('kme-tcp', 'kme', fault, { text: 'no' });

it('nothing has failed where there are only warnings', () => {
  const findings = [ok('kme-tcp', 'k', 'x'), warning('kme-stock', 'k', 'x'), skipped('kme-clock', 'k', 'x')];
  expect(worstFault(findings)).toBeUndefined();
});

it('the configuration counts before what cannot be reached, and that before a refusal', () => {
  expect(worstFault([failing('refused')])).toBe('refused');
  expect(worstFault([failing('refused'), failing('unreachable')])).toBe('unreachable');
  expect(worstFault([failing('refused'), failing('unreachable'), failing('configuration')])).toBe(
    'configuration',
  );
});
