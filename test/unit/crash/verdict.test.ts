/** Which exit codes the crash tests take for a lie. */
import { expect, test } from '@jest/globals';
import { Claims, type Seen } from '../../crash/verdict.js';

const SEEN: Seen = { here: false, there: false, suspect: false, open: [] };

/** Of a run without an exchange of its own. */
function lies(code: number, seen: Partial<Seen>): boolean {
  const claims = new Claims();
  const end = { code, stdout: '', stderr: '' };
  claims.note('A recover', end, false, { ...SEEN, ...seen });
  return claims.untrue.length > 0;
}

test('0 says that nothing is open', () => {
  expect(lies(0, {})).toBe(false);
  for (const open of ['voted', 'decided', 'published', 'done'] as const)
    expect(lies(0, { open: [open] })).toBe(true);
});

test.each([
  [10, ['published', 'done'], ['voted', 'decided']],
  [11, ['voted'], ['published', 'done', 'decided']],
  [14, ['decided', 'published'], ['voted', 'done']],
] as const)('%d says that there is one of its kind', (code, kinds, others) => {
  expect(lies(code, {})).toBe(true);
  expect(lies(code, { open: [...others] })).toBe(true);
  for (const kind of kinds) expect(lies(code, { open: [...others, kind] })).toBe(false);
});

test('after a failed fsync nobody knows what is open', () => {
  for (const code of [10, 11, 14]) expect(lies(code, { suspect: true })).toBe(false);
  expect(lies(0, { suspect: true, open: ['voted'] })).toBe(true);
});

test('an error says nothing of what is open', () => {
  expect(lies(69, { open: ['voted'] })).toBe(false);
});
