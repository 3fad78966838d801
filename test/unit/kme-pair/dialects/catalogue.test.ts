import { describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../../src/base/errors.js';
import { DIALECTS, parseDialectPair } from '../../../../src/kme-pair/dialects/catalogue.js';
import { TOPICS } from '../../../../src/kme-pair/dialects/dialect.js';

const namesOf = (text: string): string[][] =>
  parseDialectPair(text).map((dialects) => dialects.map(({ name }) => name));

describe('the catalogue', () => {
  it('has a name of its own and one sentence for each dialect, in the order of the topics', () => {
    expect(new Set(DIALECTS.map(({ name }) => name)).size).toBe(DIALECTS.length);
    for (const { name, does } of DIALECTS) {
      expect(name).toMatch(/^[a-z0-9.-]+$/);
      expect(does).toMatch(/^[a-z].*[^.]$/);
    }
    const topics = DIALECTS.map(({ topic }) => TOPICS.indexOf(topic));
    expect(topics).toEqual(topics.toSorted((one, other) => one - other));
    expect(new Set(topics).size).toBe(TOPICS.length);
  });
});

describe('parseDialectPair', () => {
  it.each([
    ['standard', [[], []]],
    ['get-only', [['get-only'], ['get-only']]],
    ['get-only,standard', [['get-only'], []]],
    ['standard,dry-503+error-html', [[], ['dry-503', 'error-html']]],
  ])('takes %s', (text, names) => {
    expect(namesOf(text)).toEqual(names);
  });

  it.each(['', 'nosuch', 'get-only,nosuch', 'get-only+', 'a,b,c', 'get-only+standard', 'get-only,'])(
    'refuses %j',
    (text) => {
      expect(() => parseDialectPair(text)).toThrow(QkdSyncError);
    },
  );

  it('lists what there is', () => {
    expect(() => parseDialectPair('nosuch')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: '--dialect: there is no dialect nosuch',
        hint: `choose among standard, ${DIALECTS.map(({ name }) => name).join(', ')}`,
      }),
    );
  });
});
