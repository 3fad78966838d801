/**
 * What an exchange that was cut off has left: both disks with all that was not yet durable, the locks, and the keys
 * that the KMEs had given. Runs begin with it as if they had lived through that exchange themselves.
 *
 * Calling sequence: made of a simulation that goes no further; `restore` into each run that begins with it.
 */
import type { Host } from './host.js';
import type { KeyStore } from './kme.js';
import type { Ledger } from './ledger.js';
import { NodeCopies } from './node-copies.js';

/** One site, as far as something of it remains when all its processes are gone. */
export interface Ground {
  readonly host: Host;
  readonly ledger: Ledger;
}

export class Remains {
  readonly #grounds: readonly Ground[];
  readonly #keyStore: KeyStore;

  constructor(grounds: readonly Ground[], keyStore: KeyStore) {
    this.#grounds = grounds;
    this.#keyStore = keyStore;
  }

  /** @param grounds of a run in which nothing has happened yet, in the order of those that this was made of */
  restore(grounds: readonly Ground[], keyStore: KeyStore): void {
    keyStore.takeOver(this.#keyStore);
    for (const [at, { host, ledger }] of grounds.entries()) {
      const before = this.#grounds[at];
      if (before === undefined) throw new Error('no such site');
      const copies = new NodeCopies();
      host.world.now = before.host.world.now;
      host.disk.takeOver(before.host.disk, copies);
      ledger.takeOver(before.ledger, copies);
      // Nobody renews them any more.
      for (const [path, { renewedAt }] of before.host.locks)
        host.locks.set(path, { holder: before, renewedAt });
    }
  }
}
