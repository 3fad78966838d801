/**
 * One case: something goes wrong, then comes one contact, which must be enough, and the disks are judged.
 *
 * Calling sequence: `Trial.open`, what goes wrong by `listening`, `contact`, `ended` and `kill`, then `settle`, `judge`.
 */
import type { CliEnd, CliProcess } from '../support/cli-process.js';
import { openRecords } from './open-records.js';
import { agree, Oracle } from './oracle.js';
import type { ShimUse } from './shim.js';
import { endOf, type Responder, type Side, type Site, type Sites } from './site.js';
import { Claims } from './verdict.js';

/** One is what is promised. More are tried all the same, so that a failure tells how many it took. */
const MAX_CONTACTS = 3;

/** A responder that has nothing more to do is gone by then. */
export const END_MS = 4_000;

/** What ends a process that may not be in its right mind. */
const SUSPECT_CODE = 74;

/** Nobody was there, or nobody any more. */
export const UNREACHED_CODE = 69;

export type Command = 'initiate' | 'recover';

export const OUTCOMES = [
  'both',
  'neither',
  'split',
  'unsettled',
  'duplicate',
  'left-over',
  'untrue',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Result {
  /** Of the exchange in which it happened: the worst that can be said of it. */
  readonly outcome: Outcome;
  /** How many contacts without a fault it took; more than are tried where it never came to rest. */
  readonly contacts: number;
  /** Whether fate has struck at all: a run may end before the call. */
  readonly hit: boolean;
  /** All that is wrong; empty where all is well. */
  readonly wrong: readonly string[];
  /** What the processes said and how they ended, for those who look into a failure. */
  readonly said: string;
}

export class Trial {
  readonly sites: Sites;
  readonly #oracle: Oracle;
  readonly #claims = new Claims();
  readonly #wrong: string[] = [];
  readonly #remarks: string[] = [];
  /** The number that the exchange of this trial has, if it comes to one. */
  readonly #index: number;
  /** Exchanges that later contacts have added. */
  #added = 0;
  #responder: Responder | undefined;

  private constructor(sites: Sites, oracle: Oracle, index: number) {
    this.sites = sites;
    this.#oracle = oracle;
    this.#index = index;
  }

  /** @param index the number that the exchange of this trial has; the next one of both sites where it is left out */
  static async open(sites: Sites, index?: number): Promise<Trial> {
    const oracle = new Oracle(sites);
    const { A, B } = await oracle.look();
    return new Trial(sites, oracle, index ?? Math.min(A.size, B.size));
  }

  /** Whether one has been started that is not known to have ended. */
  get hasResponder(): boolean {
    return this.#responder !== undefined;
  }

  /** The responder that is there, or a new one; surely a new one where the shim is to be used. */
  async listening(use?: ShimUse, args?: readonly string[]): Promise<Responder> {
    const there = this.#responder;
    if (use === undefined && there !== undefined && there.end === undefined) return there;
    await this.kill();
    this.#responder = await this.sites.b.respond(use, args);
    return this.#responder;
  }

  /** A run of A that is waited for. Its exit code must be true; where it is `own`, of the exchange of this trial too. */
  async contact(command: Command, port: number, own: boolean, use?: ShimUse): Promise<CliEnd> {
    return this.ended(this.sites.a.contact(command, port, use), own);
  }

  async ended(contact: CliProcess, own: boolean): Promise<CliEnd> {
    const end = await contact.ended;
    const command = contact.args[0] ?? '';
    if (command === 'initiate' && !own && end.code === 0) this.#added += 1;
    await this.#note(this.sites.a, `A ${command}`, end, own && command === 'initiate');
    return end;
  }

  /** Waits for the responder to end, and weighs how it did; false where it goes on. */
  async responderEnds(ms: number): Promise<boolean> {
    const responder = this.#responder;
    if (responder === undefined) return true;
    const end = await endOf(responder, ms);
    if (end === undefined) return false;
    this.#responder = undefined;
    // Once others have been added, the last one is its own.
    await this.#note(this.sites.b, 'B respond', end, this.#added === 0 && hasExchange(end));
    await this.sites.b.ageLock();
    return true;
  }

  /** Kills the responder, if there is one; weighs how it ended, where it has ended by itself. */
  async kill(): Promise<void> {
    const there = this.#responder;
    if (there === undefined) return;
    if (there.end === undefined) there.process.kill('SIGKILL');
    await there.process.ended;
    await this.responderEnds(END_MS);
  }

  /** Somebody takes the key files away, as whoever uses the keys would. */
  consume(): Promise<void> {
    return this.#oracle.consume();
  }

  complain(what: string): void {
    this.#wrong.push(what);
  }

  /** For those who look into a failure. */
  remark(what: string): void {
    this.#remarks.push(what);
  }

  /** After a failed fsync of a decision nothing goes on until the machine has been started again. */
  async rebootSuspects(): Promise<void> {
    for (const site of [this.sites.a, this.sites.b]) {
      if (!(await site.isSuspect())) continue;
      const refused = await site.start(['status']).ended;
      if (refused.code !== SUSPECT_CODE) this.complain(`${site.side} reads suspect records: ${refused.code}`);
      if (site.side === 'B' && !(await this.responderEnds(END_MS))) {
        this.complain('B goes on with suspect records');
        await this.kill();
      }
      this.remark(`${site.side} is started again`);
      await site.reboot();
      await site.ageLock();
    }
  }

  /** Contacts without any fault, until nothing is left open. Answers how many it took. */
  async settle(command: Command): Promise<number> {
    for (let contacts = 1; ; contacts += 1) {
      const there = this.hasResponder;
      const { port, end: early } = await this.listening();
      if (port === undefined) {
        this.complain(`B does not start: ${early?.stderr ?? ''}`);
        return MAX_CONTACTS + 1;
      }
      const end = await this.contact(command, port, false);
      const gone = await this.responderEnds(END_MS);
      if (!gone) await this.kill();
      if (end.code === 0 && gone && (await this.#isSettled())) return contacts;
      // The responder of before was just ending: nobody was met, and the next one is new.
      if (there && gone && end.code === UNREACHED_CODE) contacts -= 1;
      if (contacts === MAX_CONTACTS) return contacts + 1;
    }
  }

  async judge(contacts: number, hit: boolean, must?: 'both' | 'neither'): Promise<Result> {
    const look = await this.#oracle.look();
    const leftOvers = await this.#oracle.leftOvers();
    const marks = await this.#oracle.marks();
    const same = agree(look);
    const saved = same && look.A.size > this.#index + this.#added;
    if (same) this.#claims.settle(saved);
    if (same && must !== undefined && saved !== (must === 'both')) this.complain(`it had to come to ${must}`);
    if (same && marks.A !== marks.B) this.complain(`the marks differ: ${marks.A} and ${marks.B}`);
    if (contacts > MAX_CONTACTS) this.complain('it never came to rest');
    else if (contacts > 1) this.complain(`it took ${contacts} contacts`);
    const files = `A has files ${[...look.A.keys()].join()}, B has ${[...look.B.keys()].join()}`;
    const open = leftOvers.some((line) => /\.(staged|committed|done)\//.test(line));
    const wrong = [
      ...look.wrong,
      ...(same ? [] : [files]),
      ...leftOvers,
      ...this.#claims.untrue,
      ...this.#wrong,
      ...this.#shownKeys([...look.A.values(), ...look.B.values()]),
    ];
    let outcome: Outcome = saved ? 'both' : 'neither';
    if (wrong.length > 0) outcome = 'untrue';
    if (leftOvers.length > 0) outcome = 'left-over';
    if (!same) outcome = 'split';
    if (open) outcome = 'unsettled';
    if (look.wrong.length > 0) outcome = 'duplicate';
    return { outcome, contacts, hit, wrong, said: [...this.#remarks, ...this.#outputs()].join('\n') };
  }

  async #isSettled(): Promise<boolean> {
    return (await this.#oracle.leftOvers()).length === 0 && agree(await this.#oracle.look());
  }

  async #note(site: Site, who: `${Side} ${string}`, end: CliEnd, own: boolean): Promise<void> {
    this.remark(`${who} ended with ${end.code}`);
    // Killed by fate or by this trial: it claims nothing.
    if (end.code === 'SIGKILL') return;
    const look = await this.#oracle.look();
    // A disk that is too ill may not even take the mark.
    const suspect = (await site.isSuspect()) || end.stderr.includes('are suspect');
    const [here, there] = [look[site.side].has(this.#index), look[site.peer].has(this.#index)];
    this.#claims.note(who, end, own, { here, there, suspect, open: await openRecords(site) });
  }

  #outputs(): string[] {
    return [...this.sites.a.processes, ...this.sites.b.processes].map(
      ({ args, output }) => `--- ${args[0] ?? ''}\n${output}`,
    );
  }

  #shownKeys(keys: readonly string[]): string[] {
    const said = this.#outputs().join('\n');
    return keys.some((key) => said.includes(key.trim())) ? ['a process has shown a key'] : [];
  }
}

/** Whether a responder has voted for an exchange, as its --json says. */
function hasExchange({ stdout }: CliEnd): boolean {
  try {
    return (JSON.parse(stdout) as { exchange: unknown }).exchange !== null;
  } catch {
    return false;
  }
}
