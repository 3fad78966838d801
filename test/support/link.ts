/**
 * Two sites A and B with a KME each, a network between them, and a time of their own.
 *
 * Time stands still while anything is being done and jumps to the next timer as soon as nothing is: so every wait is
 * waited for in full, takes no real time, and never ends early because the machine is slow.
 */
import { jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from '../../src/exchange/outcome.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { FakeKme, KeyStore } from './fake-kme.js';
import { ManualClock } from './manual-clock.js';
import { MemoryLocks } from './memory-lock.js';
import { MemoryNetwork } from './memory-network.js';
import { TestSite, type Run, type RunOptions } from './site.js';
import { Busyness, watchedFileSystem, type Observe } from './watched-file-system.js';

/** Time in these tests is their own, so a busy machine must not make them fail. */
jest.setTimeout(60_000);

/** Turns of the event loop without anything done after which nothing more will be done without a timer. */
const QUIET_TURNS = 8;

export class Link {
  readonly a: TestSite;
  readonly b: TestSite;
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork();
  readonly keyStore = new KeyStore();
  readonly locks = new MemoryLocks();
  /** Told of each site's file operations before they begin. */
  observe: (site: string, ...operation: Parameters<Observe>) => void = () => undefined;
  readonly #sites: TestSite[] = [];
  readonly #busyness = new Busyness();
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.a = this.site('A');
    this.b = this.site('B');
  }

  static async make(): Promise<Link> {
    return new Link(await mkdtemp(join(tmpdir(), 'qkd-sync-link-')));
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** One more site on the same network. */
  site(id: string): TestSite {
    const { clock, network, locks } = this;
    const fs = watchedFileSystem(nodeFileSystem, this.#busyness, (name, path) => {
      this.observe(id, name, path);
    });
    const around = { folder: this.#folder, clock, network, lock: locks.lock(clock), fs };
    const site = new TestSite(id, new FakeKme(this.keyStore), around);
    this.#sites.push(site);
    return site;
  }

  /** Lets the world go on until `promise` is settled. Fails where nothing is left that could settle it. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const outcome = { settled: false };
    const settle = (): void => {
      outcome.settled = true;
    };
    promise.then(settle, settle);
    while (!outcome.settled) {
      if (!(await this.#rest(() => outcome.settled)) || this.clock.advanceToNext()) continue;
      throw new Error('nothing is left that could go on');
    }
    return promise;
  }

  /** One exchange: both sites at once. Answers A's report and B's. */
  async exchange(options: RunOptions = {}, atB: RunOptions = options): Promise<[RunReport, RunReport]> {
    const answering = this.b.respond([this.a], atB);
    const asking = this.a.initiate(this.b, options);
    return this.both(asking, answering);
  }

  async recover(options: RunOptions = {}): Promise<[RunReport, RunReport]> {
    const answering = this.b.respond([this.a], options);
    return this.both(this.a.recover(this.b, options), answering);
  }

  both(one: Run, other: Run): Promise<[RunReport, RunReport]> {
    return this.until(Promise.all([one.report, other.report]));
  }

  /** Waits until nothing goes on without a timer; false where `enough` came first. */
  async #rest(enough: () => boolean): Promise<boolean> {
    let quiet = 0;
    let seen = -1;
    while (quiet < QUIET_TURNS) {
      await new Promise(setImmediate);
      if (enough()) return false;
      const done = this.#done();
      quiet = this.#busyness.running === 0 && done === seen ? quiet + 1 : 0;
      seen = done;
    }
    return true;
  }

  #done(): number {
    const calls = this.#sites.reduce((sum, { kme }) => sum + kme.calls.length, 0);
    return this.#busyness.begun + this.network.passed.length + this.network.dials + calls;
  }
}
