import { describe, expect, it } from '@jest/globals';
import { LineCount } from '../../../src/doctor/line-count.js';

function countOf(text: string, pieceBytes = 3): LineCount {
  const lines = new LineCount();
  for (let at = 0; at < text.length; at += pieceBytes) {
    lines.add(Buffer.from(text.slice(at, at + pieceBytes), 'latin1'));
  }
  return lines;
}

describe('the shape of a file', () => {
  it.each([
    ['', 0, '0', true],
    ['abcd\n0123\n', 2, '4', true],
    ['abcd\n012\n', 2, '3 to 4', true],
    ['abcd\n0123', 2, '4', false],
    ['abcd\n\n', 2, '0 to 4', true],
    ['ABCD\n', 1, '4', false],
    ['abcd\r\n', 1, '5', false],
    ['abcg\n', 1, '4', false],
  ])('of %j', (text, count, widths, isHex) => {
    for (const pieceBytes of [1, 3, 100]) {
      const lines = countOf(text, pieceBytes);
      expect({ count: lines.count, widths: lines.widths, isHex: lines.isHex }).toEqual({
        count,
        widths,
        isHex,
      });
    }
  });
});
