/**
 * A KME pair inside the test's own process, its credentials, and what it has seen and made.
 *
 * Calling sequence: `KmeBench.start` once for a test file, `calls` after `forget`, `another` for a KME pair of the
 * same credentials with a key store of its own, `close` at the end.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { systemRandom } from '../../src/base/random.js';
import { startKmePair, type KmePair } from '../../src/kme-pair/kme-pair.js';
import { KeyWatch } from './key-watch.js';

export class KmeBench {
  readonly dir: string;
  readonly watch: KeyWatch;
  readonly #pairs: KmePair[] = [];
  #calls: string[] = [];

  private constructor(dir: string) {
    this.dir = dir;
    this.watch = new KeyWatch();
  }

  static async start(): Promise<KmeBench> {
    const bench = new KmeBench(await mkdtemp(join(tmpdir(), 'qkd-sync-kmes-')));
    await bench.another();
    return bench;
  }

  get pair(): KmePair {
    const [first] = this.#pairs;
    if (first === undefined) throw new Error('the KME pair has not been started');
    return first;
  }

  /** @param stock how many keys it can make */
  async another(stock?: number): Promise<KmePair> {
    let started = false;
    const watched = this.watch.watching(systemRandom);
    const pair = await startKmePair({
      dir: this.dir,
      portA: 0,
      portB: 0,
      clock: systemClock,
      // What it takes for certificates is no key.
      random: (count) => (started ? watched(count) : systemRandom(count)),
      log: () => undefined,
      onRequest: ({ kme, call, status }) => this.#calls.push(`${kme} ${call ?? '?'} ${status}`),
      stock,
    });
    started = true;
    this.#pairs.push(pair);
    return pair;
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  /** All requests to all KMEs since `forget`: `kme-a enc_keys 200`. */
  get calls(): readonly string[] {
    return this.#calls;
  }

  forget(): void {
    this.#calls = [];
  }

  async close(): Promise<void> {
    await Promise.all(this.#pairs.map((pair) => pair.close()));
    await rm(this.dir, { recursive: true, force: true });
  }
}
