/** One of the two sites of a run, with all that is known of it. */
import {
  createLayout,
  parseRecordName,
  RECORD_FILE,
  ROLES,
  type RecordState,
} from '../../src/store/layout.js';
import { DiskError } from './disk-error.js';
import type { Host } from './host.js';
import type { Ledger } from './ledger.js';
import type { Process } from './process.js';
import type { Site } from './site.js';

/** How often a consumer takes the whole folder. */
const FOLDER_TAKEN = 0.3;
/** What it is called then, with a number. */
export const TAKEN = 'taken-';

export class Party {
  readonly site: Site;
  readonly host: Host;
  readonly ledger: Ledger;
  responder: Process | undefined;
  #taken = 0;

  constructor(site: Site, ledger: Ledger) {
    this.site = site;
    this.host = site.host;
    this.ledger = ledger;
  }

  /** Somebody takes a key file of each peer away, as its consumer does, or the whole folder. */
  take(): void {
    if (this.host.world.dice.chance(FOLDER_TAKEN)) this.#takeFolder();
    else this.#takeFiles();
  }

  /** With all that is in it, durably. */
  #takeFolder(): void {
    const { disk, keys, id, world } = this.host;
    const folder = `${keys}/${this.site.peer}`;
    const names = disk.list(folder);
    if (disk.find(folder) === undefined || !Array.isArray(names)) return;
    // What somebody else has put there is that one's to take away.
    if (names.some((name) => this.ledger.isAlien(name))) return;
    world.trace?.(`${id}: a consumer takes the folder of ${this.site.peer}`);
    disk.syncFolder(folder);
    this.#taken += 1;
    disk.rename(folder, `/${id}/${TAKEN}${this.#taken}`);
    for (const path of [keys, `/${id}`]) disk.syncFolder(path);
  }

  #takeFiles(): void {
    const { disk, keys, id, world } = this.host;
    const peers = disk.list(keys);
    if (!Array.isArray(peers)) return;
    for (const peer of peers) {
      const names = disk.list(`${keys}/${peer}`);
      const name = Array.isArray(names)
        ? names.find((one) => !one.startsWith('.') && !this.ledger.isAlien(one))
        : undefined;
      if (name === undefined) continue;
      world.trace?.(`${id}: a consumer takes ${name}`);
      disk.unlink(`${keys}/${peer}/${name}`);
    }
  }

  /** Somebody puts a file of his own where the peer's key files come. He cares for no folder: none of it need last. */
  putAlien(name: string): void {
    const { disk, keys, id, world } = this.host;
    const folder = `${keys}/${this.site.peer}`;
    world.trace?.(`${id}: somebody puts a file ${name}`);
    for (const path of [keys, folder]) disk.mkdir(path);
    if (disk.find(`${folder}/${name}`) !== undefined) return;
    this.ledger.put(name, () => {
      const file = disk.create(`${folder}/${name}`);
      if (file instanceof DiskError) throw new Error(`nobody can put ${name} there`);
      disk.write(file, Buffer.from('not ours'));
      disk.sync(file);
      return file;
    });
  }

  /** He moves it away. */
  takeAlien(name: string): void {
    const { disk, keys, id, world } = this.host;
    if (!this.ledger.isAlien(name)) return;
    world.trace?.(`${id}: somebody moves his file ${name} away`);
    this.ledger.takeAway(name);
    disk.unlink(`${keys}/${this.site.peer}/${name}`);
    disk.syncFolder(`${keys}/${this.site.peer}`);
  }

  /** The records here, as `qkd-sync status` lists them. */
  records(): readonly { readonly id: string; readonly state: RecordState; readonly folder: string }[] {
    const { disk, state, keys } = this.host;
    const layout = createLayout(state, keys);
    return ROLES.flatMap((role) => {
      const folder = layout.role(this.site.peer, role);
      const names = disk.list(folder);
      return (Array.isArray(names) ? names : []).flatMap((name) => {
        const record = parseRecordName(name);
        return record === undefined ? [] : [{ ...record, folder: `${folder}/${name}` }];
      });
    });
  }

  /** Whether a record that has been decided cannot be published because a file of this name is there. */
  isBlockedBy(name: string): boolean {
    const { disk } = this.host;
    return this.records().some(({ state, folder }) => {
      const exchange = disk.find(`${folder}/${RECORD_FILE.exchange}`);
      const isNamedSo = exchange?.kind === 'file' && nameIn(exchange.bytes) === name;
      return state === 'committed' && isNamedSo && disk.find(`${folder}/${RECORD_FILE.key}`) !== undefined;
    });
  }

  /** Rule 13: an operator restarts the machine, and deletes a mark that a power loss, or a full disk, has cut short. */
  mend(): void {
    const { disk, state, otherState } = this.host;
    this.host.isShaken = false;
    for (const folder of [state, otherState]) {
      const mark = `${folder}/SUSPECT`;
      if (disk.find(mark) === undefined) continue;
      this.host.losePower();
      const left = disk.find(mark);
      if (left?.kind !== 'file' || left.bytes.length >= this.host.bootId.length) continue;
      disk.unlink(mark);
      // Or the next loss of power may bring it back.
      disk.syncFolder(folder);
    }
  }
}

/** The name of the key file that an `exchange.json` tells; undefined where it is not whole. */
export function nameIn(exchange: Uint8Array): string | undefined {
  try {
    return (JSON.parse(Buffer.from(exchange).toString()) as { readonly name?: string }).name;
  } catch {
    return undefined;
  }
}
