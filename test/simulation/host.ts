/** One machine: its disk, its boot ID, its locks, and the processes that run on it. */
import { Disk } from './disk.js';
import type { Nemesis } from './fault.js';
import type { PowerLoss } from './power-loss.js';
import type { Dice } from './dice.js';
import type { World } from './world.js';

/** A process, as far as its machine can do something to it. */
export interface Mortal {
  readonly alive: boolean;
  /** @param silently without its connections being closed, as when the machine itself is gone */
  die(silently: boolean): void;
}

/** A lock's folder, as proper-lockfile uses it: who renewed it last, and when. */
export interface HeldLock {
  holder: object;
  renewedAt: number;
}

/** Room on the disk, in bytes. */
export const FREE_BYTES = 1 << 30;

export class Host {
  readonly id: string;
  readonly world: World;
  readonly disk = new Disk();
  readonly processes = new Set<Mortal>();
  readonly locks = new Map<string, HeldLock>();
  readonly keys: string;
  readonly state: string;
  /** The state folder of another HOME on the same machine. */
  readonly otherState: string;
  /** Shared by all hosts; what goes wrong now. */
  nemesis: Nemesis;
  /** Told after each power loss. */
  afterPowerLoss: (loss: PowerLoss) => void = () => undefined;
  /** Told of each file that a run is about to delete. */
  beforeUnlink: (path: string) => void = () => undefined;
  /** An fsync has failed: what was decided may be taken back by the machine's next start. */
  isShaken = false;
  /**
   * Whoever was told that an fsync had failed was struck before he could make the mark of it. What this disk shows may
   * go with the power, and nobody can know (docs/reliability.md, "What is not promised").
   */
  isDeceiving = false;
  /** What was moved into its place since the simulation began, each path with the step of the world at which it was. */
  readonly moved = new Map<string, number>();
  /** As random as the kernel makes it. */
  bootId: string;

  constructor(id: string, world: World, nemesis: Nemesis) {
    this.id = id;
    this.world = world;
    this.nemesis = nemesis;
    this.bootId = bootIdFrom(world.dice);
    this.disk.prepare(`/${id}`);
    this.keys = `/${id}/keys`;
    this.state = `/${id}/exchanges`;
    this.otherState = `/${id}/other-exchanges`;
  }

  /** All that runs here is gone, and so is what was not durable. */
  losePower(): void {
    this.world.trace?.(`${this.id}: power loss`);
    for (const process of this.processes) process.die(true);
    this.processes.clear();
    this.bootId = bootIdFrom(this.world.dice);
    this.afterPowerLoss(this.disk.losePower(this.world.dice));
  }
}

function bootIdFrom(dice: Dice): string {
  return Buffer.from(dice.bytes(8)).toString('hex');
}
