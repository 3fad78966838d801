#!/usr/bin/env node
// Starts the command: gives it the process's arguments and streams, and ends with the exit code that it answers.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { main } from '../dist/cli/main.js';

// Files and folders are made with modes of their own; this is for whatever a library makes beside them.
process.umask(0o077);

// A block of 65,536 keys fills what V8 gives it before it looks for what is no longer used: it lets the space for new
// objects grow to 32 MiB and keeps it, and the space for old ones to four times what is in use. So it would take half
// as much memory again and be done no sooner.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=10');

const stopped = new AbortController();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    stopped.abort();
  });
}

// Whoever reads our output may go away; the exchange goes on, and its exit code still tells how it ended.
process.stderr.on('error', () => {});
/** @type {NodeJS.ErrnoException | undefined} */
let lost;
process.stdout.on('error', (error) => {
  lost = error;
});

process.on('uncaughtException', (error) => {
  process.stderr.write(`qkd-sync: this is a bug in qkd-sync: ${error.stack ?? error.message}\n`);
  process.exit(70);
});

/** @param {string} question */
async function ask(question) {
  if (process.stdin.isTTY !== true) return undefined;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question, { signal: stopped.signal });
  } catch {
    // Told to stop instead of an answer, which is a no.
    return '';
  } finally {
    terminal.close();
  }
}

// A terminal that nobody has told its size says that it is 0 columns wide.
const { isTTY, columns } = process.stderr;
const terminal = isTTY && columns > 0 && process.env['TERM'] !== 'dumb' ? process.stderr : undefined;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const code = await main({
  argv: process.argv.slice(2),
  env: process.env,
  home: homedir(),
  cwd: process.cwd(),
  program: process.argv[1] ?? '',
  version,
  stdout: process.stdout,
  stderr: process.stderr,
  terminal,
  ask,
  signal: stopped.signal,
});

// What was said must reach a slow reader before the process ends, but not one that never reads.
const flushed = [process.stdout, process.stderr].map(
  (stream) => new Promise((done) => stream.write('', done)),
);
await Promise.race([Promise.all(flushed), new Promise((done) => setTimeout(done, 5_000))]);
let status = code;
if (lost !== undefined && lost.code !== 'EPIPE') {
  process.stderr.write(`qkd-sync: cannot write to stdout: ${lost.message}\n`);
  // An exchange's code speaks of the key file; whoever asks for the status gets nothing else than what was lost.
  if (code === 0 && process.argv[2] === 'status') status = 74;
}
// A connection that a library still holds must not keep the process: all that counts is durable by now.
process.exit(status);
