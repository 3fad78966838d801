import { describe, expect, it } from '@jest/globals';
import { examineKmeClock } from '../../../src/doctor/kme-clock.js';
import { HTTP_OK } from '../../support/doctor-ports.js';

const KME = new URL('https://kme.example');
const NOON = Date.parse('2026-11-25T12:00:00Z');
const DATE = new Date(NOON).toUTCString();

describe("the KME's clock", () => {
  it.each([
    // The header says 12:00:00, which is any time up to 12:00:01.
    ['in the same second', 0, 100, 'ok', 'the clocks agree'],
    ['at the end of that second', 990, 1_000, 'ok', 'the clocks agree'],
    ['while the answer took long', -5_000, 5_000, 'ok', 'the clocks agree'],
    ['a little ahead', -1_600, -1_500, 'ok', "the KME's clock is 1.5 s ahead of ours"],
    ['a little behind', 2_900, 3_000, 'ok', "the KME's clock is 1.9 s behind ours"],
    ['far ahead', -60_100, -60_000, 'warning', "the KME's clock is 1 min ahead of ours"],
    ['far behind', 4_000, 4_100, 'warning', "the KME's clock is 3 s behind ours"],
  ])('%s', (_, askedAfterMs, answeredAfterMs, standing, text) => {
    const times = { askedAt: NOON + askedAfterMs, answeredAt: NOON + answeredAfterMs };
    expect(examineKmeClock(KME, { ...HTTP_OK, date: DATE, ...times })).toMatchObject({ standing, text });
  });

  it.each([
    [undefined, 'the KME has not answered'],
    [HTTP_OK, 'the answer bears no Date'],
    [{ ...HTTP_OK, date: 'noon\u0007' }, "the answer's Date is unreadable: noon"],
  ])('is not known from %j', (http, text) => {
    expect(examineKmeClock(KME, http)).toMatchObject({ standing: 'skipped', text });
  });
});
