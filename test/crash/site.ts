/**
 * The two sites of one case: folders of their own, the settings of the KME pair, processes under the shim.
 *
 * Calling sequence: `Sites.open`, then run commands; `close` in any case, after which processes and folders are gone.
 */
import { cp, mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliProcess, type CliEnd } from '../support/cli-process.js';
import { shimEnvironment, type ShimUse } from './shim.js';

/** What all cases share. */
export interface Surroundings {
  /** The package's folder. */
  readonly packed: string;
  readonly shim: string;
  /** The settings files of the KME pair. */
  readonly config: Readonly<Record<Side, string>>;
  /** x. */
  readonly ackTimeout: string;
}

export type Side = 'A' | 'B';

export const other = (side: Side): Side => (side === 'A' ? 'B' : 'A');

const LISTENING = /listening on \S+ port (\d+)/;

/**
 * Start-up is most of what a run costs here; a young generation that is large from the start saves a quarter, and so
 * does code that need not be compiled again, where Node can keep it (22 and newer).
 */
const NODE_OPTIONS = '--max-semi-space-size=64';

export interface Responder {
  readonly process: CliProcess;
  /** Undefined where it ended before it listened. */
  readonly port: number | undefined;
  /** How it ended, once it has. */
  end: CliEnd | undefined;
}

export class Site {
  readonly side: Side;
  /** Keys and records lie in it, and nothing else. */
  readonly folder: string;
  readonly processes: CliProcess[] = [];
  readonly #around: Surroundings;
  readonly #case: string;
  #boots = 0;

  constructor(side: Side, folder: string, around: Surroundings) {
    this.side = side;
    this.folder = join(folder, side.toLowerCase());
    this.#case = folder;
    this.#around = around;
  }

  get peer(): Side {
    return other(this.side);
  }

  get keys(): string {
    return join(this.folder, 'keys', this.peer);
  }

  get state(): string {
    return join(this.folder, 'exchanges');
  }

  get log(): string {
    return join(this.#case, `${this.side}.log`);
  }

  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await this.reboot();
  }

  /** From now on processes see another boot ID. */
  async reboot(): Promise<void> {
    this.#boots += 1;
    const boot = String(this.#boots).padStart(12, '0');
    await writeFile(this.#bootId, `00000000-0000-4000-8000-${boot}\n`);
  }

  get #bootId(): string {
    return join(this.#case, `${this.side}.boot-id`);
  }

  /** @param use what the shim does; the boot ID is this site's own in any case */
  start(args: readonly string[], use: ShimUse = {}): CliProcess {
    const { packed, shim, config } = this.#around;
    const folders = ['--keys', join(this.folder, 'keys'), '--state', this.state];
    const [command = '', ...rest] = args;
    const started = new CliProcess({
      command: { node: process.execPath, bin: join(packed, 'bin/qkd-sync.js') },
      args: [command, '--config', config[this.side], ...folders, ...rest],
      cwd: this.#case,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.#case,
        TMPDIR: this.#case,
        NODE_OPTIONS,
        NODE_COMPILE_CACHE: join(packed, '.compile-cache'),
        ...shimEnvironment(shim, { bootId: this.#bootId, ...use }),
      },
    });
    this.processes.push(started);
    return started;
  }

  /** Starts `respond` and waits until it listens, or ends. */
  async respond(use?: ShimUse, args: readonly string[] = []): Promise<Responder> {
    const all = [
      '--json',
      '--listen',
      '127.0.0.1:0',
      '--timeout',
      '20s',
      '--ack-timeout',
      this.#around.ackTimeout,
      ...args,
    ];
    const started = this.start(['respond', ...all], use);
    const responder: Responder = { process: started, port: undefined, end: undefined };
    void started.ended.then((end) => {
      responder.end = end;
    });
    try {
      const [, port] = await started.said(LISTENING);
      return Object.assign(responder, { port: Number(port) });
    } catch {
      responder.end = await started.ended;
      return responder;
    }
  }

  /** `initiate` or `recover`, with one try to reach the peer. */
  contact(command: 'initiate' | 'recover', port: number, use?: ShimUse): CliProcess {
    const waits = ['--connect-wait', '0s', '--lock-wait', '8s', '--ack-timeout', this.#around.ackTimeout];
    return this.start([command, '--peer', `${this.peer}:${port}`, ...waits], use);
  }

  /** The lock of a process that is gone or stopped becomes as old as it would be two seconds later. */
  async ageLock(): Promise<void> {
    const then = new Date(Date.now() - 10_000);
    await utimes(join(this.state, this.peer, 'lock'), then, then).catch(() => undefined);
  }

  async isSuspect(): Promise<boolean> {
    return stat(join(this.state, 'SUSPECT')).then(
      () => true,
      () => false,
    );
  }
}

export class Sites {
  readonly folder: string;
  readonly a: Site;
  readonly b: Site;

  private constructor(folder: string, around: Surroundings) {
    this.folder = folder;
    this.a = new Site('A', folder, around);
    this.b = new Site('B', folder, around);
  }

  /** @param world a folder with an `a` and a `b` to begin with */
  static async open(folder: string, around: Surroundings, world?: string): Promise<Sites> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (world !== undefined) {
      for (const letter of ['a', 'b']) {
        await cp(join(world, letter), join(folder, letter), { recursive: true });
        await adopt(join(folder, letter, 'exchanges', 'state-id'));
      }
    }
    const sites = new Sites(folder, around);
    await sites.a.open();
    await sites.b.open();
    return sites;
  }

  of(side: Side): Site {
    return side === 'A' ? this.a : this.b;
  }

  async stop(): Promise<void> {
    const processes = [...this.a.processes, ...this.b.processes];
    await Promise.all(processes.map((started) => started.destroy()));
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Lets a copied folder of state pass for the original: its ID names the inode of its own file, if it has one yet. */
async function adopt(stateId: string): Promise<void> {
  const content = await readFile(stateId, 'utf8').catch(() => '');
  const [, id] = /^([0-9a-f]{32}) \d+\n$/.exec(content) ?? [];
  if (id === undefined) return;
  const { ino } = await stat(stateId, { bigint: true });
  await writeFile(stateId, `${id} ${ino}\n`);
}

/** Waits until the responder ends; undefined where it goes on. */
export async function endOf(responder: Responder, ms: number): Promise<CliEnd | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  const end = await Promise.race([responder.process.ended, late]);
  clearTimeout(timer);
  return end;
}
