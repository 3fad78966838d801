/**
 * One site of an end-to-end test: a home folder with a configuration file, and the command run in it.
 *
 * Calling sequence: `TwoSites.make` in each test, `close` after it, which ends every process, looks for key bytes in
 * all that was said, and removes the folder.
 */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import { CliProcess, type CliEnd } from './cli-process.js';
import { diskTree } from './disk-tree.js';
import type { KmeBench } from './kme-bench.js';
import { packedCli, type CliCommand } from './packed-cli.js';

/** What the configuration file says; paths are relative to the home folder's `.qkd`. */
export type SiteConfig = Readonly<Record<string, unknown>>;

/** A fault of the file system, see faulty-fs.mjs. */
export interface Fault {
  readonly code: 'ENOSPC' | 'EROFS' | 'EACCES' | 'EIO';
  /** `rename`, `write` …; all that change something where this is left out. */
  readonly operations?: readonly string[];
  /** Which paths, below the home folder. */
  readonly path: RegExp;
}

export interface RunOptions {
  /** Instead of the packed one. */
  readonly command?: CliCommand;
  readonly fault?: Fault;
  readonly umask?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const LISTENING = /"event":"listening".*"port":(\d+)|listening on \S+ port (\d+)/;

export class CliSite {
  readonly home: string;
  readonly #processes: CliProcess[] = [];

  constructor(home: string) {
    this.home = home;
  }

  get processes(): readonly CliProcess[] {
    return this.#processes;
  }

  async configure(config: SiteConfig): Promise<void> {
    await mkdir(join(this.home, '.qkd'), { recursive: true, mode: 0o700 });
    await writeFile(join(this.home, '.qkd/qkd-sync.yaml'), stringify(config), { mode: 0o600 });
  }

  start(args: readonly string[], options: RunOptions = {}): CliProcess {
    const { command = packedCli(), fault, umask, env = {} } = options;
    const process_ = new CliProcess({
      command,
      args,
      cwd: this.home,
      umask,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.home,
        TMPDIR: this.home,
        ...(fault && faultEnvironment(this.home, fault)),
        ...env,
      },
    });
    this.#processes.push(process_);
    return process_;
  }

  run(args: readonly string[], options?: RunOptions): Promise<CliEnd> {
    return this.start(args, options).ended;
  }

  /** Starts `respond` and waits until it listens. */
  async respond(args: readonly string[] = [], options?: RunOptions): Promise<Responder> {
    const started = this.start(['respond', '--listen', '127.0.0.1:0', ...args], options);
    const [, json, human] = await started.said(LISTENING);
    return { process: started, port: Number(json ?? human), ended: started.ended };
  }

  path(inner: string): string {
    return join(this.home, inner);
  }

  /** All that is on disk here besides the configuration. */
  tree(): Promise<string[]> {
    return diskTree(this.home, ['.qkd']);
  }

  read(inner: string): Promise<string> {
    return readFile(join(this.home, inner), 'utf8');
  }
}

export interface Responder {
  readonly process: CliProcess;
  readonly port: number;
  readonly ended: Promise<CliEnd>;
}

export interface SitesOptions {
  readonly a?: SiteConfig;
  readonly b?: SiteConfig;
  /** How the sites authenticate; `none` goes with --insecure. */
  readonly auth?: 'certificates' | 'psk' | 'none';
}

export class TwoSites {
  readonly folder: string;
  readonly a: CliSite;
  readonly b: CliSite;
  readonly #bench: KmeBench;

  private constructor(folder: string, bench: KmeBench) {
    this.folder = folder;
    this.#bench = bench;
    this.a = new CliSite(join(folder, 'a'));
    this.b = new CliSite(join(folder, 'b'));
  }

  static async make(bench: KmeBench, options: SitesOptions = {}): Promise<TwoSites> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'qkd-sync-sites-')));
    const sites = new TwoSites(folder, bench);
    const { auth = 'certificates' } = options;
    bench.forget();
    await mkdir(sites.a.home, { mode: 0o700 });
    await mkdir(sites.b.home, { mode: 0o700 });
    if (auth === 'psk') {
      await writeFile(join(folder, 'a-to-b.psk'), `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    }
    await sites.a.configure({ ...siteConfig(bench, folder, 'a', auth), ...options.a });
    await sites.b.configure({ ...siteConfig(bench, folder, 'b', auth), ...options.b });
    return sites;
  }

  /** Runs one exchange to its end on both sites. */
  async exchange(args: readonly string[] = [], options?: RunOptions): Promise<{ a: CliEnd; b: CliEnd }> {
    const responder = await this.b.respond(args, options);
    const a = await this.a.run(['initiate', '--peer', `B:${responder.port}`, ...args], options);
    return { a, b: await responder.ended };
  }

  /** What the KMEs have been asked, `kme-a enc_keys 200`. */
  get calls(): readonly string[] {
    return this.#bench.calls;
  }

  /** Answers where key bytes were shown: empty where all is well. */
  async close(): Promise<string[]> {
    const processes = [...this.a.processes, ...this.b.processes];
    await Promise.all(processes.map((process_) => process_.destroy()));
    for (const { args, output, visibleArguments } of processes) {
      this.#bench.watch.addText(`output of ${args.join(' ')}`, output);
      this.#bench.watch.addText(`arguments of ${args.join(' ')}`, visibleArguments.join('\n'));
    }
    await rm(this.folder, { recursive: true, force: true });
    return this.#bench.watch.leaks();
  }
}

/** The defaults of both sites, without any wait for a KME that has no keys. */
export function siteConfig(
  bench: KmeBench,
  folder: string,
  letter: 'a' | 'b',
  auth: 'certificates' | 'psk' | 'none',
): SiteConfig {
  const [site, peer, url] = letter === 'a' ? ['A', 'B', bench.pair.urlA] : ['B', 'A', bench.pair.urlB];
  return {
    site,
    sae: `sae-${letter}`,
    keys: '../keys',
    state: '../exchanges',
    kme: kmeConfig(bench, letter, url),
    ...(auth === 'certificates' && { channel: channelConfig(bench, letter) }),
    peers: {
      [peer]: {
        address: '127.0.0.1',
        sae: `sae-${peer.toLowerCase()}`,
        ...(auth === 'psk' && { pskFile: join(folder, 'a-to-b.psk') }),
      },
    },
  };
}

export function kmeConfig(bench: KmeBench, letter: 'a' | 'b', url: string): SiteConfig {
  return {
    url,
    ca: bench.file('kme-ca.pem'),
    cert: bench.file(`sae-${letter}.pem`),
    key: bench.file(`sae-${letter}.key`),
    wait: '0s',
  };
}

export function channelConfig(bench: KmeBench, letter: 'a' | 'b'): SiteConfig {
  return {
    ca: bench.file('sites-ca.pem'),
    cert: bench.file(`${letter}.pem`),
    key: bench.file(`${letter}.key`),
  };
}

function faultEnvironment(home: string, { code, operations, path }: Fault): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${pathToFileURL(require.resolve('./faulty-fs.mjs')).href}`,
    FAULTY_FS_CODE: code,
    FAULTY_FS_BELOW: home,
    FAULTY_FS_PATH: path.source,
    FAULTY_FS_OPERATIONS: operations?.join(',') ?? '',
  };
}
