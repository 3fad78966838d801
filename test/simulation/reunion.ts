/**
 * The two sites meet again in peace, until all is settled. What only somebody's help can settle must be said at both
 * sites, and is then helped: an alien file is moved away, what contradicts an operator's decision is forgotten.
 */
import { EXIT, exitCodeOf } from '../../src/cli/exit-code.js';
import type { RunReport } from '../../src/exchange/outcome.js';
import type { Decrees } from './decrees.js';
import type { Intruder } from './intruder.js';
import { leftovers, MARKS_MAX } from './leftovers.js';
import type { Operators } from './operators.js';
import type { Party } from './party.js';
import type { Process } from './process.js';
import type { Scenario } from './scenario.js';
import type { RunKind } from './site.js';

/** More contacts than that must not be needed after somebody's help, nor before it. */
const CONTACTS_MAX = 3;
const WAIT_MS = 60_000;

/** What may have happened before. */
export interface Past {
  readonly scenario: Scenario;
  readonly decrees: Decrees;
  readonly operators: Operators;
  readonly intruder: Intruder | undefined;
}

export interface Surroundings {
  /** One step of the world; false where nothing is left to do. */
  readonly step: () => boolean;
  readonly reportOf: (process: Process) => RunReport | undefined;
  readonly complain: (violation: string) => void;
}

export class Reunion {
  /** How many there were. */
  contacts = 0;
  readonly #past: Past;
  readonly #a: Party;
  readonly #b: Party;
  readonly #around: Surroundings;
  /** Those of the last contact. */
  #met: Process[] = [];
  /** `--index` that a refusal has asked for. */
  #advised: number | undefined;

  constructor(past: Past, [a, b]: readonly [Party, Party], around: Surroundings) {
    this.#past = past;
    this.#a = a;
    this.#b = b;
    this.#around = around;
  }

  settle(): void {
    let kind: RunKind = this.#past.scenario.recoverOnly ? 'recover' : 'initiate';
    let left: string[] = [];
    let most = this.#contactsMax();
    this.#endIntrusion();
    if (this.#isSettled()) return;
    while (this.contacts < most) {
      this.contacts += 1;
      const well = this.#contact(kind);
      if (this.#endAlarms()) most = this.contacts + CONTACTS_MAX;
      this.#advised = this.#advice();
      // Old marks of the numbers go with the next exchange.
      left = this.#left(kind === 'initiate' ? MARKS_MAX : MARKS_MAX + 1);
      if (well && left.length === 0) return;
      kind = 'initiate';
    }
    this.#around.complain(`not settled after ${most} contacts, left: ${left.join(' ') || 'nothing'}`);
  }

  /** What was settled stays so whatever the power has taken back since. */
  meetAgain(): void {
    const well = this.#contact(this.#past.scenario.recoverOnly ? 'recover' : 'initiate');
    const left = this.#left(MARKS_MAX + 1);
    if (!well || left.length > 0)
      this.#around.complain(`no longer settled after a loss of power, left: ${left.join(' ') || 'nothing'}`);
  }

  #left(marksMax = MARKS_MAX): string[] {
    return [this.#a, this.#b].flatMap(({ host }) => leftovers(host, marksMax));
  }

  /**
   * One contact settles all, but for two circumstances: where both sites initiate, what the contact in one direction has
   * left may be for the other one to settle, and what only a person can settle is first said and then helped.
   */
  #contactsMax(): number {
    const { scenario, intruder, decrees } = this.#past;
    const isHelped =
      intruder !== undefined || decrees.any || scenario.launches.some(({ elsewhere }) => elsewhere);
    return isHelped ? CONTACTS_MAX : scenario.anyRole ? 2 : 1;
  }

  /**
   * Mostly nobody looks again where nothing is open any more: the sites have met already since all that went wrong. A new
   * exchange is made all the same, where there is to be one: only that shows numbers on which the sites do not agree.
   */
  #isSettled(): boolean {
    const { scenario, decrees } = this.#past;
    if (!scenario.lazy || !scenario.recoverOnly || decrees.any) return false;
    return this.#left().length === 0;
  }

  /** Where a file of somebody else's is in the way, that is said and nothing else happens; then he moves it away. */
  #endIntrusion(): void {
    const { intruder } = this.#past;
    if (intruder?.isInTheWay() === true) {
      this.#contact('recover');
      this.#mustBeAlarmed('a key file whose name is taken');
    }
    intruder?.leave();
  }

  /** What contradicts an operator's decision is said, and ends once both have forgotten it; whether there was any. */
  #endAlarms(): boolean {
    const { decrees, operators } = this.#past;
    const [atA, atB] = [this.#a.ledger.saved, this.#b.ledger.saved];
    for (const keyId of new Set([...atA.keys(), ...atB.keys()])) {
      if (atA.has(keyId) !== atB.has(keyId) && !decrees.isForgotten(keyId))
        this.#mustBeAlarmed(`the split of ${keyId}`);
    }
    const help = [this.#a, this.#b].flatMap((party) => operators.forgetAlarms(party));
    while (help.some(({ alive }) => alive) && this.#around.step());
    return help.length > 0;
  }

  /** A number that one site has forgotten for good is passed over at the other one by hand, as the refusal says. */
  #advice(): number | undefined {
    if (this.#past.decrees.forgottenNumbers().length === 0) return undefined;
    const messages = this.#met.map((process) => this.#around.reportOf(process)?.error?.message ?? '');
    const [, number] = /--index (\d+) on both sites/.exec(messages.join()) ?? [];
    return number === undefined ? undefined : Number(number);
  }

  /** By each site in the last contact. */
  #mustBeAlarmed(what: string): void {
    for (const { host } of [this.#a, this.#b]) {
      const own = this.#met.filter((process) => process.host === host);
      if (!own.some((process) => isAlarmed(this.#around.reportOf(process))))
        this.#around.complain(`${host.id} says nothing of ${what}`);
    }
  }

  /** Each site that initiates meets the other one; whether all came to a good end. */
  #contact(kind: RunKind): boolean {
    this.#met = [];
    const forth = this.#meet(this.#a, this.#b, kind);
    return (!this.#past.scenario.anyRole || this.#meet(this.#b, this.#a, kind)) && forth;
  }

  #meet(one: Party, other: Party, kind: RunKind): boolean {
    const answering = this.#launch(other, 'respond');
    const asking = this.#launch(one, kind);
    this.#met.push(answering, asking);
    while (answering.alive || asking.alive) {
      if (this.#around.step()) continue;
      this.#around.complain('a contact in peace does not end');
      return false;
    }
    const good = kind === 'recover' ? 'settled' : 'saved';
    return [answering, asking].every((process) => this.#around.reportOf(process)?.outcome === good);
  }

  #launch(party: Party, kind: RunKind): Process {
    const { anyRole } = this.#past.scenario;
    const index = this.#advised;
    return party.site.launch(kind, { anyRole, serve: false, elsewhere: false, timeoutMs: WAIT_MS, index });
  }
}

function isAlarmed(report: RunReport | undefined): boolean {
  return report !== undefined && exitCodeOf(report) === EXIT.alarm;
}
