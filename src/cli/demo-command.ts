/**
 * `demo`: a whole exchange on this machine. The KME pair runs here, both roles run as processes of their own, as
 * they would at two sites; the two key files are compared by digest and never shown.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { remove } from 'fs-extra';
import { sleep, systemClock } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import { systemRandom } from '../base/random.js';
import { startKmePair, type KmePair } from '../kme-pair/kme-pair.js';
import { EXIT } from './exit-code.js';
import type { Flags } from './exchange-commands.js';
import type { Report } from './report.js';
import type { Streams } from './streams.js';

/** An exchange takes well under a second; a machine that is very slow may need more. */
const DEADLINE_MS = 60_000;

/** How one of the two processes ended. */
interface Ended {
  readonly code: number;
  /** The line that it printed: the path of its key file. */
  readonly file: string;
}

export async function runDemo(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'qkd-sync-demo-'));
  const keep = flags['keep'] === true;
  try {
    const pair = await startKmePair({
      dir: folder,
      portA: 0,
      portB: 0,
      clock: systemClock,
      random: systemRandom,
      // What the KMEs say is for those who want to see every step.
      log: (level, ...said) => {
        report.log(level === 'info' ? 'step' : level, ...said);
      },
    });
    try {
      const same = await exchange(streams, report, folder, pair);
      if (same) sayNext(report, keep ? folder : undefined);
      return same ? EXIT.done : EXIT.software;
    } finally {
      await pair.close();
    }
  } finally {
    if (!keep) await remove(folder);
  }
}

/** Runs both roles; whether both ended well with the same key file. */
async function exchange(streams: Streams, report: Report, folder: string, pair: KmePair): Promise<boolean> {
  const children: ChildProcess[] = [];
  const deadline = AbortSignal.any([streams.signal, AbortSignal.timeout(DEADLINE_MS)]);
  const run = (args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [streams.program, ...args], {
      env: plainEnvironment(streams),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    deadline.addEventListener('abort', () => child.kill('SIGTERM'));
    return child;
  };
  try {
    report.data('Two KMEs run on this machine, one for site A and one for site B.');
    const responder = run([
      'respond',
      '--config',
      pair.configB,
      '--listen',
      '127.0.0.1:0',
      '--log-format',
      'json',
    ]);
    const responderEnd = ended(responder, 'B', report);
    const port = await listeningPort(responder, deadline);
    report.data(`\nB$ qkd-sync respond --config ${relative(folder, pair.configB)} --listen ${port}`);
    report.data(`A$ qkd-sync initiate --config ${relative(folder, pair.configA)} --peer B:${port}`);
    const initiator = run(['initiate', '--config', pair.configA, '--peer', `B:${port}`]);
    const a = await ended(initiator, 'A', report);
    // A responder whose initiator has failed would wait for another one.
    if (a.code !== EXIT.done) responder.kill('SIGTERM');
    const b = await responderEnd;
    if (deadline.aborted) throw interruption(streams);
    return await compare(report, folder, a, b);
  } finally {
    await Promise.all(children.map(stop));
  }
}

/** Both files side by side: their places and their digests, which tell nothing of the keys. */
async function compare(report: Report, folder: string, a: Ended, b: Ended): Promise<boolean> {
  if (a.code !== 0 || b.code !== 0 || a.file === '' || b.file === '') {
    report.log('error', 'demo-failed', `the exchange failed: A ended with ${a.code}, B with ${b.code}`);
    return false;
  }
  const [digestA, digestB] = [await digestOf(a.file), await digestOf(b.file)];
  report.data(`\nA saved ${relative(folder, a.file)}  sha256 ${digestA}`);
  report.data(`B saved ${relative(folder, b.file)}  sha256 ${digestB}`);
  const same = digestA === digestB;
  report.data(
    same ? '\nBoth sites have the same key file.' : '\nThe key files differ: this is a bug in qkd-sync.',
  );
  return same;
}

async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

function sayNext(report: Report, folder: string | undefined): void {
  if (folder !== undefined) report.data(`\nEverything is still in ${folder}`);
  report.data('\nTry next, by hand and in three terminals:');
  report.data('  qkd-sync kme --dir try-qkd     (it prints the commands for the other two)');
}

/** The port that the responder was given. Errors: `interrupted`, or a responder that ends too early. */
async function listeningPort(responder: ChildProcess, deadline: AbortSignal): Promise<number> {
  const { stderr } = responder;
  if (stderr === null) throw new Error('the responder has no stderr');
  const lines = createInterface({ input: stderr, signal: deadline });
  for await (const line of lines) {
    const said = JSON.parse(line) as { event?: unknown; port?: unknown; message?: unknown };
    if (said.event === 'listening') {
      // The rest is read so that the responder never waits for a reader.
      stderr.resume();
      return Number(said.port);
    }
  }
  if (deadline.aborted) throw new QkdSyncError('interrupted', 'interrupted');
  throw new Error('the responder ended before it listened');
}

async function ended(child: ChildProcess, site: string, report: Report): Promise<Ended> {
  let file = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    file += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) if (line !== '') report.log('step', 'demo', `${site}: ${line}`);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  report.log('step', 'demo', `${site} ended with ${String(code)}`, {
    site,
    program: basename(child.spawnfile),
  });
  return { code: code ?? EXIT.interrupted, file: file.trim() };
}

/** The user's own settings have no place here. */
function plainEnvironment({ env }: Streams): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('QKD_SYNC_')));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([gone, sleep(systemClock, 2_000)]);
  child.kill('SIGKILL');
}

function interruption({ signal }: Streams): QkdSyncError {
  return signal.aborted
    ? new QkdSyncError('interrupted', 'interrupted')
    : new QkdSyncError('timeout', `the demo has not ended within ${DEADLINE_MS / 1_000} s`);
}
