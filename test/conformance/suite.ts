/**
 * All rows of one side: `describeSide` in a file of its own for each, so that they run side by side.
 *
 * The rows are run at first, several at a time, because most of what they do is wait; then each is looked at.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { COUNT, deliveredBy, runRow, type Letter, type RowResult, type SiteEnd } from './bench.js';
import { ROWS, type End, type Row } from './rows.js';

const AT_A_TIME = 12;

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** What this machine can run. */
const RUNNABLE = ROWS.filter(({ settings }) => hasIpv6 || settings?.ipv6 !== true);

/** For a machine that does much else; the rows of one side take about 15 s of one processor. */
const ALL_ROWS_MS = 240_000;

export function describeSide(side: Letter): void {
  const results = new Map<Row, RowResult | Error>();
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'qkd-sync-kmes-'));
    const waiting = [...RUNNABLE];
    const work = async (): Promise<void> => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
        results.set(row, await runRow(dir, row, side).catch(toError));
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }, ALL_ROWS_MS);

  afterAll(() => rm(dir, { recursive: true, force: true }));

  const resultOf = (row: Row): RowResult => {
    const result = results.get(row);
    if (result === undefined || result instanceof Error) throw result ?? new Error('the row was not run');
    return result;
  };

  describe.each(RUNNABLE.map((row) => [nameOf(row), row] as const))('%s', (_, row) => {
    const end = side === 'a' ? row.atA : row.atB;
    it(`ends ${end.a} at A and ${end.b} at B`, () => {
      const { a, b } = resultOf(row);
      const asExpected = a.exit === end.a && b.exit === end.b;
      expect([a.exit, b.exit, ...(asExpected ? [] : [errorsOf(a), errorsOf(b)])]).toEqual([end.a, end.b]);
      if (end.says !== undefined) expect((side === 'a' ? a : b).error?.message).toContain(end.says);
    });

    if (succeeds(end)) {
      it('saves the same file at both sites', () => {
        const { files } = resultOf(row);
        expect(files.a).toHaveLength(1);
        // The files are not shown where they differ: there are keys in them.
        expect(files.b.length === 1 && files.b[0] === files.a[0]).toBe(true);
      });
    } else {
      it('leaves no file and, after the next contact, nothing', () => {
        const { files, recovery, again } = resultOf(row);
        expect([files.a.length, files.b.length]).toEqual([0, 0]);
        expect(recovery).toEqual({ a: 0, b: 0, left: [] });
        if (row.thenWorks === true) expect(again).toEqual({ a: 0, b: 0 });
      });
    }

    it('draws once, and uses the keys or calls them lost', () => {
      const result = resultOf(row);
      const drawn = deliveredBy('enc_keys', result);
      expect(new Set(drawn).size).toBe(drawn.length);
      const { drawsNothing, seemsLost } = end;
      if (drawsNothing === true || seemsLost === true) expect(drawn).toEqual([]);
      const used = succeeds(end) ? COUNT : 0;
      const seeming = seemsLost === true ? COUNT : 0;
      expect(drawn.length).toBe(used + lostOf(result.a) - seeming);
      const fetched = deliveredBy('dec_keys', result);
      expect(new Set(fetched).size).toBe(fetched.length);
    });

    it('asks again where the answer was a no, and nowhere else', () => {
      const { requests } = resultOf(row);
      const call = side === 'a' ? 'enc_keys' : 'dec_keys';
      const tries = requests.filter((seen) => seen.kme === `kme-${side}` && seen.call === call).length;
      const own = side === 'a' ? end.a : end.b;
      if (own === 75 && end.a !== 0) expect(tries).toBeGreaterThan(1);
      if (own === 65 || own === 69) expect(tries).toBeLessThanOrEqual(1);
    });
  });
}

function succeeds(end: End): boolean {
  return end.a === 0 && end.b === 0;
}

/** How many keys of enc_keys the log of this site calls lost. */
function lostOf({ log }: SiteEnd): number {
  return log
    .all('keys-lost')
    .filter(({ fields }) => fields['call'] === 'enc_keys')
    .reduce((sum, { fields }) => sum + Number(fields['keys']), 0);
}

/** For whoever looks for the reason of a failure. */
function errorsOf({ error, log }: SiteEnd): string[] {
  const worst = log.lines.filter(({ level }) => level === 'warn' || level === 'error');
  return [error?.message ?? 'no error', ...worst.map(({ message }) => message)];
}

function nameOf({ dialect, settings = {} }: Row): string {
  const words = Object.entries(settings).map(([name, value]) => `${name} ${String(value)}`);
  return [dialect, ...words].join(', ');
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
