/** Randomness as a parameter, so that the simulator can repeat it. */
import { randomBytes } from 'node:crypto';

/** `count` bytes from a cryptographically strong source. */
export type Random = (count: number) => Uint8Array;

export const systemRandom: Random = (count) => randomBytes(count);

/** 128 random bits as 32 lower-case hex characters: exchange IDs, state IDs, temporary names. */
export function randomId(random: Random): string {
  return Buffer.from(random(16)).toString('hex');
}
