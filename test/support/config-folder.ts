/** A machine's folders in miniature, to load settings from: a home, a current folder, and one in the place of /etc. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { QkdSyncError } from '../../src/base/errors.js';
import { loadSettings, type LoadRequest, type Need } from '../../src/config/load.js';
import type { SettingsOf } from '../../src/config/settings.js';
import { makeTestCa } from './certificates.js';

export type Sources = Partial<Pick<LoadRequest<Need>, 'flags' | 'env'>>;

export class ConfigFolder {
  readonly root: string;
  readonly home: string;
  readonly cwd: string;
  readonly etc: string;

  private constructor(root: string) {
    this.root = root;
    this.home = join(root, 'home');
    this.cwd = join(root, 'cwd');
    this.etc = join(root, 'etc');
  }

  static async make(): Promise<ConfigFolder> {
    const folder = new ConfigFolder(await realpath(await mkdtemp(join(tmpdir(), 'qkd-sync-config-'))));
    await Promise.all([folder.home, folder.cwd, folder.etc].map((path) => mkdir(path)));
    return folder;
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true });
  }

  /** Writes a file below the root and answers its path. */
  async write(path: string, content: string | Uint8Array): Promise<string> {
    const full = join(this.root, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
    return full;
  }

  /** Writes the configuration file of the home folder. */
  async configure(yaml: string): Promise<string> {
    return this.write('home/.qkd/qkd-sync.yaml', yaml);
  }

  /** Writes `ca.pem`, and certificate and key for each name, into a folder below the root. */
  async writeCredentials(below: string, ...names: string[]): Promise<void> {
    const ca = await makeTestCa('test CA');
    await this.write(join(below, 'ca.pem'), ca.cert);
    for (const commonName of names) {
      const { cert, key } = await ca.issue({ commonName });
      await this.write(join(below, `${commonName}.pem`), cert);
      await this.write(join(below, `${commonName}.key`), key);
    }
  }

  load<N extends Need>(need: N, { flags = {}, env = {} }: Sources = {}): Promise<SettingsOf[N]> {
    return loadSettings({ need, flags, env, home: this.home, cwd: this.cwd, systemFolder: this.etc });
  }

  /** The error that loading ends in. */
  async failure(need: Need, sources: Sources = {}): Promise<QkdSyncError> {
    try {
      await this.load(need, sources);
    } catch (error) {
      if (error instanceof QkdSyncError) return error;
      throw error;
    }
    throw new Error('nothing was wrong with these settings');
  }
}
