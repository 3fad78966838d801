/**
 * One run of qkd-sync on a host: it can be killed, frozen and woken up, and told to stop by a signal.
 *
 * A killed process needs no clean-up: nothing that it waits for is ever resolved, so nothing of it runs again.
 */
import type { Clock } from '../../src/base/clock.js';
import type { Host, Mortal } from './host.js';
import type { Actor, Task, World } from './world.js';

/** Something of a process that others see end with it: a connection, a door that it listens at. */
export interface Belonging {
  /** @param silently nobody is told: the machine itself is gone */
  ownerDied(silently: boolean): void;
  ownerFroze(): void;
}

/** 2026-01-01, in milliseconds since 1970. */
const EPOCH = 1_767_225_600_000;

export class Process implements Actor, Mortal {
  readonly name: string;
  readonly host: Host;
  readonly world: World;
  alive = true;
  frozen = false;
  held: Task[] = [];
  /** It was told that an fsync of a folder has failed, and has changed nothing since. */
  isDismayed = false;
  /** Folders that it has listed, each with the step of the world at which it did last. */
  readonly listed = new Map<string, number>();
  /** What it has moved into the trash. */
  readonly trashed = new Set<string>();
  readonly belongings = new Set<Belonging>();
  readonly clock: Clock;
  readonly #interruption = new AbortController();

  constructor(name: string, host: Host) {
    this.name = name;
    this.host = host;
    const { world } = host;
    this.world = world;
    this.clock = {
      now: () => EPOCH + world.now,
      monotonic: () => world.now,
      after: (ms, wake) => world.after(ms, this, wake),
    };
    host.processes.add(this);
  }

  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  /** As SIGTERM does. */
  interrupt(): void {
    this.world.trace?.(`${this.name}: told to stop`);
    this.#interruption.abort();
  }

  kill(): void {
    this.world.trace?.(`${this.name}: killed`);
    this.die(false);
  }

  die(silently: boolean): void {
    if (!this.alive) return;
    this.#end();
    for (const belonging of this.belongings) belonging.ownerDied(silently);
  }

  /** It has come to its end by itself. */
  exit(): void {
    this.#end();
    for (const belonging of this.belongings) belonging.ownerDied(false);
  }

  freeze(): void {
    if (this.frozen || !this.alive) return;
    this.world.trace?.(`${this.name}: frozen`);
    this.held = this.world.takeAll(this);
    this.frozen = true;
    for (const belonging of this.belongings) belonging.ownerFroze();
  }

  thaw(): void {
    if (!this.frozen || !this.alive) return;
    this.world.trace?.(`${this.name}: woken up`);
    this.frozen = false;
    for (const task of this.held.splice(0)) this.world.add(task);
  }

  #end(): void {
    this.alive = false;
    this.frozen = false;
    this.held = [];
    this.host.processes.delete(this);
  }
}
