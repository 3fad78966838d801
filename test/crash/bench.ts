/**
 * What all cases share: the package under test, the shim, one KME pair for everybody, and worlds to begin in.
 *
 * Calling sequence: `Bench.open`, then `sites` for each case; `close` at the end. A world is made when it is first
 * asked for, by real runs, and copied for each case.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { systemRandom } from '../../src/base/random.js';
import { startKmePair, type KmePair } from '../../src/kme-pair/kme-pair.js';
import { packInto } from './packed.js';
import { SCENARIOS, type ScenarioName, type World } from './point.js';
import { buildShim, readLog, type Call, type How } from './shim.js';
import { Sites, type Side, type Site, type Surroundings } from './site.js';

/** Long enough for a FIN on a slow machine, short enough to wait it out often. */
const ACK_TIMEOUT = '1500ms';

const INTERRUPTED = 130;

/** What one undisturbed run does on each disk. */
export type Calls = Readonly<Record<Side, readonly Call[]>>;

export class Bench {
  readonly folder: string;
  readonly packed: string;
  readonly #shim: string;
  readonly #pair: KmePair;
  readonly #worlds = new Map<World, Promise<string>>();
  #count = 0;

  private constructor(folder: string, packed: string, shim: string, pair: KmePair) {
    this.folder = folder;
    this.packed = packed;
    this.#shim = shim;
    this.#pair = pair;
  }

  /** @param project the root of the source tree */
  static async open(project: string): Promise<Bench> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'qkd-sync-crash-')));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        rmSync(folder, { recursive: true, force: true });
        process.exit(INTERRUPTED);
      });
    }
    try {
      const shim = await buildShim(join(project, 'test/crash/crashfs.c'), folder);
      const packed = await packInto(project, folder);
      const pair = await startKmePair({
        dir: join(folder, 'kmes'),
        portA: 0,
        portB: 0,
        clock: systemClock,
        random: systemRandom,
        log: () => undefined,
      });
      return new Bench(folder, packed, shim, pair);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pair.close();
    // After a failure a process may still be writing as it is ended.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  around(packed = this.packed, ackTimeout = ACK_TIMEOUT): Surroundings {
    const { configA, configB } = this.#pair;
    return { packed, shim: this.#shim, config: { A: configA, B: configB }, ackTimeout };
  }

  /** New sites in the world of a scenario. */
  async sites(scenario: ScenarioName, packed?: string): Promise<Sites> {
    const { world } = SCENARIOS[scenario];
    const from = world === undefined ? undefined : await this.world(world);
    return Sites.open(this.newFolder(), this.around(packed), from);
  }

  newFolder(): string {
    this.#count += 1;
    return join(this.folder, `case-${this.#count}`);
  }

  /** The calls of a scenario that nothing disturbs, at both sites. */
  async calls(scenario: ScenarioName, packed?: string): Promise<Calls> {
    const sites = await this.sites(scenario, packed);
    try {
      const { a, b } = sites;
      const responder = await b.respond({ root: b.folder, log: b.log });
      const { command } = SCENARIOS[scenario];
      const end = await a.contact(command, responder.port ?? 0, { root: a.folder, log: a.log }).ended;
      const responderEnd = await responder.process.ended;
      if (end.code !== 0 || responderEnd.code !== 0) {
        throw new Error(
          `scenario ${scenario} does not work undisturbed:\n${end.stderr}${responderEnd.stderr}`,
        );
      }
      return { A: (await readLog(a.log)).calls, B: (await readLog(b.log)).calls };
    } finally {
      await sites.close();
    }
  }

  /** A folder with an `a` and a `b` as such a world has them. */
  world(world: World): Promise<string> {
    const made = this.#worlds.get(world) ?? this.#make(world);
    this.#worlds.set(world, made);
    return made;
  }

  async #make(world: World): Promise<string> {
    const folder = join(this.folder, `world-${world}`);
    const sites = await Sites.open(folder, this.around());
    const { A: calls } = world === 'used' ? { A: [] } : await this.calls('first');
    switch (world) {
      case 'used':
        for (let count = 0; count < 3; count += 1) await exchange(sites);
        break;
      case 'voted':
        await exchange(sites, 'kill-before', find(calls, 'creat', /\.staged\/beta$/));
        break;
      case 'decided':
        await exchange(sites, 'kill-after', find(calls, 'rename', /\.committed$/) + 1);
        break;
      case 'saved':
        await exchange(sites, 'kill-before', find(calls, 'rename', /\/keys\/B\/B_0$/));
        break;
    }
    for (const site of [sites.a, sites.b]) await forgetLock(site);
    return folder;
  }
}

/** The number of the call of this kind whose last path matches. */
export function find(calls: readonly Call[], kind: string, path: RegExp): number {
  const found = calls.find((call) => call.kind === kind && path.test(call.paths.at(-1) ?? ''));
  if (found === undefined) throw new Error(`no undisturbed run has a ${kind} of ${String(path)}`);
  return found.at;
}

/** One exchange; with a strike A dies, and B is told to stop and ends with what is open. */
async function exchange({ a, b }: Sites, how?: How, at?: number): Promise<void> {
  const responder = await b.respond();
  const strike = how === undefined || at === undefined ? undefined : { how, at };
  await a.contact('initiate', responder.port ?? 0, { root: a.folder, log: a.log, strike }).ended;
  if (strike !== undefined) responder.process.kill('SIGTERM');
  await responder.process.ended;
}

/** As if its owner had died long ago. */
async function forgetLock(site: Site): Promise<void> {
  await rm(join(site.state, site.peer, 'lock'), { recursive: true, force: true });
}
