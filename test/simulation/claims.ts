/** What each run said of its exchange when it ended, held against what was true then and became true later. */
import type { OutcomeKind, RunReport } from '../../src/exchange/outcome.js';
import type { PublishedFile } from '../../src/store/context.js';
import type { Decrees } from './decrees.js';
import type { Party } from './party.js';
import type { Process } from './process.js';
import { untold } from './untold.js';

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
  readonly #decrees: Decrees;
  readonly #complain: (violation: string) => void;
  readonly #bemoan: (loss: string) => void;

  /**
   * @param bemoan complains of a promise that has not lasted, or will not
   * @param elsewhere somebody runs with another state folder, of which the peer must say that it is a foreign one
   */
  constructor(
    complain: (violation: string) => void,
    bemoan: (loss: string) => void,
    elsewhere: boolean,
    decrees: Decrees,
  ) {
    this.#complain = complain;
    this.#bemoan = bemoan;
    this.#elsewhere = elsewhere;
    this.#decrees = decrees;
  }

  /** One key belongs to one exchange, on both sites. */
  note({ keyIds: [keyId = ''], id }: PublishedFile): void {
    const known = this.#exchanges.get(keyId) ?? id;
    if (known !== id) this.#complain(`${keyId} was published by exchange ${known} and by ${id}`);
    this.#exchanges.set(keyId, id);
  }

  /** At the moment at which the run ends. */
  hear(process: Process, report: RunReport, here: Party, there: Party): void {
    const { exchange, outcome, open, role } = report;
    const by = process.name;
    const { isShaken } = here.host;
    const keyId = exchange?.keyIds[0];
    this.#weighAlarms(by, report, here, there);
    // Only these two surely come of records that could be read.
    if (outcome === 'settled' || outcome === 'saved') {
      for (const name of untold(process, report))
        this.#complain(`${by} says ${outcome}, and nothing of ${name}`);
    }
    if (keyId === undefined) return;
    const claim = { by, outcome, keyId };
    const must = (truth: boolean, what: string): void => {
      if (!truth) this.#complain(`${by} says ${outcome} of ${keyId}, but ${what}`);
    };
    const mustLast = (truth: boolean, where: string): void => {
      if (!truth) this.#bemoan(`${by} says ${outcome} of ${keyId}, but it is not durable ${where}`);
    };
    if (!isShaken || outcome === 'saved' || outcome === 'aborted') this.#claims.push(claim);
    switch (outcome) {
      case 'saved':
        // Who forgets a record in the middle of its run takes away what the run would have seen.
        mustLast(here.ledger.isDurable(keyId) || this.#decrees.isForgotten(keyId), 'here');
        mustLast(there.ledger.isDurable(keyId) || this.#decrees.isForgotten(keyId), 'at the other site');
        return;
      case 'unconfirmed':
        must(here.ledger.saved.has(keyId), 'it is not here');
        mustLast(isShaken || here.ledger.isDurable(keyId), 'here');
        return;
      case 'in-doubt':
        must(role === 'responder', 'the initiator decides');
        // Where the records cannot be trusted any more, it cannot know what another run, of an operator, has done; nor
        // where another run has ended it, and there is no record.
        must(
          isShaken || !open.some(({ id }) => id === exchange?.id) || !here.ledger.saved.has(keyId),
          'it has been saved',
        );
        return;
      case 'aborted':
        if (this.#decrees.concern(keyId)) return;
        must(!here.ledger.saved.has(keyId), 'it has been saved here');
        must(!there.ledger.saved.has(keyId), 'it has been saved at the other site');
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
      if (this.#decrees.concern(keyId)) continue;
      const promised = outcome === 'saved' || outcome === 'unconfirmed' || outcome === 'pending';
      if (promised && !isSaved(keyId))
        this.#bemoan(`${by} said ${outcome} of ${keyId}, but it was never saved`);
      if (outcome === 'aborted' && isSaved(keyId))
        this.#complain(`${by} said aborted of ${keyId}, but it was saved`);
    }
  }

  /** An alarm must have a cause: a foreign state folder, a file of somebody else's, or a decision of an operator. */
  #weighAlarms(by: string, { open, outcome, peerAlarms }: RunReport, here: Party, there: Party): void {
    for (const { id, standing, reason } of open) {
      if (standing !== 'alarm') continue;
      const isDue = reason === 'name-taken' ? here.ledger.hadAlien : this.#decrees.concernExchange(id);
      if (!isDue) this.#complain(`${by} raised an alarm: ${reason ?? ''}`);
    }
    if (outcome !== 'alarm' && peerAlarms === 0) return;
    const known =
      this.#elsewhere || this.#decrees.concernAny || here.ledger.hadAlien || there.ledger.hadAlien;
    if (!known) this.#complain(`${by} raised an alarm`);
  }
}
