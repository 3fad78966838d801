/** What an exchange costs on disk does not depend on how many key files there are, nor on how many there have been. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { QkdSyncError } from '../../../src/base/errors.js';
import { Link } from '../../support/link.js';
import type { TestSite } from '../../support/site.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

/** A file has no more names than this on ext4. */
const NAMES_OF_ONE_FILE = 50_000;

/** Key files 0 to `count` - 1, as cheap as can be. */
function fill(site: TestSite, peer: TestSite, count: number): void {
  const folder = join(site.keys, peer.id);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let first = '';
  for (let n = 0; n < count; n += 1) {
    const path = join(folder, `${peer.id}_${n}`);
    if (n % NAMES_OF_ONE_FILE === 0) writeFileSync((first = path), '');
    else linkSync(first, path);
  }
}

/** How often each kind of operation is done on each path of a site, whatever the numbers and IDs in it. */
type Costs = Readonly<Record<string, number>>;

/** What the exchange costs both sites that comes after so many. */
async function costsAfter(count: number): Promise<Readonly<Record<string, Costs>>> {
  const { a, b } = link;
  fill(a, b, count);
  fill(b, a, count);
  await link.exchange({ index: count });
  const costs: Record<string, Record<string, number>> = { A: {}, B: {} };
  link.observe = (site, name, path) => {
    const place = path
      .slice(join((site === 'A' ? a : b).keys, '..').length + 1)
      .replace(/[0-9a-f]{32}/g, '<id>')
      .replace(/(?<=_|index\/)\d+/g, '<n>');
    const [what, own] = [`${name} ${place}`, costs[site] ?? {}];
    own[what] = (own[what] ?? 0) + 1;
  };
  const [initiator, responder] = await link.exchange();
  expect([initiator.outcome, responder.outcome]).toEqual(['saved', 'saved']);
  expect(initiator.exchange?.index).toBe(count + 1);
  return costs;
}

test('an exchange beside 100,000 key files does what one beside 10 does, and lists none of them', async () => {
  const few = await costsAfter(10);
  await link.remove();
  link = await Link.make();
  const many = await costsAfter(100_000);
  expect(many).toEqual(few);
  for (const [site, peer] of [
    ['A', 'B'],
    ['B', 'A'],
  ] as const) {
    const costs = many[site] ?? {};
    expect(costs[`stat keys/${peer}/${peer}_<n>`]).toBeGreaterThan(0);
    const lists = Object.keys(costs).filter((what) => what.startsWith('list '));
    expect(lists).toContain(`list exchanges/${peer}/index`);
    expect(lists.filter((what) => what.includes('keys'))).toEqual([]);
  }
}, 180_000);

test('records, names and marks do not pile up', async () => {
  const { a, b } = link;
  for (let n = 0; n < 9; n += 1) {
    // Every third one fails at one of the KMEs.
    const { kme } = n % 2 === 0 ? a : b;
    const method = n % 2 === 0 ? 'getKey' : 'getKeyWithKeyIds';
    if (n % 3 === 0) kme.faults.set(method, new QkdSyncError('kme-unreachable', 'down'));
    await link.exchange();
    kme.faults.clear();
  }
  for (const [site, peer, role] of [
    [a, b, 'initiator'],
    [b, a, 'responder'],
  ] as const) {
    const at = (...path: string[]): Promise<string[]> => readdir(join(site.state, ...path));
    expect(Object.keys(await site.files(peer))).toHaveLength(6);
    expect(await at(peer.id, role)).toEqual([]);
    expect(await at(peer.id, 'names')).toEqual([]);
    expect((await at(peer.id, 'index')).sort()).toEqual(['4', '5']);
    expect(await at('.trash')).toEqual([]);
  }
}, 180_000);
