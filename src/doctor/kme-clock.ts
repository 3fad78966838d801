/** How far the KME's clock and ours are apart, by the `Date` of one answer. */
import { formatDuration } from '../base/duration.js';
import { clean } from '../base/errors.js';
import { ok, skipped, warning, type Finding } from './finding.js';
import type { HttpSight } from './ports.js';
import { nameOf } from './reach.js';

/** Certificates and logs are what clocks are for here: nothing depends on less. */
const TOLERATED_MS = 2_000;

/** The header has whole seconds, rounded down. */
const GRAIN_MS = 1_000;

export function examineKmeClock(url: URL, http: HttpSight | undefined): Finding {
  const [name, about] = ['kme-clock', nameOf(url)] as const;
  if (http === undefined) return skipped(name, about, 'the KME has not answered');
  const { date, askedAt, answeredAt } = http;
  if (date === undefined) return skipped(name, about, 'the answer bears no Date');
  const shown = Date.parse(date);
  if (Number.isNaN(shown)) return skipped(name, about, `the answer's Date is unreadable: ${clean(date, 40)}`);
  // The KME wrote it at some time between the question and the answer: within that nobody can tell.
  const ahead = Math.max(0, shown - answeredAt);
  const behind = Math.max(0, askedAt - (shown + GRAIN_MS));
  const apart = Math.max(ahead, behind);
  if (apart === 0) return ok(name, about, 'the clocks agree');
  const text = `the KME's clock is ${formatDuration(apart)} ${ahead > 0 ? 'ahead of' : 'behind'} ours`;
  if (apart <= TOLERATED_MS) return ok(name, about, text);
  return warning(name, about, text, 'have both machines set their clocks by NTP');
}
