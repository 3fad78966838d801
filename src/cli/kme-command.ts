/** `kme`: a KME pair to try things with, until a signal ends it. */
import { systemClock } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import { systemRandom } from '../base/random.js';
import { DIALECTS, parseDialectPair, STANDARD } from '../kme-pair/dialects/catalogue.js';
import { startKmePair } from '../kme-pair/kme-pair.js';
import type { Flags } from './exchange-commands.js';
import type { Report } from './report.js';
import type { Streams } from './streams.js';

const DEFAULT_PORTS = '8441,8442';
const PEER_PORT = 7_000;

export async function runKme(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const { signal } = streams;
  const { dir, dialect = STANDARD, dialects, ports = DEFAULT_PORTS } = flags;
  if (dialects === true) {
    listDialects(report);
    return 0;
  }
  if (typeof dir !== 'string') {
    throw new QkdSyncError('usage', '--dir is missing', { hint: 'see qkd-sync kme --help' });
  }
  const [portA, portB] = parsePorts(String(ports));
  const [dialectsA, dialectsB] = parseDialectPair(String(dialect));
  const pair = await startKmePair({
    dir,
    portA,
    portB,
    peerPort: PEER_PORT,
    clock: systemClock,
    random: systemRandom,
    log: report.log,
    dialectsA,
    dialectsB,
  });
  try {
    report.data(`KME of site A  ${pair.urlA}`);
    report.data(`KME of site B  ${pair.urlB}`);
    report.data('');
    report.data('Run next, in two other terminals:');
    report.data(`  qkd-sync respond --config ${quoted(pair.configB)} --listen 127.0.0.1:${PEER_PORT}`);
    report.data(`  qkd-sync initiate --config ${quoted(pair.configA)} --peer B`);
    report.log('info', 'kme-running', 'the KMEs run until you press Ctrl-C');
    await ended(signal);
  } finally {
    await pair.close();
  }
  return 0;
}

function listDialects(report: Report): void {
  const width = Math.max(...DIALECTS.map(({ name }) => name.length));
  report.data(`${STANDARD.padEnd(width)}  keeps to the standard (the default)`);
  for (const { name, does } of DIALECTS) report.data(`${name.padEnd(width)}  ${does}`);
}

/** Error: `usage`. */
function parsePorts(text: string): [number, number] {
  const match = /^(\d{1,5}),(\d{1,5})$/.exec(text);
  const [portA, portB] = [Number(match?.[1]), Number(match?.[2])];
  const distinct = portA !== portB || portA === 0;
  if (match !== null && portA <= 65_535 && portB <= 65_535 && distinct) return [portA, portB];
  throw new QkdSyncError('usage', `--listen ${text}: expected two different ports such as ${DEFAULT_PORTS}`, {
    hint: 'the first is that of site A; 0 stands for any free port',
  });
}

/** A path as one word of a shell. */
function quoted(path: string): string {
  return /^[\w/.,@%+=:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener('abort', () => {
        resolve();
      });
  });
}
