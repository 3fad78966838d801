/** Who asks in a run: initiators, operators, and those who have yet to come. All else ends once nobody asks any more. */
import type { Process } from './process.js';
import type { Launch } from './scenario.js';
import type { World } from './world.js';

/** More than so many do not come. */
const LAUNCHES_MAX = 5;

export class Askers {
  readonly #world: World;
  readonly #launch: (launch: Launch) => Process;
  readonly #processes = new Set<Process>();
  #launches = 0;
  #toCome = 0;

  constructor(world: World, launch: (launch: Launch) => Process) {
    this.#world = world;
    this.#launch = launch;
  }

  add(process: Process): void {
    this.#processes.add(process);
  }

  schedule(launch: Launch): void {
    if (this.#launches >= LAUNCHES_MAX) return;
    this.#launches += 1;
    this.#toCome += 1;
    this.#world.after(launch.at, undefined, () => {
      this.#toCome -= 1;
      this.#processes.add(this.#launch(launch));
    });
  }

  forgetEnded(): void {
    for (const process of this.#processes) if (!process.alive) this.#processes.delete(process);
  }

  /** Somebody asks, or will. */
  get any(): boolean {
    return this.#processes.size > 0 || this.#toCome > 0;
  }

  /** Nobody is left who asks, but those who sleep. */
  get areIdle(): boolean {
    return this.#toCome === 0 && [...this.#processes].every(({ alive, frozen }) => !alive || frozen);
  }
}
