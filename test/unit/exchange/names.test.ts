import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import { Link } from '../../support/link.js';
import { SOUND_WIRE } from '../../support/memory-network.js';

let link: Link;
beforeEach(async () => {
  link = await Link.make();
});
afterEach(() => link.remove());

/** Each key of the store, as the hex file has it. */
const madeKeys = (): string[] =>
  [...link.keyStore.made.values()].map((key) => `${Buffer.from(key).toString('hex')}\n`);

describe('numbers', () => {
  test('that differ are refused, with the number that brings both sites together', async () => {
    await link.exchange();
    const [a, b] = await link.exchange({ index: 7 }, {});
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'disagreement' } });
    expect(a.error?.message).toContain('--index 7 on both sites');
    expect(b.error?.code).toBe('disagreement');
    expect(link.a.kme.count('getKey')).toBe(1);
  });

  test('are brought together by --index on both sites', async () => {
    const [a, b] = await link.exchange({ index: 7 });
    expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
    const [next] = await link.exchange();
    expect(next.exchange?.index).toBe(8);
    expect(Object.keys(await link.b.files(link.a)).sort()).toEqual(['A_7', 'A_8']);
  });

  test('that are in the past are a wrong flag', async () => {
    await link.exchange();
    const [a] = await link.exchange({ index: 0 }, {});
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'usage' } });
    expect(link.a.kme.count('getKey')).toBe(1);
  });

  test('--index at a serving responder does not stand in the way of the exchanges after the first', async () => {
    const answering = link.b.respond([link.a], { index: 3, serve: true });
    const first = await link.until(link.a.initiate(link.b, { index: 3 }).report);
    const second = await link.until(link.a.initiate(link.b).report);
    answering.interrupt();
    await link.until(answering.report);
    expect([first.exchange?.index, second.exchange?.index]).toEqual([3, 4]);
    expect([first.outcome, second.outcome]).toEqual(['saved', 'saved']);
  });
});

describe('names', () => {
  const put = async (folder: string, name: string): Promise<void> => {
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/${name}`, 'alien');
  };

  test('taken at A: no key is drawn', async () => {
    await put(`${link.a.keys}/B`, 'B_0');
    const [a] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'name-taken' } });
    expect(link.a.kme.count('getKey')).toBe(0);
    expect(await link.a.files(link.b)).toEqual({ B_0: 'alien' });
    expect(await link.b.files(link.a)).toEqual({});
  });

  test('taken at B: no key is drawn', async () => {
    await put(`${link.b.keys}/A`, 'A_0');
    const [a, b] = await link.exchange();
    expect(a).toMatchObject({ outcome: 'aborted', error: { code: 'peer-aborted' } });
    expect(b).toMatchObject({ outcome: 'aborted', error: { code: 'name-taken' } });
    expect(link.a.kme.count('getKey')).toBe(0);
    expect(await link.a.files(link.b)).toEqual({});
    expect(await link.b.files(link.a)).toEqual({ A_0: 'alien' });
  });

  test('taken at B while the handshake goes on, after its decision: alarm, nothing is overwritten', async () => {
    link.network.wire = ({ type }) => {
      if (type === 'SYN_ACK') {
        mkdirSync(`${link.b.keys}/A`, { recursive: true });
        writeFileSync(`${link.b.keys}/A/A_0`, 'alien');
      }
      return 'deliver';
    };
    const [a, b] = await link.exchange();
    expect(b).toMatchObject({ outcome: 'alarm' });
    expect(a).toMatchObject({ outcome: 'unconfirmed' });
    expect(await link.b.files(link.a)).toEqual({ A_0: 'alien' });
    expect(await link.a.files(link.b)).toEqual({ B_0: madeKeys()[0] });
    expect(await link.b.records(link.a)).toEqual(['names/A_0', 'responder/committed']);
  });

  test.each(['A', 'B'] as const)(
    'taken at %s after the decision: each contact says 13 at both sites until the name is free',
    async (letter) => {
      const [victim, alien] =
        letter === 'A' ? [link.a, `${link.a.keys}/B/B_0`] : [link.b, `${link.b.keys}/A/A_0`];
      const late = letter === 'A' ? 'FIN' : 'SYN_ACK';
      link.network.wire = ({ type }) => {
        if (type === late) {
          mkdirSync(dirname(alien), { recursive: true });
          writeFileSync(alien, 'alien');
        }
        return 'deliver';
      };
      await link.exchange();
      link.network.wire = SOUND_WIRE;

      for (let contact = 1; contact <= 2; contact += 1) {
        const reports = await link.recover();
        expect(reports.map(exitCodeOf)).toEqual([13, 13]);
      }
      const [a, b] = await link.exchange();
      expect([a, b]).toMatchObject([
        { outcome: 'saved', exchange: { index: 1 } },
        { outcome: 'saved', exchange: { index: 1 } },
      ]);
      expect([a, b].map(exitCodeOf)).toEqual([13, 13]);

      const whose = victim === link.a ? link.b : link.a;
      expect(Object.keys(await victim.files(whose)).length).toBe(2);
      rmSync(alien);
      const freed = await link.recover();
      expect(freed.map(exitCodeOf)).toEqual([0, 0]);
      expect(Object.values(await link.a.files(link.b))).toEqual(Object.values(await link.b.files(link.a)));
      expect(await link.a.records(link.b)).toEqual([]);
      expect(await link.b.records(link.a)).toEqual([]);
    },
  );
});
