/**
 * What a block of keys costs: its memory on each site, and its time beside that of its KME requests alone.
 *
 *   npm run bench:block -- [--rounds N]
 *
 * The packed command runs as two processes and a third for the KME pair. Exit code 1 where a figure is beyond its
 * bound. Times are taken in turns and by their medians, so that a machine that does something else besides slows
 * both alike.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packInto } from '../crash/packed.js';
import { Program } from './program.js';

const MEMORY_COUNT = 65_536;
const MEMORY_MAX_MIB = 150;
const TIME_COUNT = 4_096;
const TIME_MAX_RATIO = 1.5;

/** As long as all that is measured takes at most. */
const KMES_MS = 3_600_000;

const PROJECT = resolve(import.meta.dirname, '../../..');
const PEAK_MEMORY = join(PROJECT, 'test/bench/peak-memory.mjs');
const REQUESTS = join(import.meta.dirname, 'requests.js');

interface Figures {
  readonly ms: number;
  readonly initiatorMib: number;
  readonly responderMib: number;
}

class Bench {
  readonly #folder: string;
  readonly #command: string;

  constructor(folder: string, packed: string) {
    this.#folder = folder;
    this.#command = join(packed, 'bin/qkd-sync.js');
  }

  async startKmes(): Promise<Program> {
    const kmes = new Program({
      args: [this.#command, 'kme', '--dir', join(this.#folder, 'kmes'), '--listen', '0,0', '--quiet'],
      deadlineMs: KMES_MS,
    });
    await kmes.said(/qkd-sync initiate/);
    return kmes;
  }

  config(letter: 'a' | 'b'): string {
    return join(this.#folder, 'kmes', `${letter}.yaml`);
  }

  /** One exchange of two processes. */
  async exchange(count: number): Promise<Figures> {
    const [peakA, peakB] = [join(this.#folder, 'peak-a'), join(this.#folder, 'peak-b')];
    const run = (peak: string, args: readonly string[]): Program =>
      new Program({
        args: ['--import', PEAK_MEMORY, this.#command, ...args, '--count', String(count)],
        env: { PEAK_MEMORY_FILE: peak },
      });
    const listening = ['--listen', '127.0.0.1:0', '--log-format', 'json'];
    const responder = run(peakB, ['respond', '--config', this.config('b'), ...listening]);
    const [, port = ''] = await responder.said(/"event":"listening".*"port":(\d+)/);
    const initiator = run(peakA, ['initiate', '--config', this.config('a'), '--peer', `B:${port}`, '--json']);
    const [said] = await Promise.all([initiator.output(), responder.output()]);
    const { durationMs } = JSON.parse(said) as { durationMs: number };
    return { ms: durationMs, initiatorMib: await mibIn(peakA), responderMib: await mibIn(peakB) };
  }

  /** The same KME requests and nothing else, one process for each site. */
  async requests(count: number): Promise<number> {
    const enc = await this.#request(['initiate', this.config('a'), String(count)], '');
    const dec = await this.#request(['respond', this.config('b')], JSON.stringify(enc.keyIds));
    return enc.ms + dec.ms;
  }

  async #request(args: readonly string[], told: string): Promise<{ ms: number; keyIds: string[] }> {
    const program = new Program({ args: [REQUESTS, ...args] });
    await program.said(/ready/);
    program.tell(told);
    const said = await program.output();
    return JSON.parse(said.slice(said.indexOf('{'))) as { ms: number; keyIds: string[] };
  }
}

async function mibIn(file: string): Promise<number> {
  return Math.round(Number(await readFile(file, 'utf8')) / 1_024);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function measureMemory(bench: Bench): Promise<boolean> {
  const one = await bench.exchange(1);
  say(`1 key: initiator ${one.initiatorMib} MiB, responder ${one.responderMib} MiB at most`);
  const block = await bench.exchange(MEMORY_COUNT);
  const { initiatorMib, responderMib } = block;
  say(
    `${MEMORY_COUNT} keys: initiator ${initiatorMib} MiB, responder ${responderMib} MiB at most, bound ${MEMORY_MAX_MIB}`,
  );
  return Math.max(initiatorMib, responderMib) < MEMORY_MAX_MIB;
}

async function measureTime(bench: Bench, rounds: number): Promise<boolean> {
  const [blocks, requests]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    blocks.push((await bench.exchange(TIME_COUNT)).ms);
    requests.push(await bench.requests(TIME_COUNT));
    say(
      `round ${round}: block ${blocks.at(-1)?.toFixed()} ms, its requests alone ${requests.at(-1)?.toFixed()} ms`,
    );
  }
  const [block, alone] = [median(blocks), median(requests)];
  const ratio = block / alone;
  say(
    `${TIME_COUNT} keys: block ${block.toFixed()} ms, its requests alone ${alone.toFixed()} ms, ` +
      `ratio ${ratio.toFixed(2)}, bound ${TIME_MAX_RATIO}`,
  );
  return ratio <= TIME_MAX_RATIO;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
  const folder = await mkdtemp(join(tmpdir(), 'qkd-sync-bench-'));
  let kmes: Program | undefined;
  try {
    const bench = new Bench(folder, await packInto(PROJECT, folder));
    kmes = await bench.startKmes();
    const fits = await measureMemory(bench);
    const rounds = Number(values.rounds);
    // Once more where it is beyond: a machine that did something else meanwhile says nothing of the command.
    const isFast = (await measureTime(bench, rounds)) || (await measureTime(bench, rounds));
    return fits && isFast ? 0 : 1;
  } finally {
    await kmes?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
