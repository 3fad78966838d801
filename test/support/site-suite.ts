/**
 * What every file of end-to-end tests shares: one KME pair, and two new sites for each test.
 *
 * Calling sequence: `siteSuite` once in a file, then `make` in each test. After each test all processes are gone, the
 * folders too, and nothing that was said may have shown a key.
 */
import { afterAll, afterEach, beforeAll, expect, jest } from '@jest/globals';
import { TwoSites, type SitesOptions } from './cli-site.js';
import { KmeBench } from './kme-bench.js';

/** For a machine that does much else. */
const TEST_MS = 90_000;

export interface SiteSuite {
  readonly bench: () => KmeBench;
  readonly make: (options?: SitesOptions | ((bench: KmeBench) => SitesOptions)) => Promise<TwoSites>;
  /** Something else to be ended after this test, before the sites. */
  readonly alsoClose: (close: () => Promise<void>) => void;
}

export function siteSuite(): SiteSuite {
  jest.setTimeout(TEST_MS);
  let bench: KmeBench | undefined;
  const closers: (() => Promise<void>)[] = [];
  const theBench = (): KmeBench => {
    if (bench === undefined) throw new Error('the KME pair has not been started');
    return bench;
  };

  beforeAll(async () => {
    bench = await KmeBench.start();
  });

  afterAll(() => bench?.close());

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  return {
    bench: theBench,
    make: async (options = {}) => {
      const sites = await TwoSites.make(
        theBench(),
        typeof options === 'function' ? options(theBench()) : options,
      );
      closers.unshift(async () => {
        expect(await sites.close()).toEqual([]);
      });
      return sites;
    },
    alsoClose: (close) => closers.push(close),
  };
}
