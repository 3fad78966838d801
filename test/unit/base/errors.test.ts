import { describe, expect, test } from '@jest/globals';
import { clean } from '../../../src/base/errors.js';

describe('text from outside', () => {
  test.each([
    ['a line break', '\r\n'],
    ['an escape sequence', '\u001b'],
    ['a C1 control character', '\u009b'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['an embedding from right to left', '\u202b'],
    ['the end of an embedding', '\u202c'],
    ['an override from right to left', '\u202e'],
    ['an isolate', '\u2066'],
    ['the end of an isolate', '\u2069'],
    ['a mark of direction', '\u200f'],
    ['an Arabic mark of direction', '\u061c'],
    ['a space of no width', '\u200b'],
    ['a joiner of no width', '\u200d'],
    ['a word joiner', '\u2060'],
    ['a byte order mark', '\ufeff'],
    ['a soft hyphen', '\u00ad'],
    ['a tag, which no terminal shows', '\u{e0041}'],
    ['a selector of a variant', '\ufe0e'],
    ['a supplementary selector of a variant', '\u{e0101}'],
    ['a filler of Hangul', '\u3164'],
    ['a joiner of graphemes', '\u034f'],
  ])('%s becomes a space', (_what, character) => {
    expect(clean(`kme${character}${character}.example`)).toBe('kme .example');
    expect(clean(`${character}kme${character}`)).toBe('kme');
  });

  test('letters of all scripts stay', () => {
    const text = 'Schlüssel 鍵 مفتاح 🔑';
    expect(clean(text)).toBe(text);
  });

  test('is cut at the limit', () => {
    expect(clean('abcdef', 3)).toBe('abc…');
    expect(clean('abc', 3)).toBe('abc');
  });
});
