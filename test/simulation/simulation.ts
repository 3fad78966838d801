/**
 * One run of the whole: two sites live through a scenario, are left in peace, meet again, and must then agree.
 *
 * Calling sequence, from a macrotask: `begin`, then `run`, at last `verdict`; or `advance` instead of `run`, as far
 * as `remains` are wanted of.
 */
import type { RunReport } from '../../src/exchange/outcome.js';
import type { PublishedFile } from '../../src/store/context.js';
import { disagreements } from './agreement.js';
import { Askers } from './askers.js';
import { numberGiven } from './circumstances.js';
import { Claims } from './claims.js';
import { Decrees } from './decrees.js';
import type { Dice } from './dice.js';
import type { Stroke } from './fault.js';
import { Host } from './host.js';
import { Intruder } from './intruder.js';
import { KeyStore } from './kme.js';
import { Ledger } from './ledger.js';
import { Network } from './network.js';
import { Operators } from './operators.js';
import { Party } from './party.js';
import { Plan } from './plan.js';
import type { Process } from './process.js';
import { Remains } from './remains.js';
import { Reunion } from './reunion.js';
import type { Scenario } from './scenario.js';
import { Site, type RunKind } from './site.js';
import { Sleepers } from './sleepers.js';
import type { Verdict } from './verdict.js';
import { World } from './world.js';

const WAIT_MS = 60_000;

export class Simulation {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #keyStore = new KeyStore();
  readonly #a: Party;
  readonly #b: Party;
  readonly #claims: Claims;
  readonly #decrees: Decrees;
  readonly #operators: Operators;
  readonly #intruder: Intruder | undefined;
  readonly #reunion: Reunion;
  readonly #violations: string[] = [];
  readonly #beyondPromise: string[] = [];
  readonly #askers: Askers;
  readonly #sleepers: Sleepers;
  readonly #answering: readonly Party[];
  readonly #reports = new Map<Process, RunReport>();
  #healing = false;

  constructor(dice: Dice, scenario: Scenario, trace?: (line: string) => void) {
    this.#scenario = scenario;
    const world = new World(
      dice,
      trace &&
        ((line) => {
          trace(`${String(world.now).padStart(6)} ${line}`);
        }),
    );
    this.#world = world;
    world.temper = scenario.temper;
    this.#plan = new Plan(scenario.faults, {
      struck: (what) => {
        this.#struck(what);
      },
      froze: (process) => {
        world.swift = false;
        this.#sleepers.add(process);
      },
      noticed: (host, operation) => {
        this.#intruder?.notice(host, operation);
      },
    });
    this.#sleepers = new Sleepers(world, () => this.#plan, scenario.waking);
    const network = new Network(world, (_, type) => this.#plan.pass(type));
    const keyStore = this.#keyStore;
    const complain = (violation: string): void => {
      this.complain(violation);
    };
    const elsewhere = scenario.launches.some((launch) => launch.elsewhere);
    const { circumstances } = scenario;
    this.#decrees = new Decrees(complain);
    this.#claims = new Claims(complain, this.#bemoan, elsewhere, this.#decrees);
    const party = (id: string, peer: string): Party => {
      const host = new Host(id, world, this.#plan);
      const onExit = (process: Process, end: RunReport | Error): void => {
        this.#exited(process, end);
      };
      const onPublished = (file: PublishedFile): void => {
        this.#claims.note(file);
      };
      const site = new Site(host, peer, { network, keyStore, terms: circumstances, onExit, onPublished });
      return new Party(site, new Ledger(host, keyStore, complain));
    };
    this.#a = party('A', 'B');
    this.#b = party('B', 'A');
    this.#answering = scenario.anyRole ? [this.#a, this.#b] : [this.#b];
    const { alien, orders } = circumstances;
    this.#intruder = alien && new Intruder(alien, this.#party(alien.host), world);
    const partyOf = (id: string): Party => this.#party(id);
    this.#askers = new Askers(world, ({ host, kind, elsewhere }) =>
      this.#launch(this.#party(host), kind, false, elsewhere),
    );
    this.#operators = new Operators(orders, partyOf, world, this.#decrees, (process) => {
      this.#askers.add(process);
    });
    this.#reunion = new Reunion(
      { scenario, decrees: this.#decrees, operators: this.#operators, intruder: this.#intruder },
      [this.#a, this.#b],
      {
        step: () => this.#step(),
        reportOf: (process) => this.#reports.get(process),
        complain,
      },
    );
  }

  complain(violation: string): void {
    this.#world.trace?.(`!!! ${violation}`);
    this.#violations.push(violation);
  }

  /** Complains of something that has not lasted, or will not: of a disk that deceives nobody promises that. */
  readonly #bemoan = (loss: string): void => {
    if (!this.#a.host.isDeceiving && !this.#b.host.isDeceiving) {
      this.complain(loss);
      return;
    }
    this.#world.trace?.(`!!! beyond what is promised: ${loss}`);
    this.#beyondPromise.push(loss);
  };

  verdict(): Verdict {
    const { operations, messages } = this.#plan;
    return {
      violations: this.#violations,
      beyondPromise: this.#beyondPromise,
      contacts: this.#reunion.contacts,
      saved: this.#a.ledger.saved.size,
      unsaved:
        this.#keyStore.byContent.size -
        new Set([...this.#a.ledger.saved.keys(), ...this.#b.ledger.saved.keys()]).size,
      steps: this.#world.steps,
      operations,
      messages,
    };
  }

  /** @param remains what the run begins with, where the scenario says that something was cut off */
  begin(remains?: Remains): void {
    const { cutOff, launches } = this.#scenario;
    remains?.restore([this.#a, this.#b], this.#keyStore);
    if (cutOff !== undefined) {
      this.#world.now += cutOff.agoMs;
      for (const site of cutOff.powerLost) this.#party(site).host.losePower();
    }
    this.#intruder?.begin();
    for (const party of this.#answering) this.#answer(party);
    for (const launch of launches) this.#askers.schedule(launch);
  }

  /** One step, while somebody asks or will; false where there is none any more. */
  advance(): boolean {
    return this.#askers.any && this.#step();
  }

  /** What would be left if both sites were cut off now. The simulation must go no further then. */
  remains(): Remains {
    return new Remains([this.#a, this.#b], this.#keyStore);
  }

  run(): void {
    while (this.advance());
    this.#operators.end();
    while (this.advance());
    this.#rest();
    this.#reunion.settle();
    this.#judge();
    // All that was promised to last must last.
    for (const { host } of [this.#a, this.#b]) host.losePower();
    this.#judge();
    if (!this.#scenario.meetsAgain) return;
    this.#reunion.meetAgain();
    this.#judge();
  }

  #party(id: string): Party {
    return id === 'A' ? this.#a : this.#b;
  }

  #launch(party: Party, kind: RunKind, serve: boolean, elsewhere = false): Process {
    const { anyRole, circumstances } = this.#scenario;
    const index = numberGiven(circumstances, party.host.id, this.#world.now);
    return party.site.launch(kind, { anyRole, serve, elsewhere, timeoutMs: WAIT_MS, index });
  }

  #answer(party: Party): void {
    party.responder = this.#launch(party, 'respond', this.#scenario.serve);
  }

  /** One step of the world, of whoever wakes sleepers up and brings responders back, and of who takes files away. */
  #step(): boolean {
    const world = this.#world;
    const { swift, greed } = this.#scenario;
    world.swift = swift && !this.#sleepers.any;
    const moved = world.step();
    let awake = moved;
    if (this.#sleepers.any && this.#sleepers.wake(!moved || this.#askers.areIdle)) awake = true;
    this.#askers.forgetEnded();
    if (greed > 0 && world.dice.chance(greed)) world.dice.pick([this.#a, this.#b]).take();
    if (this.#healing) return awake;
    for (const party of this.#answering) {
      if (party.responder?.alive !== false) continue;
      party.responder = undefined;
      if (!this.#askers.any) continue;
      world.after(world.dice.small(3_000), undefined, () => {
        if (!this.#healing && this.#askers.any) this.#answer(party);
      });
      awake = true;
    }
    return awake;
  }

  #struck(what: Stroke['do'] | 'message'): void {
    const { dice } = this.#world;
    this.#operators.struck();
    // A site that sleeps is what overlapping runs are for; where nothing more can go wrong, the contact in peace is
    // as good as any.
    if (what !== 'freeze' && !(this.#plan.armed && dice.chance(this.#scenario.persistence))) return;
    const at = dice.pick([0, 0, dice.small(3_000), 5_000 + dice.small(20_000)]);
    const asker = this.#scenario.anyRole ? dice.pick(['A', 'B']) : 'A';
    this.#askers.schedule({
      at,
      host: asker,
      kind: dice.chance(0.4) ? 'initiate' : 'recover',
      elsewhere: false,
    });
  }

  #exited(process: Process, end: RunReport | Error): void {
    if (end instanceof Error) {
      this.complain(`${process.name} ended with a bug: ${String(end.stack)}`);
      return;
    }
    this.#reports.set(process, end);
    const here = this.#party(process.host.id);
    const there = here === this.#a ? this.#b : this.#a;
    this.#claims.hear(process, end, here, there);
  }

  /** Nothing goes wrong any more; who still runs comes to its end. */
  #rest(): void {
    this.#plan.makePeace();
    this.#healing = true;
    this.#world.temper = { sticky: 0, hasty: 0 };
    this.#sleepers.wake(true);
    for (const { responder } of this.#answering) {
      if (responder === undefined || !(this.#scenario.serve || this.#world.dice.chance(0.3))) continue;
      this.#world.add({
        actor: responder,
        run: () => {
          responder.interrupt();
        },
      });
    }
    while (this.#step());
    for (const { responder } of [this.#a, this.#b]) {
      if (responder?.alive === true) this.complain(`${responder.name} does not end`);
    }
    for (const party of [this.#a, this.#b]) party.mend();
  }

  #judge(): void {
    const [atA, atB] = [this.#a.ledger.saved, this.#b.ledger.saved];
    const { circumstances } = this.#scenario;
    for (const split of disagreements(atA, atB, circumstances, this.#decrees)) this.#bemoan(split);
    this.#claims.verify((keyId) => atA.has(keyId) && atB.has(keyId));
    this.#decrees.verify();
  }
}
