import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answeredBy, answerTo, isNonce, nonceFrom } from '../../../src/handshake/nonce.js';

const LARGEST = (2n ** 128n - 1n).toString();
const nonces = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(nonceFrom);

describe('a nonce', () => {
  test('is the big-endian number of its bytes', () => {
    expect(nonceFrom(new Uint8Array(16))).toBe('0');
    expect(nonceFrom(Uint8Array.from([...Array<number>(14).fill(0), 1, 2]))).toBe('258');
    expect(nonceFrom(new Uint8Array(16).fill(0xff))).toBe(LARGEST);
  });

  test('is told from everything else', () => {
    for (const text of ['0', '9', '10', LARGEST]) expect(isNonce(text)).toBe(true);
    const others = [
      '',
      '00',
      '01',
      '-1',
      '+1',
      '1.0',
      '1e3',
      '0x1',
      ' 1',
      '1\n',
      '１',
      (2n ** 128n).toString(),
    ];
    for (const text of [...others, '9'.repeat(39), '1'.repeat(10_000)]) expect(isNonce(text)).toBe(false);
    fc.assert(fc.property(nonces, isNonce));
  });
});

describe('an answer', () => {
  test('is the number + 1 modulo 2^128', () => {
    expect(answerTo('0')).toBe('1');
    expect(answerTo('99')).toBe('100');
    expect(answerTo(LARGEST)).toBe('0');
    expect(answeredBy('0')).toBe(LARGEST);
  });

  test('answers one nonce only', () => {
    fc.assert(
      fc.property(nonces, (nonce) => {
        expect(answeredBy(answerTo(nonce))).toBe(nonce);
        expect(answerTo(nonce)).not.toBe(nonce);
        expect(isNonce(answerTo(nonce))).toBe(true);
      }),
    );
  });
});
