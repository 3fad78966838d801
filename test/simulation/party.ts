/** One of the two sites of a run, with all that is known of it. */
import type { Host } from './host.js';
import type { Ledger } from './ledger.js';
import type { Process } from './process.js';
import type { Site } from './site.js';

export class Party {
  readonly site: Site;
  readonly host: Host;
  readonly ledger: Ledger;
  responder: Process | undefined;
  /** A file operation has failed: what was decided may be taken back by the next start of the machine. */
  shaken = false;

  constructor(site: Site, ledger: Ledger) {
    this.site = site;
    this.host = site.host;
    this.ledger = ledger;
  }

  /** Somebody takes a key file away, as its consumer does. */
  takeFile(): void {
    const { disk, keys, id, world } = this.host;
    const peers = disk.list(keys);
    if (!Array.isArray(peers)) return;
    for (const peer of peers) {
      const names = disk.list(`${keys}/${peer}`);
      const name = Array.isArray(names) ? names.find((one) => !one.startsWith('.')) : undefined;
      if (name === undefined) continue;
      world.trace?.(`${id}: a consumer takes ${name}`);
      disk.unlink(`${keys}/${peer}/${name}`);
    }
  }

  /** Rule 13: an operator restarts the machine, and deletes a mark that a power loss left empty. */
  mend(): void {
    const { disk, state, otherState } = this.host;
    this.shaken = false;
    for (const mark of [state, otherState].map((folder) => `${folder}/SUSPECT`)) {
      if (disk.find(mark) === undefined) continue;
      this.host.losePower();
      const left = disk.find(mark);
      if (left?.kind === 'file' && left.bytes.length === 0) disk.unlink(mark);
    }
  }
}
