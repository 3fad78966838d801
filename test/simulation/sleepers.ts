/** Frozen processes, and when each is woken up: after a while, when another one comes to a spot, or when all else is done. */
import type { Sleeper } from './fault.js';
import type { Plan } from './plan.js';
import { WAKING_SPOTS } from './recipe.js';
import type { Spot } from './spot.js';
import type { World } from './world.js';

const NAP_STEPS = 400;
const NAP_MS = 40_000;

export class Sleepers {
  readonly #world: World;
  readonly #plan: () => Plan;
  readonly #waking: Spot | undefined;
  readonly #asleep: { readonly process: Sleeper; readonly atStep: number }[] = [];

  /** @param waking where another process of A must be for all to be woken up; anywhere, where undefined */
  constructor(world: World, plan: () => Plan, waking: Spot | undefined) {
    this.#world = world;
    this.#plan = plan;
    this.#waking = waking;
  }

  add(process: Sleeper): void {
    const { dice, steps } = this.#world;
    if (this.#waking !== undefined) {
      this.#asleep.push({ process, atStep: Infinity });
      this.#plan().wakeAt(process, 'A', this.#waking, 1);
      return;
    }
    const how = dice.below(5);
    // At the latest once nobody else is left.
    this.#asleep.push({ process, atStep: how < 2 ? steps + dice.small(NAP_STEPS) : Infinity });
    if (how === 2) {
      this.#world.after(dice.small(NAP_MS), undefined, () => {
        process.thaw();
      });
    }
    if (how > 2) this.#plan().wakeAt(process, process.host.id, dice.pick(WAKING_SPOTS), dice.small(4));
  }

  get any(): boolean {
    return this.#asleep.length > 0;
  }

  /** Wakes up whose time has come, or all; whether it has woken anybody up. */
  wake(all: boolean): boolean {
    const due = this.#asleep.filter(({ atStep }) => all || atStep <= this.#world.steps);
    for (const one of due) {
      this.#asleep.splice(this.#asleep.indexOf(one), 1);
      one.process.thaw();
    }
    return due.length > 0;
  }
}
