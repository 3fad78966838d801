/**
 * What must be true of the disks of both sites, told from the disks alone (docs/protocol.md).
 *
 * Calling sequence: one `Oracle` for a case, told by `consume` when somebody takes the key files away as a consumer
 * would; `look` for the key files so far, `leftOvers` once all should be settled.
 */
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskTree } from '../support/disk-tree.js';
import type { Side, Site, Sites } from './site.js';

/** Key files by their numbers, those that were taken away too. */
export type Shelf = ReadonlyMap<number, string>;

export interface Look {
  readonly A: Shelf;
  readonly B: Shelf;
  /** What is wrong at any time: half a file, wrong modes, a key that came twice. */
  readonly wrong: readonly string[];
}

const KEY_FILE = /^[0-9a-f]{64}\n$/;

const PROBE = '.qkd-sync-probe';

export class Oracle {
  readonly #sites: Sites;
  readonly #taken: Record<Side, Map<number, string>> = { A: new Map(), B: new Map() };
  readonly #wrong = new Set<string>();

  constructor(sites: Sites) {
    this.#sites = sites;
  }

  /** Reads all key files as they are now. */
  async look(): Promise<Look> {
    const [A, B] = [await this.#shelf(this.#sites.a), await this.#shelf(this.#sites.b)];
    return { A, B, wrong: [...this.#wrong] };
  }

  /** Takes all key files away, as whoever uses the keys would. */
  async consume(): Promise<void> {
    for (const site of [this.#sites.a, this.#sites.b]) {
      for (const [index, text] of await this.#shelf(site)) {
        this.#taken[site.side].set(index, text);
        await rm(join(site.keys, `${site.peer}_${index}`), { force: true });
      }
    }
  }

  /** Everything on both disks that a settled site does not have. */
  async leftOvers(): Promise<string[]> {
    const found: string[] = [];
    for (const site of [this.#sites.a, this.#sites.b]) {
      const lines = await diskTree(site.folder);
      const marks = lines.filter((line) => /\/index\/\d+ /.test(line)).length;
      if (marks > 2) found.push(`${site.side} has ${marks} marks`);
      found.push(...lines.filter((line) => !allowed(site).test(line)).map((line) => `${site.side}: ${line}`));
    }
    return found;
  }

  /** The highest number that each site has done with: both must go on with the same. */
  async marks(): Promise<Readonly<Record<Side, number>>> {
    const highest = async (site: Site): Promise<number> => {
      const names = await readdir(join(site.state, site.peer, 'index')).catch(() => []);
      return Math.max(-1, ...names.map(Number));
    };
    return { A: await highest(this.#sites.a), B: await highest(this.#sites.b) };
  }

  async #shelf(site: Site): Promise<Map<number, string>> {
    const taken = this.#taken[site.side];
    const shelf = new Map(taken);
    for (const name of await readdir(site.keys).catch(() => [])) {
      if (name === PROBE) continue;
      const path = join(site.keys, name);
      const [, number] = new RegExp(`^${site.peer}_(\\d+)$`).exec(name) ?? [];
      const [text, facts] = [await readFile(path, 'utf8'), await lstat(path)];
      if (number === undefined || !KEY_FILE.test(text)) this.#wrong.add(`half-made: ${site.side} ${name}`);
      if ((facts.mode & 0o7777) !== 0o600) this.#wrong.add(`mode: ${site.side} ${name}`);
      if (taken.has(Number(number))) this.#wrong.add(`duplicate: ${site.side} ${name} came again`);
      if ([...shelf.values()].includes(text)) this.#wrong.add(`duplicate: ${site.side} ${name}`);
      shelf.set(Number(number), text);
    }
    return shelf;
  }
}

/** What lies on the disk of a site where nothing is open, each with its mode. */
function allowed({ peer }: Site): RegExp {
  const inPeer = '(?:(?:initiator|responder|names|index)/ 700|index/\\d+ 600)';
  const inState = `(?:\\.trash/ 700|state-id 600|${peer}/ 700|${peer}/${inPeer})`;
  return new RegExp(
    `^(?:keys/ 700|keys/${peer}/ 700|keys/${peer}/${peer}_\\d+ 600|exchanges/ 700|exchanges/${inState})$`,
  );
}

/** Whether both have the same files with the same content. */
export function agree({ A, B }: Pick<Look, 'A' | 'B'>): boolean {
  return A.size === B.size && [...A].every(([index, text]) => B.get(index) === text);
}
