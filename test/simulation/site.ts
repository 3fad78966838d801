/** The runs of both roles, the real ones, as processes on a simulated host. */
import { initiate, recover, type InitiatorSettings } from '../../src/exchange/initiate.js';
import type { RunReport } from '../../src/exchange/outcome.js';
import { resolve, type KnownExchange, type ResolveRequest } from '../../src/exchange/resolve.js';
import { respond } from '../../src/exchange/respond.js';
import type { RunPorts, SiteSettings } from '../../src/exchange/run.js';
import type { Terms } from '../../src/exchange/terms.js';
import type { PublishedFile } from '../../src/store/context.js';
import { createStore } from '../../src/store/store.js';
import { SimulatedFileSystem } from './file-system.js';
import type { Host } from './host.js';
import { SimulatedKme, type KeyStore } from './kme.js';
import { simulatedLock } from './lock.js';
import type { Network } from './network.js';
import { Process } from './process.js';

const TERMS = { size: 128, format: 'hex', ackTimeoutMs: 30_000, deadlineMs: 600_000 } as const;
const LOCK_WAIT_MS = 10_000;

export interface LaunchOptions {
  readonly anyRole: boolean;
  readonly serve: boolean;
  /** From the state folder of another HOME. */
  readonly elsewhere: boolean;
  readonly timeoutMs: number;
  /** `--index`. */
  readonly index: number | undefined;
}

/** What all sites share. */
export interface Surroundings {
  readonly network: Network;
  readonly keyStore: KeyStore;
  readonly terms: Pick<Terms, 'count' | 'naming'>;
  readonly onPublished: (file: PublishedFile) => void;
  /** A process has come to its end by itself: with a report, or with an error, which is a bug. */
  readonly onExit: (process: Process, end: RunReport | Error) => void;
}

/** An operator's decision about an exchange of this ID; `ended` hears what is known afterwards, or what it failed of. */
export interface Decision extends Pick<ResolveRequest, 'id' | 'choice'> {
  /** Right before it is carried out. */
  readonly confirmed: (known: KnownExchange) => void;
  readonly ended: (end: KnownExchange | Error | undefined) => void;
}

export type RunKind = 'initiate' | 'recover' | 'respond';

export class Site {
  readonly host: Host;
  readonly peer: string;
  readonly #around: Surroundings;
  #launches = 0;

  constructor(host: Host, peer: string, around: Surroundings) {
    this.host = host;
    this.peer = peer;
    this.#around = around;
  }

  launch(kind: RunKind, options: LaunchOptions): Process {
    const process = this.#process(kind);
    const { network, keyStore, onExit } = this.#around;
    const ports = this.#ports(process, options.elsewhere);
    const dial = network.dial(process, this.peer);
    const kme = new SimulatedKme(keyStore, process);
    const begin = (): Promise<RunReport> => {
      switch (kind) {
        case 'initiate':
          return initiate(this.#initiatorSettings(options), { ...ports, dial, kme });
        case 'recover':
          return recover(this.#initiatorSettings(options), { ...ports, dial });
        case 'respond': {
          const peers = [{ site: this.peer, sae: `sae-${this.peer}` }];
          const { serve, timeoutMs } = options;
          const settings = { ...this.#settings(options), peers, serve, timeoutMs };
          return respond(settings, { ...ports, kme, listen: network.listen(process) });
        }
      }
    };
    const ended = (end: RunReport | Error): void => {
      process.world.trace?.(
        `${process.name}: ends, ${end instanceof Error ? String(end.stack) : summary(end)}`,
      );
      onExit(process, end);
    };
    this.#run(process, begin, ended);
    return process;
  }

  /** `qkd-sync resolve`. */
  resolve({ id, choice, confirmed, ended }: Decision): Process {
    const process = this.#process(choice);
    const confirm: ResolveRequest['confirm'] = (known, consequence) => {
      process.world.trace?.(`${process.name}: ${consequence}`);
      confirmed(known);
      return Promise.resolve(true);
    };
    const request = { id, choice, by: process.name, lockWaitMs: LOCK_WAIT_MS, confirm };
    this.#run(
      process,
      async () => {
        const { after, unfinished } = await resolve(request, this.#ports(process, false));
        // What the next run has yet to do is not done.
        if (unfinished !== undefined) throw unfinished;
        return after;
      },
      (end) => {
        const text = end instanceof Error ? String(end) : `${end?.state ?? 'gone'} ${end?.alarm ?? ''}`;
        process.world.trace?.(`${process.name}: ends, ${text}`);
        ended(end);
      },
    );
    return process;
  }

  #process(what: string): Process {
    this.#launches += 1;
    const process = new Process(`${this.host.id}${this.#launches}.${what}`, this.host);
    process.world.trace?.(`${process.name}: begins`);
    return process;
  }

  #run<T>(process: Process, begin: () => Promise<T>, ended: (end: T | Error) => void): void {
    const exit = (end: T | Error): void => {
      process.exit();
      ended(end);
    };
    process.world.add({
      actor: process,
      run: () => {
        begin().then(exit, (error: unknown) => {
          exit(error instanceof Error ? error : new Error(String(error)));
        });
      },
    });
  }

  #settings({ anyRole, index }: LaunchOptions): SiteSettings {
    const { id } = this.host;
    const terms = { ...TERMS, ...this.#around.terms };
    return { site: id, sae: `sae-${id}`, terms, anyRole, index, lockWaitMs: LOCK_WAIT_MS };
  }

  #initiatorSettings(options: LaunchOptions): InitiatorSettings {
    const peer = { site: this.peer, sae: `sae-${this.peer}` };
    return { ...this.#settings(options), peer, connectWaitMs: 10_000 };
  }

  #ports(process: Process, elsewhere: boolean): RunPorts {
    const { world, host, clock, signal } = process;
    const published: PublishedFile[] = [];
    const random = (count: number): Uint8Array => world.dice.bytes(count);
    const log: RunPorts['log'] = (level, event, message) => {
      if (level !== 'step') world.trace?.(`${process.name}: ${level} ${event}: ${message}`);
    };
    const store = createStore(elsewhere ? host.otherState : host.state, host.keys, {
      fs: new SimulatedFileSystem(process),
      random,
      log,
      bootId: () => Promise.resolve(host.bootId),
      onPublished: (file) => {
        published.push(file);
        this.#around.onPublished(file);
      },
    });
    return { store, lock: simulatedLock(process), clock, random, log, signal, published };
  }
}

function summary({ outcome, exchange, peerAlarms, error, open }: RunReport): string {
  const standings = open.map(({ id, standing }) => `${id.slice(0, 6)} ${standing}`).join(', ');
  const own = exchange === undefined ? '' : ` of ${exchange.id.slice(0, 6)} as ${exchange.name}`;
  const alarms = peerAlarms > 0 ? `, ${peerAlarms} alarms` : '';
  return `${outcome}${own}${alarms}, open [${standings}], error ${error?.code ?? 'none'}: ${error?.message ?? ''}`;
}
