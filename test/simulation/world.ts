/**
 * The simulated world's time and its next step: of all that could happen now, one thing is chosen by the dice, done,
 * and what follows from it inside the processes is let run to its end before the next one.
 *
 * Calling sequence: `add` what is ready and `after` what is due later; `step` until there is nothing left. Must be
 * driven from a macrotask: inside a microtask the queue of promises cannot be drained.
 */
import type { Dice } from './dice.js';

/** Whoever a task belongs to: one that is frozen does nothing until it thaws, one that is dead nothing any more. */
export interface Actor {
  readonly name: string;
  readonly alive: boolean;
  readonly frozen: boolean;
  /** What has come up while it was frozen. */
  readonly held: Task[];
}

export interface Task {
  readonly actor: Actor | undefined;
  run(): void;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly actor: Actor | undefined;
  readonly wake: () => void;
  cancelled: boolean;
}

/** How the next task is chosen among those that are ready. */
export interface Temper {
  /** The chance that whoever was at work goes on. */
  readonly sticky: number;
  /** The chance that a timer goes off before all that is ready has been done. */
  readonly hasty: number;
}

type Drain = () => void;

/** Lets all promises run that can; Node has it for embedders, and nothing else does it without leaving the macrotask. */
const drain: Drain = (process as unknown as { readonly _tickCallback: Drain })._tickCallback;

/** More steps than any run needs: one that takes more never ends. */
const STEPS_MAX = 60_000;

export class World {
  /** Virtual milliseconds. */
  now = 0;
  steps = 0;
  /** Nobody does anything between two steps, so that a process who is alone may take several in one go. */
  swift = false;
  temper: Temper = { sticky: 0, hasty: 0 };
  /** Told what happens, where somebody wants to read it. */
  readonly trace: ((line: string) => void) | undefined;
  readonly dice: Dice;
  readonly #ready: Task[] = [];
  /** The earliest last. */
  readonly #timers: Timer[] = [];
  #order = 0;
  #last: Actor | undefined;

  constructor(dice: Dice, trace?: (line: string) => void) {
    this.dice = dice;
    this.trace = trace;
  }

  add(task: Task): void {
    const { actor } = task;
    if (actor === undefined) this.#ready.push(task);
    else if (actor.frozen) actor.held.push(task);
    else if (actor.alive) this.#ready.push(task);
  }

  /** As `add`; at once where nothing else could come before it. */
  do(task: Task): void {
    const { actor } = task;
    const alone = this.swift && this.#ready.length === 0 && this.#last === actor;
    if (!alone || actor?.alive !== true || actor.frozen || this.steps >= STEPS_MAX) {
      this.add(task);
      return;
    }
    this.steps += 1;
    task.run();
  }

  /** Calls `wake` as a step of its own once `ms` have passed; the answer cancels it. */
  after(ms: number, actor: Actor | undefined, wake: () => void): () => void {
    this.#order += 1;
    const timer = { at: this.now + Math.max(0, ms), order: this.#order, actor, wake, cancelled: false };
    const timers = this.#timers;
    let place = timers.length;
    timers.push(timer);
    for (; place > 0; place -= 1) {
      const earlier = timers[place - 1];
      if (earlier === undefined || earlier.at > timer.at) break;
      timers[place] = earlier;
    }
    timers[place] = timer;
    return () => {
      timer.cancelled = true;
    };
  }

  /** What is ready and belongs to this actor, taken out: it has been frozen. */
  takeAll(actor: Actor): Task[] {
    const taken = this.#ready.filter((task) => task.actor === actor);
    let kept = 0;
    for (const task of this.#ready) {
      if (task.actor === actor) continue;
      this.#ready[kept] = task;
      kept += 1;
    }
    this.#ready.length = kept;
    return taken;
  }

  /** Does one thing; false where nothing is left to do, not even later. */
  step(): boolean {
    const task = this.#choose();
    if (task === undefined) return false;
    this.steps += 1;
    if (this.steps > STEPS_MAX) throw new Error(`no end after ${STEPS_MAX} steps`);
    task.run();
    drain();
    return true;
  }

  #choose(): Task | undefined {
    const ready = this.#ready;
    const { sticky, hasty } = this.temper;
    if (ready.length === 0 || (hasty > 0 && this.dice.chance(hasty))) {
      const due = this.#nextTimer();
      if (due !== undefined) return due;
    }
    if (ready.length === 0) return undefined;
    let at = ready.length === 1 ? 0 : this.dice.below(ready.length);
    if (ready.length > 1 && sticky > 0 && this.dice.chance(sticky)) {
      const mine = ready.findIndex(({ actor }) => actor === this.#last);
      if (mine >= 0) at = mine;
    }
    const chosen = ready[at];
    const last = ready.pop();
    if (last !== undefined && at < ready.length) ready[at] = last;
    if (chosen?.actor?.alive === false) return this.#choose();
    this.#last = chosen?.actor;
    return chosen;
  }

  #nextTimer(): Task | undefined {
    for (;;) {
      const timer = this.#timers.pop();
      if (timer === undefined) return undefined;
      const { actor, wake, at } = timer;
      if (timer.cancelled || actor?.alive === false) continue;
      const task = {
        actor,
        run: (): void => {
          if (!timer.cancelled) wake();
        },
      };
      if (actor?.frozen === true) {
        actor.held.push(task);
        continue;
      }
      this.now = Math.max(this.now, at);
      return task;
    }
  }
}
