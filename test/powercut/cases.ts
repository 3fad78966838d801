/** The states of both sites' disks in which the power can go during an exchange. */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../crash/bench.js';
import { Sites, type Side } from '../crash/site.js';
import { diskTree } from '../support/disk-tree.js';
import { Disk, readImage, type KindName } from './disk.js';
import { steppedRun, type FailedCut, type Snapshot, type Snapshots } from './stepped-run.js';

/** A stepping site is slow, and the other one waits for it. */
const ACK_TIMEOUT = '30s';

export interface Case {
  /** The site that steps and before which of its calls: `B:51`. */
  readonly cut: string;
  /** Whose power is cut. */
  readonly whose: Side | 'both';
  /** A folder with `a` and `b` as they are after the restart. */
  readonly folder: string;
  /** The exchange had ended well. */
  readonly over: boolean;
}

export interface Cases {
  /** One for each state. */
  readonly cases: readonly Case[];
  /** All cuts, many of which leave the same. */
  readonly cuts: number;
  /** Before how many calls of both sites the power went, of how many that there are. */
  readonly calls: Readonly<{ cut: number; of: number }>;
  readonly failed: readonly FailedCut[];
}

/** Where the power goes. */
export interface WhereCut {
  /** Before which calls of which site. */
  readonly chosen: (side: Side, at: number) => boolean;
  /** Which sites take their turns at stepping. */
  readonly sides?: readonly Side[];
}

export interface CutOrder extends WhereCut {
  /** A planted bug: no fsync does anything. */
  readonly noFsync?: boolean;
  /** The package in the place of the sound one. */
  readonly packed?: string | undefined;
}

export async function casesOf(bench: Bench, kind: KindName, order: CutOrder): Promise<Cases> {
  const cases = new Map<string, Case>();
  const failed: FailedCut[] = [];
  let cuts = 0;
  const calls = { cut: 0, of: 0 };
  for (const side of order.sides ?? (['A', 'B'] as const)) {
    const folder = bench.newFolder();
    const run = await snapshotsOf(bench, kind, folder, side, order);
    failed.push(...run.failed);
    calls.of += run.calls;
    for (const snapshot of run.snapshots) {
      if (!snapshot.over) calls.cut += 1;
      try {
        for (const one of await restart(kind, folder, side, snapshot)) {
          cuts += 1;
          const state = await fingerprint(one.folder);
          if (cases.has(state) && !one.over) await rm(one.folder, { recursive: true });
          else cases.set(state, one);
        }
      } catch (error) {
        failed.push({ cut: `${side}:${snapshot.at}`, why: (error as Error).message });
      }
    }
  }
  return { cases: [...cases.values()], cuts, calls, failed };
}

async function snapshotsOf(
  bench: Bench,
  kind: KindName,
  folder: string,
  side: Side,
  { chosen, noFsync = false, packed }: CutOrder,
): Promise<Snapshots> {
  const A = await Disk.make(kind, join(folder, 'a'));
  try {
    const B = await Disk.make(kind, join(folder, 'b'));
    try {
      const sites = await Sites.open(folder, bench.around(packed, ACK_TIMEOUT));
      try {
        return await steppedRun(sites, { A, B }, { side, noFsync, chosen: (at) => chosen(side, at) });
      } finally {
        await sites.stop();
      }
    } finally {
      await B.close();
    }
  } finally {
    await A.close();
  }
}

/** What both sites find: a disk after the cut, or, where the power stayed, what its processes saw. */
async function restart(
  kind: KindName,
  folder: string,
  side: Side,
  { at, over, image, seen }: Snapshot,
): Promise<Case[]> {
  const restarted = join(folder, `restarted-${at}`);
  for (const of of ['a', 'b'] as const) {
    await readImage(kind, image[of === 'a' ? 'A' : 'B'], join(restarted, of));
  }
  const cases: Case[] = [];
  for (const whose of [side, 'both'] as const) {
    const found = join(folder, `case-${at}-${whose}`);
    for (const of of ['A', 'B'] as const) {
      const from = whose === 'both' || whose === of ? restarted : seen;
      await cp(join(from, of.toLowerCase()), join(found, of.toLowerCase()), { recursive: true });
    }
    cases.push({ cut: `${side}:${at}`, whose, folder: found, over });
  }
  for (const done of [restarted, seen]) await rm(done, { recursive: true });
  return cases;
}

/** Names, modes and contents below a folder. */
async function fingerprint(folder: string): Promise<string> {
  const hash = createHash('sha256').update((await diskTree(folder)).join('\n'));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  for (const path of files.map((file) => join(file.parentPath, file.name)).sort()) {
    hash.update(`\n${path.slice(folder.length)}\n`).update(await readFile(path));
  }
  return hash.digest('hex');
}
