/** Both or neither: what both sites have saved, held against each other. */
import type { Saved } from './ledger.js';

type Files = ReadonlyMap<string, Saved>;

/** What they disagree about; empty where all is well. */
export function disagreements(atA: Files, atB: Files): string[] {
  const found: string[] = [];
  for (const [keyId, { name }] of atA) {
    const there = atB.get(keyId);
    if (there === undefined) found.push(`split: ${keyId} was saved at A only`);
    else if (numberOf(there) !== numberOf({ name }))
      found.push(`${keyId} is ${name} at A and ${there.name} at B`);
  }
  for (const keyId of atB.keys()) if (!atA.has(keyId)) found.push(`split: ${keyId} was saved at B only`);
  const numbers = [...atA.values()].map(numberOf).sort((one, other) => one - other);
  if (numbers.some((number, at) => number !== at)) {
    found.push(`the numbers have a gap or a repetition: ${numbers.join()}`);
  }
  return found;
}

/** n of `<peer>_<n>`. */
function numberOf({ name }: Pick<Saved, 'name'>): number {
  return Number(name.slice(name.lastIndexOf('_') + 1));
}
