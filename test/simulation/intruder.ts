/**
 * Somebody who puts a file of his own where a key file of one site is to come, once, and moves it away later.
 *
 * Calling sequence: `begin`, then `notice` each operation before it is done, at last `leave`.
 */
import type { Alien } from './circumstances.js';
import type { Operation } from './fault.js';
import { nameIn, type Party } from './party.js';
import { SPOTS } from './spot.js';
import type { World } from './world.js';

export class Intruder {
  readonly #alien: Alien;
  readonly #party: Party;
  readonly #world: World;
  #left: number;
  #name: string | undefined;

  constructor(alien: Alien, party: Party, world: World) {
    this.#alien = alien;
    this.#party = party;
    this.#world = world;
    this.#left = alien.nth;
  }

  begin(): void {
    const { when, nth } = this.#alien;
    if (when === 'before') this.#put(`${this.#party.site.peer}_${nth}`);
  }

  /** The rename by which a record is staged or decided: its name is reserved then, and nobody publishes it yet. */
  notice(host: string, operation: Operation): void {
    const { when } = this.#alien;
    if (when === 'before' || this.#left === 0 || host !== this.#party.host.id) return;
    if (!SPOTS[when](operation)) return;
    const exchange = this.#party.host.disk.find(`${operation.path}/exchange.json`);
    if (exchange?.kind !== 'file') return;
    this.#left -= 1;
    if (this.#left > 0) return;
    const name = nameIn(exchange.bytes);
    if (name !== undefined) this.#put(name);
  }

  /** Whether a record has been decided that cannot be published because of him. */
  isInTheWay(): boolean {
    const name = this.#name;
    return name !== undefined && this.#party.ledger.isAlien(name) && this.#party.isBlockedBy(name);
  }

  /** He moves his file away. */
  leave(): void {
    if (this.#name !== undefined) this.#party.takeAlien(this.#name);
  }

  #put(name: string): void {
    this.#name = name;
    this.#party.putAlien(name);
    const { staysMs } = this.#alien;
    if (staysMs === undefined) return;
    this.#world.after(staysMs, undefined, () => {
      this.leave();
    });
  }
}
