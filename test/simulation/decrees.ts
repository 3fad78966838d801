/**
 * What operators have decided, and what follows from it for the question of both or neither: a decision about a vote
 * may go against the initiator's, and a record that was forgotten answers nobody any more. Nothing else is excused, and a
 * decision that agrees with the initiator's least of all.
 */
import { QkdSyncError } from '../../src/base/errors.js';
import type { KnownExchange } from '../../src/exchange/resolve.js';
import { createLayout } from '../../src/store/layout.js';
import type { Choice } from '../../src/store/resolution.js';
import type { Party } from './party.js';
import type { Process } from './process.js';

interface Decree {
  readonly by: Process;
  readonly at: Party;
  readonly peer: Party;
  readonly known: KnownExchange;
  readonly choice: Choice;
  readonly keyId: string;
  /** The operator was told that it has been done. */
  carriedOut: boolean;
}

export class Decrees {
  readonly #complain: (violation: string) => void;
  readonly #all: Decree[] = [];

  constructor(complain: (violation: string) => void) {
    this.#complain = complain;
  }

  get any(): boolean {
    return this.#all.length > 0;
  }

  /** From now on it may be carried out. Answers who is to hear of its end. */
  confirm(
    by: Process,
    at: Party,
    peer: Party,
    choice: Choice,
    known: KnownExchange,
  ): (end: KnownExchange | Error | undefined) => void {
    const keyId = known.file?.keyIds[0] ?? '';
    const decree = { by, at, peer, known, choice, keyId, carriedOut: false };
    this.#all.push(decree);
    return (end) => {
      this.#hear(decree, end);
    };
  }

  /** Whether somebody has decided about this exchange so that the two sites may differ, or a promise not be kept. */
  concern(keyId: string): boolean {
    return this.#of(keyId).some(mayDiffer);
  }

  get concernAny(): boolean {
    return this.#all.some(mayDiffer);
  }

  concernExchange(id: string): boolean {
    return this.#all.some((decree) => decree.known.id === id && mayDiffer(decree));
  }

  isForgotten(keyId: string): boolean {
    return this.#of(keyId).some((decree) => decree.choice === 'forget' && hasWorked(decree));
  }

  /** Whether the key may be saved at this site and not at the other one. */
  allowsAlone(keyId: string, site: string): boolean {
    return this.#of(keyId).some((decree) => {
      const { choice, at } = decree;
      if (choice === 'forget') return hasWorked(decree);
      return mayDiffer(decree) && (choice === 'commit') === (at.host.id === site);
    });
  }

  /** The numbers of records that were forgotten: they are never used again, whether there is a file or not. */
  forgottenNumbers(): number[] {
    return this.#all.flatMap(({ choice, known }) => {
      const [, number] = /_(\d+)$/.exec(known.file?.name ?? '') ?? [];
      return choice === 'forget' && number !== undefined ? [Number(number)] : [];
    });
  }

  /** Once all is settled: what was decided has been done and written down, and both last. */
  verify(): void {
    for (const { at, choice, keyId, known, carriedOut } of this.#all) {
      if (!carriedOut) continue;
      const isSaved = at.ledger.saved.has(keyId);
      if (choice === 'abort' && isSaved) this.#say(at, `${keyId} was aborted by an operator and saved`);
      if (choice === 'commit' && !isSaved && !this.isForgotten(keyId))
        this.#say(at, `${keyId} was committed by an operator and not saved`);
      const notes = at.host.disk.list(`${at.host.state}/${known.peer}/resolutions`);
      if (!Array.isArray(notes) || !notes.some((name) => name.startsWith(`${known.id}-${choice}-`)))
        this.#say(at, `nothing tells that an operator has decided to ${choice} ${keyId}`);
    }
  }

  #hear(decree: Decree, end: KnownExchange | Error | undefined): void {
    const { at, choice, keyId } = decree;
    if (end instanceof Error) {
      if (!(end instanceof QkdSyncError)) this.#say(at, `an operator met a bug: ${String(end.stack)}`);
      return;
    }
    // What was decided on a disk that has failed may be taken back by the next start of the machine.
    if (at.host.isShaken) return;
    decree.carriedOut = true;
    if (choice === 'forget' && end !== undefined) this.#say(at, `${keyId} was forgotten and is ${end.state}`);
    if (choice === 'abort' && at.ledger.saved.has(keyId))
      this.#say(at, `${keyId} was aborted by an operator and has been saved`);
    const isExcused = end?.alarm === 'name-taken' || this.isForgotten(keyId);
    if (choice === 'commit' && !isExcused && !at.ledger.isDurable(keyId))
      this.#say(at, `${keyId} was committed by an operator and is not durable`);
  }

  #of(keyId: string): Decree[] {
    return this.#all.filter((decree) => decree.keyId === keyId);
  }

  #say({ host }: Party, violation: string): void {
    this.#complain(`${host.id}: ${violation}`);
  }
}

/** An initiator's operator can only do what the initiator itself would do, but for what he forgets. */
function mayDiffer(decree: Decree): boolean {
  const { choice, known } = decree;
  if (choice === 'forget') return hasWorked(decree);
  return known.role === 'responder' && known.state === 'staged' && hasWorked(decree) && !isAgreed(decree);
}

/**
 * Whether the initiator has decided the same. It saves what it has committed for good; a commit that is not durable may
 * still become an abort, so that one which was never made is all that shows an abort.
 */
function isAgreed({ peer: { host, ledger }, at, choice, known, keyId }: Decree): boolean {
  if (choice === 'commit') return ledger.saved.has(keyId);
  const committed = [host.state, host.otherState].map((state) =>
    createLayout(state, host.keys).record(at.host.id, 'initiator', known.id, 'committed'),
  );
  return !committed.some((path) => host.moved.has(path) || host.disk.find(path) !== undefined);
}

/** It has changed the record: who was killed before he could excuses nothing. */
function hasWorked({ at, by, choice, known, carriedOut }: Decree): boolean {
  if (carriedOut) return true;
  if (choice === 'forget') return [...by.trashed].some((path) => path.includes(known.id));
  // Of two operators at once either may have moved what the other one has chosen.
  const { moved, state } = at.host;
  return moved.has(`${state}/${known.peer}/responder/${known.id}.resolved`);
}
