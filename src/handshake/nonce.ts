/** alpha and beta: 128-bit random numbers as decimal strings; the answer to one is the number + 1 modulo 2^128. */

const MODULUS = 2n ** 128n;

/** A nonce out of 16 random bytes. */
export function nonceFrom(bytes: Uint8Array): string {
  return bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n).toString();
}

/** Whether `text` is a number from 0 to 2^128 - 1 in the one way to write it. */
export function isNonce(text: string): boolean {
  return /^(0|[1-9]\d{0,38})$/.test(text) && BigInt(text) < MODULUS;
}

/** The number that shows that its sender has read `nonce`. */
export function answerTo(nonce: string): string {
  return ((BigInt(nonce) + 1n) % MODULUS).toString();
}

/** The nonce that `answer` answers. */
export function answeredBy(answer: string): string {
  return ((BigInt(answer) + MODULUS - 1n) % MODULUS).toString();
}
