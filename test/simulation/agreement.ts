/** Both or neither: what both sites have saved, held against each other. */
import type { Circumstances } from './circumstances.js';
import type { Decrees } from './decrees.js';
import type { Saved } from './ledger.js';

type Files = ReadonlyMap<string, Saved>;

/** What they disagree about; empty where all is well. */
export function disagreements(
  atA: Files,
  atB: Files,
  { naming, jump }: Circumstances,
  decrees: Decrees,
): string[] {
  const found: string[] = [];
  const alone = (here: Files, site: string, there: Files): void => {
    for (const keyId of here.keys()) {
      if (there.has(keyId) || decrees.allowsAlone(keyId, site)) continue;
      found.push(`split: ${keyId} was saved at ${site} only`);
    }
  };
  alone(atA, 'A', atB);
  alone(atB, 'B', atA);
  for (const [keyId, { name }] of atA) {
    const there = atB.get(keyId)?.name ?? partner(name);
    if (there !== partner(name)) found.push(`${keyId} is ${name} at A and ${there} at B`);
  }
  if (naming === 'key-id') {
    for (const [keyId, { name }] of [...atA, ...atB]) {
      if (name !== `${keyId}.hex`) found.push(`${keyId} is ${name}`);
    }
    return found;
  }
  for (const files of [atA, atB]) {
    const names = [...files.values()].map(({ name }) => name);
    if (new Set(names).size < names.length) found.push(`a number is repeated: ${names.join()}`);
  }
  const numbers = new Set([...atA.values(), ...atB.values()].map(numberOf));
  const taken = [...new Set([...numbers, ...decrees.forgottenNumbers()])].sort((one, other) => one - other);
  // Only a number that both sites were told to go on from may be jumped to.
  const goal = jump?.sites.length === 2 ? jump.number : -1;
  if (taken.some((number, at) => number !== (at === 0 ? 0 : (taken[at - 1] ?? 0) + 1) && number !== goal)) {
    found.push(`the numbers have a gap: ${taken.join()}`);
  }
  return found;
}

/** The name that the same file has at B: `B_3` at A is `A_3` there; a name by key ID is the same at both. */
function partner(nameAtA: string): string {
  return nameAtA.replace(/^B_(?=\d+$)/, 'A_');
}

/** n of `<peer>_<n>`. */
function numberOf({ name }: Pick<Saved, 'name'>): number {
  return Number(name.slice(name.lastIndexOf('_') + 1));
}
