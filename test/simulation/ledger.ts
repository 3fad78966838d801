/**
 * Every key file that ever appeared on each host, as whoever takes files away from there sees it: complete, by a
 * rename, once, and never deleted by a run (docs/protocol.md, "Files and formats").
 */
import { PROBE_NAME } from '../../src/store/probe.js';
import type { Host } from './host.js';
import type { KeyStore } from './kme.js';
import type { Change, Folder, Node } from './node.js';
import type { NodeCopies } from './node-copies.js';
import type { PowerLoss } from './power-loss.js';

/** A key file that has appeared; it may have been taken away since. */
export interface Saved {
  readonly name: string;
  /** What must last for the file to last: its rename, and its folders. */
  readonly changes: readonly Change[];
}

export class Ledger {
  /** By key ID. */
  readonly saved = new Map<string, Saved>();
  /** A file that is not ours has been put there. */
  hadAlien = false;
  /** Those that are there, by name. */
  readonly #aliens = new Map<string, Node>();
  readonly #host: Host;
  readonly #keyStore: KeyStore;
  readonly #complain: (violation: string) => void;
  #ground: Folder;
  #keys: Folder | undefined;
  #puts: string | undefined;
  /** The folder of keys and those in it. */
  readonly #guarded = new Set<Folder>();

  constructor(host: Host, keyStore: KeyStore, complain: (violation: string) => void) {
    this.#host = host;
    this.#keyStore = keyStore;
    this.#complain = complain;
    const ground = host.disk.find(`/${host.id}`);
    if (ground?.kind !== 'folder') throw new Error('a host without ground');
    this.#ground = ground;
    host.disk.witness = (folder, name, change, how) => {
      this.#watch(folder, name, change, how);
    };
    host.afterPowerLoss = (loss) => {
      this.#look(loss);
    };
    host.beforeUnlink = (path) => {
      this.#guard(path);
    };
  }

  /** All that another ledger of such a host knows of key files. */
  takeOver(other: Ledger, copies: NodeCopies): void {
    this.#ground = copies.folder(other.#ground);
    this.#keys = other.#keys && copies.folder(other.#keys);
    for (const folder of other.#guarded) this.#guarded.add(copies.folder(folder));
    for (const [keyId, { name, changes }] of other.saved)
      this.saved.set(keyId, { name, changes: changes.map((change) => copies.change(change)) });
  }

  /** Whether the key's file would be there after a power loss now, or has been before the last one. */
  isDurable(keyId: string): boolean {
    return this.saved.get(keyId)?.changes.every(({ cameDurably }) => cameDurably) === true;
  }

  /** Somebody is putting a file of his own there. */
  put(name: string, put: () => Node): void {
    this.hadAlien = true;
    this.#puts = name;
    this.#aliens.set(name, put());
    this.#puts = undefined;
  }

  /** He moves it away. */
  takeAway(name: string): void {
    this.#aliens.delete(name);
  }

  isAlien(name: string): boolean {
    return this.#aliens.has(name);
  }

  #watch(folder: Folder, name: string, change: Change, how: 'made' | 'moved'): void {
    const { node } = change;
    if (folder === this.#ground && name === 'keys' && node.kind === 'folder') {
      this.#keys = node;
      this.#guarded.add(node);
      return;
    }
    if (!this.#guarded.has(folder) || name === PROBE_NAME) return;
    if (node.kind === 'folder') {
      this.#guarded.add(node);
      if (how === 'moved') this.#say(`a folder was moved into the folder of keys: ${name}`);
      return;
    }
    if (name === this.#puts) return;
    if (this.#aliens.has(name)) this.#say(`${name}, which is somebody else's file, was overwritten`);
    if (how !== 'moved') this.#say(`${name} was made in the folder of keys, not moved there`);
    const keyId = this.#keyIdOf(node.bytes);
    if (keyId === undefined) {
      this.#say(`${name} is not a complete key file`);
      return;
    }
    if (this.saved.has(keyId)) this.#say(`${keyId} was published again, as ${name}`);
    const changes = [change, folder.made, this.#keys?.made].filter((one) => one !== undefined);
    this.saved.set(keyId, { name, changes });
  }

  /** Key files are their consumer's: no run ever deletes one. */
  #guard(path: string): void {
    const { keys, disk } = this.#host;
    if (!path.startsWith(`${keys}/`) || path.endsWith(`/${PROBE_NAME}`)) return;
    if (disk.find(path) !== undefined) this.#say(`${path} was deleted`);
  }

  /** A publication that was lost with its whole trace will be made again; what lies there now must be whole. */
  #look({ lost }: PowerLoss): void {
    for (const [keyId, { changes, name }] of this.saved) {
      if (changes.some((change) => lost.has(change))) this.saved.delete(keyId);
      else this.saved.set(keyId, { name, changes: [] });
    }
    const keys = this.#ground.entries.get('keys');
    this.#keys = keys?.kind === 'folder' ? keys : undefined;
    this.#forgetLostAliens();
    for (const folder of this.#keys?.entries.values() ?? []) {
      if (folder.kind !== 'folder') continue;
      for (const [name, node] of folder.entries) {
        const whole = node.kind === 'file' && this.#keyIdOf(node.bytes) !== undefined;
        if (name !== PROBE_NAME && !whole && this.#aliens.get(name) !== node)
          this.#say(`after a power loss ${name} is not a complete key file`);
      }
    }
  }

  /** Nobody has made their names last. */
  #forgetLostAliens(): void {
    const there = [...(this.#keys?.entries.values() ?? [])].flatMap((folder) =>
      folder.kind === 'folder' ? [...folder.entries.values()] : [],
    );
    for (const [name, node] of this.#aliens) if (!there.includes(node)) this.#aliens.delete(name);
  }

  #keyIdOf(bytes: Uint8Array): string | undefined {
    return this.#keyStore.byContent.get(Buffer.from(bytes).toString('latin1'));
  }

  #say(violation: string): void {
    this.#complain(`${this.#host.id}: ${violation}`);
  }
}
