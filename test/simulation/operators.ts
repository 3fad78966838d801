/** The operators of the two sites, who decide about what is open there with `qkd-sync resolve`. */
import { RECORD_FILE } from '../../src/store/layout.js';
import type { Choice } from '../../src/store/resolution.js';
import type { Order } from './circumstances.js';
import type { Decrees } from './decrees.js';
import type { Party } from './party.js';
import type { Process } from './process.js';
import type { World } from './world.js';

export class Operators {
  readonly #world: World;
  readonly #decrees: Decrees;
  readonly #party: (host: string) => Party;
  readonly #orders: readonly Order[];
  /** Told of each one who begins. */
  readonly #begun: (process: Process) => void;
  #blows = 0;

  constructor(
    orders: readonly Order[],
    party: (host: string) => Party,
    world: World,
    decrees: Decrees,
    begun: (process: Process) => void,
  ) {
    this.#orders = orders;
    this.#party = party;
    this.#world = world;
    this.#decrees = decrees;
    this.#begun = begun;
  }

  /** Something has gone wrong: an operator may be called. */
  struck(): void {
    this.#blows += 1;
    for (const { after, host, choice, delayMs } of this.#orders) {
      if (after !== this.#blows) continue;
      this.#world.after(delayMs, undefined, () => {
        this.#decideAny(this.#party(host), choice);
      });
    }
  }

  /** Nobody is left who asks: those come who have waited for that. */
  end(): void {
    for (const { after, host, choice } of this.#orders) {
      if (after === 'end') this.#decideAny(this.#party(host), choice);
    }
  }

  /** All that is in alarm at a site is forgotten; answers who does it. */
  forgetAlarms(party: Party): Process[] {
    const { disk } = party.host;
    const alarmed = party
      .records()
      .filter(({ folder }) => disk.find(`${folder}/${RECORD_FILE.alarm}`) !== undefined);
    return alarmed.map(({ id }) => this.#decide(party, id, 'forget'));
  }

  #decideAny(party: Party, choice: Choice): void {
    const records = party.records().filter(({ state }) => state !== 'done');
    if (records.length > 0) this.#decide(party, this.#world.dice.pick(records).id, choice);
  }

  #decide(party: Party, id: string, choice: Choice): Process {
    let hear: ReturnType<Decrees['confirm']> | undefined;
    const process: Process = party.site.resolve({
      id,
      choice,
      confirmed: (known) => {
        hear = this.#decrees.confirm(process, party, this.#party(party.site.peer), choice, known);
      },
      ended: (end) => {
        hear?.(end);
      },
    });
    this.#begun(process);
    return process;
  }
}
