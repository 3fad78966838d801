/** What each run said of its exchange when it ended, held against what was true then and became true later. */
import type { OutcomeKind, RunReport } from '../../src/exchange/outcome.js';
import type { PublishedFile } from '../../src/store/context.js';
import type { Ledger } from './ledger.js';

interface Claim {
  readonly by: string;
  readonly outcome: OutcomeKind;
  readonly keyId: string;
}

export class Claims {
  readonly #claims: Claim[] = [];
  /** Exchange IDs by key ID, of what was published anywhere. */
  readonly #exchanges = new Map<string, string>();
  readonly #elsewhere: boolean;
  readonly #complain: (violation: string) => void;

  /** @param elsewhere somebody runs with another state folder, of which the peer must say that it is a foreign one */
  constructor(complain: (violation: string) => void, elsewhere: boolean) {
    this.#complain = complain;
    this.#elsewhere = elsewhere;
  }

  /** One key belongs to one exchange, on both sites. */
  note({ keyIds: [keyId = ''], id }: PublishedFile): void {
    const known = this.#exchanges.get(keyId) ?? id;
    if (known !== id) this.#complain(`${keyId} was published by exchange ${known} and by ${id}`);
    this.#exchanges.set(keyId, id);
  }

  /**
   * At the moment at which the run ends.
   * @param shaken an fsync has failed: what was decided may be taken back by the next start of the machine
   */
  hear(by: string, report: RunReport, here: Ledger, there: Ledger, shaken: boolean): void {
    const { exchange, outcome, role } = report;
    const keyId = exchange?.keyIds[0];
    const wrong = report.open.some(({ standing }) => standing === 'alarm');
    const foreign = outcome === 'alarm' || report.peerAlarms > 0;
    if (wrong || (foreign && !this.#elsewhere)) this.#complain(`${by} raised an alarm`);
    if (keyId === undefined) return;
    const claim = { by, outcome, keyId };
    const must = (truth: boolean, what: string): void => {
      if (!truth) this.#complain(`${by} says ${outcome} of ${keyId}, but ${what}`);
    };
    if (!shaken || outcome === 'saved' || outcome === 'aborted') this.#claims.push(claim);
    switch (outcome) {
      case 'saved':
        must(here.isDurable(keyId), 'it is not durable here');
        must(there.isDurable(keyId), 'it is not durable at the other site');
        return;
      case 'unconfirmed':
        must(here.saved.has(keyId), 'it is not here');
        must(shaken || here.isDurable(keyId), 'it is not durable here');
        return;
      case 'in-doubt':
        must(role === 'responder', 'the initiator decides');
        must(!here.saved.has(keyId), 'it has been saved');
        return;
      case 'aborted':
        must(!here.saved.has(keyId), 'it has been saved here');
        must(!there.saved.has(keyId), 'it has been saved at the other site');
        return;
      case 'pending':
      case 'settled':
      case 'alarm':
        return;
    }
  }

  /** Once all is settled. */
  verify(isSaved: (keyId: string) => boolean): void {
    for (const { by, outcome, keyId } of this.#claims) {
      const promised = outcome === 'saved' || outcome === 'unconfirmed' || outcome === 'pending';
      if (promised && !isSaved(keyId))
        this.#complain(`${by} said ${outcome} of ${keyId}, but it was never saved`);
      if (outcome === 'aborted' && isSaved(keyId))
        this.#complain(`${by} said aborted of ${keyId}, but it was saved`);
    }
  }
}
