/** Each site saves the same keys in a format of its own. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FORMATS, type Format } from '../../../src/base/format.js';
import type { RunReport } from '../../../src/exchange/outcome.js';
import type { TestSite } from '../../support/site.js';
import { Link } from '../../support/link.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

/** The keys in the files of a peer, each as hex, whatever the format. */
async function keysIn(site: TestSite, peer: TestSite, format: Format): Promise<string[]> {
  const files = await site.bytes(peer);
  return Object.values(files).flatMap((file) => {
    const lines = file.toString('utf8').trimEnd().split('\n');
    switch (format) {
      case 'hex':
        return lines;
      case 'base64':
        return lines.map((line) => Buffer.from(line, 'base64').toString('hex'));
      case 'raw':
        return file.toString('hex').match(/.{64}/g) ?? [];
      case 'json': {
        const { keys } = JSON.parse(file.toString('utf8')) as { keys: { key: string }[] };
        return keys.map(({ key }) => Buffer.from(key, 'base64').toString('hex'));
      }
    }
  });
}

const outcomes = (reports: readonly RunReport[]): string[] => reports.map(({ outcome }) => outcome);

describe.each(FORMATS)('%s at A', (atA) => {
  test.each(FORMATS)('and %s at B: the same keys in the same order', async (atB) => {
    const reports = await link.exchange(
      { terms: { count: 5, format: atA } },
      { terms: { count: 5, format: atB } },
    );
    expect(outcomes(reports)).toEqual(['saved', 'saved']);
    const drawn = [...link.keyStore.made.values()].map((key) => Buffer.from(key).toString('hex'));
    expect(await keysIn(link.a, link.b, atA)).toEqual(drawn);
    expect(await keysIn(link.b, link.a, atB)).toEqual(drawn);
  });
});

test('named by key ID, each site has the extension of its own format', async () => {
  link.keyStore.nextKeyId = () => 'a/1';
  const reports = await link.exchange(
    { terms: { naming: 'key-id', format: 'base64' } },
    { terms: { naming: 'key-id', format: 'json' } },
  );
  expect(outcomes(reports)).toEqual(['saved', 'saved']);
  expect(Object.keys(await link.a.bytes(link.b))).toEqual(['a%2F1.b64']);
  expect(Object.keys(await link.b.bytes(link.a))).toEqual(['a%2F1.json']);
});

test('a name that is too long with the extension of B alone is a no of B, and no file anywhere', async () => {
  link.keyStore.nextKeyId = () => 'k'.repeat(251);
  const [a, b] = await link.exchange(
    { terms: { naming: 'key-id', format: 'hex' } },
    { terms: { naming: 'key-id', format: 'json' } },
  );
  expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-aborted' } });
  expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'storage' } });
  expect(await link.a.bytes(link.b)).toEqual({});
  expect(await link.b.bytes(link.a)).toEqual({});
  expect(await link.a.records(link.b)).toEqual([]);
  expect(await link.b.records(link.a)).toEqual([]);
});

test('a name by number that is too long is refused before a key is drawn', async () => {
  const far = link.site('é'.repeat(64));
  const a = await link.until(link.a.initiate(far, { anyRole: true }).report);
  expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'storage' } });
  expect(link.a.kme.count('getKey')).toBe(0);
});
