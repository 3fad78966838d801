/**
 * One site for tests of whole exchanges: real folders and a real store; network, KME, lock and clock from outside.
 *
 * Each run is like a process of its own: a new store on the same folders, its own signal, and it can be killed.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/base/clock.js';
import type { RunHook } from '../../src/exchange/hook.js';
import { initiate, recover, type InitiatorSettings } from '../../src/exchange/initiate.js';
import type { RunReport } from '../../src/exchange/outcome.js';
import { respond, type ResponderSettings } from '../../src/exchange/respond.js';
import type { PeerSite, RunPorts } from '../../src/exchange/run.js';
import type { Terms } from '../../src/exchange/terms.js';
import type { PublishedFile } from '../../src/store/context.js';
import type { FileSystem } from '../../src/store/file-system.js';
import type { Lock } from '../../src/store/lock.js';
import { createStore, type Store } from '../../src/store/store.js';
import type { FakeKme } from './fake-kme.js';
import { faultyFileSystem, NO_FAULT, type Fault } from './faulty-file-system.js';
import type { MemoryNetwork } from './memory-network.js';
import { RecordingLog } from './recording-log.js';

export const TERMS: Terms = {
  count: 1,
  size: 256,
  format: 'hex',
  naming: 'index',
  ackTimeoutMs: 30_000,
  deadlineMs: 600_000,
};

/** What the sites of a link share. */
export interface Surroundings {
  readonly folder: string;
  readonly clock: Clock;
  readonly network: MemoryNetwork;
  readonly lock: Lock;
  readonly fs: FileSystem;
}

export interface RunOptions {
  readonly terms?: Partial<Terms>;
  readonly anyRole?: boolean;
  readonly index?: number;
  readonly lockWaitMs?: number;
  readonly connectWaitMs?: number;
  readonly timeoutMs?: number;
  readonly serve?: boolean;
  readonly peers?: readonly PeerSite[];
  /** Who is dialled, and under which name. */
  readonly peer?: PeerSite;
  readonly sae?: string;
  /** The folder of state, where it is not the site's usual one. */
  readonly state?: string;
  /** What is run for each saved key file. */
  readonly runHook?: RunHook;
}

export interface Run {
  readonly report: Promise<RunReport>;
  readonly published: readonly PublishedFile[];
  /** As SIGINT does. */
  interrupt(): void;
  /** As SIGKILL does: from now on it changes nothing and says nothing. */
  kill(): void;
}

interface Process {
  readonly ports: RunPorts;
  readonly begin: (report: Promise<RunReport>) => Run;
}

export class TestSite {
  readonly id: string;
  readonly kme: FakeKme;
  readonly log = new RecordingLog();
  readonly keys: string;
  readonly state: string;
  /** What goes wrong with this site's disk. */
  fault: Fault = NO_FAULT;
  bootId = 'boot-1';
  readonly #around: Surroundings;

  constructor(id: string, kme: FakeKme, around: Surroundings) {
    this.id = id;
    this.kme = kme;
    this.#around = around;
    this.keys = join(around.folder, id, 'keys');
    this.state = join(around.folder, id, 'exchanges');
  }

  get sae(): string {
    return `sae-${this.id}`;
  }

  initiate(peer: TestSite, options: RunOptions = {}): Run {
    const { ports, begin } = this.#process(options);
    const settings = this.#initiatorSettings(peer, options);
    const { network } = this.#around;
    return begin(initiate(settings, { ...ports, dial: network.dial(this.id, peer.id), kme: this.kme }));
  }

  recover(peer: TestSite, options: RunOptions = {}): Run {
    const { ports, begin } = this.#process(options);
    const { network } = this.#around;
    return begin(
      recover(this.#initiatorSettings(peer, options), { ...ports, dial: network.dial(this.id, peer.id) }),
    );
  }

  respond(peers: readonly TestSite[], options: RunOptions = {}): Run {
    const { ports, begin } = this.#process(options);
    const settings: ResponderSettings = {
      ...this.#settings(options),
      peers: options.peers ?? peers.map(({ id, sae }) => ({ site: id, sae })),
      timeoutMs: options.timeoutMs ?? 60_000,
      serve: options.serve ?? false,
    };
    return begin(
      respond(settings, { ...ports, kme: this.kme, listen: this.#around.network.listen(this.id) }),
    );
  }

  /** A store on this site's folders, to look at its records with. */
  store(options: RunOptions = {}): Store {
    return this.#process(options).ports.store;
  }

  /** Name → content of the key files of a peer. */
  async files(peer: TestSite): Promise<Record<string, string>> {
    const entries = Object.entries(await this.bytes(peer));
    return Object.fromEntries(entries.map(([name, content]) => [name, content.toString('utf8')]));
  }

  /** The same, not read as text. */
  async bytes(peer: TestSite): Promise<Record<string, Buffer>> {
    const folder = join(this.keys, peer.id);
    const files: Record<string, Buffer> = {};
    for (const name of (await namesIn(folder)).sort()) files[name] = await readFile(join(folder, name));
    return files;
  }

  /** What lies in the records of a peer: `initiator/<state>`, `responder/<state>`, `names/<name>`. */
  async records(peer: TestSite, state = this.state): Promise<string[]> {
    const found: string[] = [];
    for (const role of ['initiator', 'responder']) {
      for (const name of await namesIn(join(state, peer.id, role)))
        found.push(`${role}/${name.replace(/^[0-9a-f]+\./, '')}`);
    }
    for (const name of await namesIn(join(state, peer.id, 'names'))) found.push(`names/${name}`);
    return found.sort();
  }

  async mode(...path: string[]): Promise<number> {
    return (await stat(join(...path))).mode & 0o7777;
  }

  #settings(options: RunOptions): Omit<InitiatorSettings, 'peer' | 'connectWaitMs'> {
    return {
      site: this.id,
      sae: options.sae ?? this.sae,
      terms: { ...TERMS, ...options.terms },
      anyRole: options.anyRole ?? false,
      index: options.index,
      lockWaitMs: options.lockWaitMs ?? 10_000,
    };
  }

  #initiatorSettings(peer: TestSite, options: RunOptions): InitiatorSettings {
    const at = options.peer ?? { site: peer.id, sae: peer.sae };
    return { ...this.#settings(options), peer: at, connectWaitMs: options.connectWaitMs ?? 10_000 };
  }

  #process({ state = this.state, runHook }: RunOptions): Process {
    const { clock, network, lock, fs } = this.#around;
    const interruption = new AbortController();
    let killed = false;
    const published: PublishedFile[] = [];
    const store = createStore(state, this.keys, {
      fs: faultyFileSystem(fs, (operation) => (killed ? { code: 'EIO' } : this.fault(operation))),
      random: randomBytes,
      log: this.log.log,
      bootId: () => Promise.resolve(this.bootId),
      hooked: runHook !== undefined,
      onPublished: (file) => {
        published.push(file);
      },
    });
    const { log } = this.log;
    const { signal } = interruption;
    const ports = { store, lock, clock, random: randomBytes, log, signal, published, runHook };
    const interrupt = (): void => {
      interruption.abort();
    };
    const kill = (): void => {
      killed = true;
      network.drop(this.id);
      interruption.abort();
    };
    return { ports, begin: (report) => ({ report, published, interrupt, kill }) };
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
