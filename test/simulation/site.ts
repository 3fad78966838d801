/** The runs of both roles, the real ones, as processes on a simulated host. */
import { initiate, recover, type InitiatorSettings } from '../../src/exchange/initiate.js';
import type { RunReport } from '../../src/exchange/outcome.js';
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

export const TERMS: Terms = {
  count: 1,
  size: 128,
  format: 'hex',
  naming: 'index',
  ackTimeoutMs: 30_000,
  deadlineMs: 600_000,
};

export interface LaunchOptions {
  readonly anyRole: boolean;
  readonly serve: boolean;
  /** From the state folder of another HOME. */
  readonly elsewhere: boolean;
  readonly timeoutMs: number;
}

/** What all sites share. */
export interface Surroundings {
  readonly network: Network;
  readonly keyStore: KeyStore;
  readonly onPublished: (file: PublishedFile) => void;
  /** A process has come to its end by itself: with a report, or with an error, which is a bug. */
  readonly onExit: (process: Process, end: RunReport | Error) => void;
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
    this.#launches += 1;
    const process = new Process(`${this.host.id}${this.#launches}.${kind}`, this.host);
    const { world } = process;
    const { network, keyStore, onExit } = this.#around;
    world.trace?.(`${process.name}: begins`);
    const ports = this.#ports(process, options);
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
      process.exit();
      world.trace?.(`${process.name}: ends, ${end instanceof Error ? String(end.stack) : summary(end)}`);
      onExit(process, end);
    };
    world.add({
      actor: process,
      run: () => {
        begin().then(ended, (error: unknown) => {
          ended(error instanceof Error ? error : new Error(String(error)));
        });
      },
    });
    return process;
  }

  #settings({ anyRole }: LaunchOptions): SiteSettings {
    const { id } = this.host;
    return { site: id, sae: `sae-${id}`, terms: TERMS, anyRole, index: undefined, lockWaitMs: 10_000 };
  }

  #initiatorSettings(options: LaunchOptions): InitiatorSettings {
    const peer = { site: this.peer, sae: `sae-${this.peer}` };
    return { ...this.#settings(options), peer, connectWaitMs: 10_000 };
  }

  #ports(process: Process, { elsewhere }: LaunchOptions): RunPorts {
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
