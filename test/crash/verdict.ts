/**
 * What an exit code claims (docs/operations.md), and whether the disks agree: about this run's own exchange, and, whatever
 * the run was about, about what is open at its site.
 *
 * Calling sequence: `Claims.note` when a process has ended, while the disks are as it left them; `Claims.settle` at
 * the end, when it is known whether the exchange came to files on both sites.
 */
import type { CliEnd } from '../support/cli-process.js';
import type { OpenRecord } from './open-records.js';
import type { Side } from './site.js';

/** How a run's own exchange must come out in the end. */
type Fate = 'saved' | 'none' | 'open';

interface Claim {
  readonly who: string;
  readonly code: number;
  readonly fate: Fate;
}

/** Codes that say that there is no key file here of this run's exchange, and never will be. */
const NONE_CODES = new Set([64, 65, 69, 74, 75, 76, 77, 78, 130]);

/** Codes that say that such a record is open here. */
const OPEN_CODES: ReadonlyMap<number, readonly OpenRecord[]> = new Map([
  [10, ['published', 'done']],
  [11, ['voted']],
  // The file may be there, and not surely so.
  [14, ['decided', 'published']],
]);

export interface Seen {
  /** Whether the run's own exchange has its file here, and at the peer. */
  readonly here: boolean;
  readonly there: boolean;
  /** An fsync of a decision failed: what can be seen here may not last. */
  readonly suspect: boolean;
  /** What is open here. */
  readonly open: readonly OpenRecord[];
}

export class Claims {
  readonly #claims: Claim[] = [];
  readonly #untrue: string[] = [];

  get untrue(): readonly string[] {
    return this.#untrue;
  }

  /** @param own whether this run could have an exchange of its own that is not settled already */
  note(who: `${Side} ${string}`, end: CliEnd, own: boolean, seen: Seen): void {
    const { code } = end;
    const lie = (why: string): void => {
      this.#untrue.push(`${who} ended with ${code}, but ${why}`);
    };
    if (typeof code === 'string') {
      lie('should have ended by itself');
      return;
    }
    if (code === 70) lie(`that is a bug:\n${end.stderr}`);
    if (code === 13) lie('a single fault is no reason for an alarm');
    if (code === 0 && seen.open.length > 0) lie(`open here: ${seen.open.join()}`);
    // A vote that another run of the site has ended: what it says is that it does not know.
    const isEndedElsewhere = code === 11 && end.stderr.includes('another run of this site has ended');
    const kinds = isEndedElsewhere ? undefined : OPEN_CODES.get(code);
    if (kinds?.some((kind) => seen.open.includes(kind)) === false && !seen.suspect)
      lie(`none is ${kinds.join(' or ')} here: ${seen.open.join() || 'nothing is open'}`);
    if (!own) return;
    const saying = (fate: Fate): void => {
      this.#claims.push({ who, code, fate });
    };
    if (code === 0) {
      if (!seen.here || !seen.there) lie(`here: ${String(seen.here)}, at the peer: ${String(seen.there)}`);
      saying('saved');
    } else if (code === 10) {
      if (!seen.here) lie('it is not saved here');
      saying('saved');
    } else if (code === 14) {
      if (seen.here && !seen.suspect) lie('it is saved here');
      saying('saved');
    } else if (code === 11) {
      if (seen.here && !seen.suspect && !isEndedElsewhere) lie('it is saved here');
      saying('open');
    } else if (NONE_CODES.has(code)) {
      if (seen.here && !seen.suspect) lie('it is saved here');
      saying('none');
    }
  }

  /** @param saved whether the exchange came to files on both sites */
  settle(saved: boolean): void {
    for (const { who, code, fate } of this.#claims) {
      if ((fate === 'saved' && !saved) || (fate === 'none' && saved)) {
        this.#untrue.push(`${who} ended with ${code}, but in the end it is ${saved ? 'saved' : 'nowhere'}`);
      }
    }
  }
}
