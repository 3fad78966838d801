/** What a run says of its exchange, held against what lies on the disk. */
import { expect } from '@jest/globals';
import type { RunReport } from '../../src/exchange/outcome.js';
import type { Link } from './link.js';
import type { TestSite } from './site.js';

/** The report is true of the files and records of `site`, as they are now. */
export async function expectTrue(report: RunReport, site: TestSite, peer: TestSite): Promise<void> {
  const { outcome, exchange, role } = report;
  if (exchange === undefined) {
    expect(['aborted', 'settled']).toContain(outcome);
    return;
  }
  const isThere = exchange.name in (await site.files(peer));
  const records = await site.records(peer);
  switch (outcome) {
    case 'saved':
      expect({ isThere, records }).toEqual({ isThere: true, records: [] });
      break;
    case 'unconfirmed':
      expect({ isThere, records }).toMatchObject({ isThere: true });
      expect(records).toContain(role === 'initiator' ? 'initiator/committed' : 'responder/done');
      break;
    case 'in-doubt':
      expect(isThere).toBe(false);
      expect(records).toContain('responder/staged');
      break;
    case 'pending':
      expect(isThere).toBe(false);
      expect(records).toContain(`${role}/committed`);
      break;
    case 'aborted':
      expect({ isThere, records }).toEqual({ isThere: false, records: [] });
      break;
    case 'alarm':
    case 'settled':
      expect(outcome).not.toBe('settled');
      break;
  }
}

/** Both sites have the same key files, nothing is open, and both count on from the same number. */
export async function expectSettled({ a, b }: Pick<Link, 'a' | 'b'>): Promise<void> {
  const atA = Object.values(await a.files(b)).sort();
  const atB = Object.values(await b.files(a)).sort();
  expect(atB).toEqual(atA);
  expect(await a.records(b)).toEqual([]);
  expect(await b.records(a)).toEqual([]);
  expect(await b.store().nextIndex(a.id)).toBe(await a.store().nextIndex(b.id));
}
