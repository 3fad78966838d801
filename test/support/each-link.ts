/** A pair of sites for each test of a file, that leaves nothing behind. */
import { afterEach, beforeEach, expect } from '@jest/globals';
import { Link } from './link.js';

/** @param take is given the pair right before each test; after it no lock may be held and no timer be left */
export function eachLink(take: (link: Link) => void): void {
  let link: Link;
  beforeEach(async () => {
    link = await Link.make();
    take(link);
  });
  afterEach(async () => {
    expect(link.locks.held.size).toBe(0);
    expect(link.clock.pending).toBe(0);
    await link.remove();
  });
}
