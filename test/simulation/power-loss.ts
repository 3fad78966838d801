/**
 * What is left of a disk after a power loss.
 *
 * Each change of names that no fsync has covered is kept or lost by itself, with two exceptions that every journal
 * makes: changes of one name, or moves of one folder, come in their order (an earlier one is kept where a later one
 * is), and a rename inside one folder happens wholly or not at all.
 */
import type { Dice } from './dice.js';
import type { Change, Folder, Node } from './node.js';

/** How likely each uncovered change is to last, by the fate of the whole loss: nothing, everything, or each its own. */
const LUCKS = [0, 0.5, 0.5, 0.8, 1] as const;
/** A change whose fsync has failed hardly ever lasts. */
const DOOMED_LUCK = 0.15;

export interface PowerLoss {
  /** The changes that had happened and have not lasted. */
  readonly lost: ReadonlySet<Change>;
}

/** Names and folders that a change concerns, so that others about the same keep their order with it. */
class Concerned {
  readonly #names = new Map<Folder, Set<string>>();
  readonly #folders = new Set<Node>();

  note({ node, from, to }: Change): void {
    if (node.kind === 'folder') this.#folders.add(node);
    for (const place of [from, to]) {
      if (place === undefined) continue;
      const names = this.#names.get(place.folder) ?? new Set();
      this.#names.set(place.folder, names.add(place.name));
    }
  }

  meets({ node, from, to }: Change): boolean {
    if (this.#folders.has(node)) return true;
    return [from, to].some((place) => place !== undefined && this.#names.get(place.folder)?.has(place.name));
  }
}

function isCovered({ to, leftDurably, cameDurably }: Change): boolean {
  return to === undefined ? leftDurably : cameDurably;
}

export function losePower(root: Folder, log: readonly Change[], dice: Dice): PowerLoss {
  const luck = dice.pick(LUCKS);
  const surely = keptFor(log);
  const lost = new Set<Change>();
  const stuck = new Concerned();
  for (const change of log) {
    const { node, from, to } = change;
    const isLucky = dice.chance(change.doomed ? DOOMED_LUCK : luck);
    const kept = surely.has(change) || (!stuck.meets(change) && isLucky);
    if (!kept) {
      lost.add(change);
      stuck.note(change);
    }
    // The folder that it left may know of a rename that the other one does not.
    if (from !== undefined && (kept || change.leftDurably)) {
      if (from.folder.base.get(from.name) === node) from.folder.base.delete(from.name);
    }
    if (to !== undefined && kept) to.folder.base.set(to.name, node);
  }
  settle(root, dice);
  return { lost };
}

/** What an fsync has covered, and what must have come before it. */
function keptFor(log: readonly Change[]): Set<Change> {
  const kept = new Set<Change>();
  const later = new Concerned();
  for (let at = log.length - 1; at >= 0; at -= 1) {
    const change = log[at];
    if (change === undefined || !(isCovered(change) || later.meets(change))) continue;
    kept.add(change);
    later.note(change);
  }
  return kept;
}

/** What is durable becomes what can be seen. */
function settle(folder: Folder, dice: Dice): void {
  folder.entries = new Map(folder.base);
  folder.pending = [];
  folder.made = undefined;
  for (const node of folder.entries.values()) {
    if (node.kind === 'folder') {
      settle(node, dice);
    } else if (!node.synced) {
      node.bytes = torn(node.bytes, dice);
      node.synced = true;
      node.doomed = false;
    }
  }
}

/** Bytes that were never fsynced: none, some, all, or as many zeros. */
export function torn(bytes: Uint8Array, dice: Dice): Uint8Array {
  const fate = dice.below(4);
  if (fate === 0) return new Uint8Array();
  if (fate === 1) return bytes.slice(0, dice.below(bytes.length + 1));
  return fate === 2 ? bytes : new Uint8Array(bytes.length);
}
