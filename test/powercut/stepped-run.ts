/**
 * One exchange that stands still before each call by which one site changes its disk, so that all disks can be copied
 * as they are at that instant.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliProcess } from '../support/cli-process.js';
import { readLog, type ShimUse } from '../crash/shim.js';
import { other, type Side, type Sites } from '../crash/site.js';
import type { Disk } from './disk.js';

/** The other site gets so long to do what it has been told. */
const QUIET_MS = 20;

/** Between its word that it will stand still and its standing still. */
const STAND_MS = 3;

/** After so long without a call the process may have been sent on before it stood still. */
const STUCK_MS = 1_000;

export interface Snapshot {
  /** Before which call of the site; beyond the last one for the end of the exchange. */
  readonly at: number;
  readonly over: boolean;
  /** The image of each site's disk. */
  readonly image: Readonly<Record<Side, string>>;
  /** A folder with `a` and `b` as each site's own processes saw them. */
  readonly seen: string;
}

/** Where it could not be told what a power cut leaves: the exchange, or the harness, did not come so far. */
export interface FailedCut {
  /** `B:51`; of an exchange that fails, where it stood still last. */
  readonly cut: string;
  readonly why: string;
}

export interface Snapshots {
  readonly snapshots: readonly Snapshot[];
  /** How many calls the stepping site has made. */
  readonly calls: number;
  readonly failed: readonly FailedCut[];
}

export interface SteppedRun {
  readonly side: Side;
  /** A planted bug: no fsync of either site does anything. */
  readonly noFsync: boolean;
  /** Before which calls the disks are copied. */
  readonly chosen: (at: number) => boolean;
}

/** Runs the exchange with that site stepping. What cannot be copied keeps nothing else from being copied. */
export async function steppedRun(
  sites: Sites,
  disks: Readonly<Record<Side, Disk>>,
  { side, noFsync, chosen }: SteppedRun,
): Promise<Snapshots> {
  const snapshots: Snapshot[] = [];
  const failed: FailedCut[] = [];
  const fail = (at: number, why: string): void => {
    failed.push({ cut: `${side}:${at}`, why });
  };
  const site = sites.of(side);
  const stepping: ShimUse = { root: site.folder, log: site.log, step: true, noFsync };
  const use = (of: Side): ShimUse => (of === side ? stepping : { root: sites.of(of).folder, noFsync });

  const copy = async (at: number, over: boolean): Promise<void> => {
    const seen = join(sites.folder, `seen-${side}-${at}`);
    const image = { A: `${seen}-A.img`, B: `${seen}-B.img` };
    try {
      for (const of of ['A', 'B'] as const) {
        await disks[of].copy(image[of]);
        await cp(sites.of(of).folder, join(seen, of.toLowerCase()), { recursive: true });
      }
      snapshots.push({ at, over, image, seen });
    } catch (error) {
      // The exchange has to go on, or its processes would stand still until their deadline.
      fail(at, (error as Error).message);
    }
  };
  let last: number | undefined;
  /** The process stands still; its counterpart does what it has been told, and then stands still too. */
  const pause = async (at: number): Promise<void> => {
    await sleep(chosen(at) ? QUIET_MS : STAND_MS);
    if (!chosen(at)) return;
    last = at;
    const mate = sites.of(other(side)).processes.at(-1);
    mate?.kill('SIGSTOP');
    await copy(at, false);
    mate?.kill('SIGCONT');
  };

  const responding = sites.b.respond(use('B'));
  const responder = sites.b.processes.at(-1);
  if (responder === undefined) throw new Error('no responder has been started');
  const steps = side === 'B' ? step(responder, site.log, pause) : undefined;
  const { port = 0 } = await responding;
  const contact = sites.a.contact('initiate', port, use('A'));
  const calls = await (steps ?? step(contact, site.log, pause));
  const ends = [await contact.ended, await responder.ended];
  if (ends.every(({ code }) => code === 0)) await copy(calls + 1, true);
  else fail(last ?? calls, `the exchange in steps failed:\n${ends.map(({ stderr }) => stderr).join('')}`);
  return { snapshots, calls, failed };
}

/** Goes with the process from call to call until it ends; answers how many there were. */
async function step(process: CliProcess, log: string, pause: (at: number) => Promise<void>): Promise<number> {
  const life = { over: false };
  void process.ended.then(() => {
    life.over = true;
  });
  let done = 0;
  let since = Date.now();
  while (!life.over) {
    const { hits } = await readLog(log);
    const at = hits.at(done);
    if (at === undefined) {
      await sleep(STAND_MS);
      if (Date.now() - since < STUCK_MS) continue;
    } else {
      await pause(at);
      done += 1;
    }
    process.kill('SIGCONT');
    since = Date.now();
  }
  return done;
}
