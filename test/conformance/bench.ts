/**
 * Both sites and both KMEs of one row, in this process: real clients and servers over real TLS, real stores in a
 * temporary folder, a real WebSocket on loopback with a pre-shared key.
 *
 * Calling sequence: `runRow` for each row and side; it answers what came of it and leaves nothing behind.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret, type KeyId } from '../../src/base/key.js';
import { systemRandom } from '../../src/base/random.js';
import { exitCodeOf } from '../../src/cli/exit-code.js';
import type { RunReport } from '../../src/exchange/outcome.js';
import {
  initiateHere,
  recoverHere,
  respondHere,
  type DialAccess,
  type KmeAccess,
  type ListenAccess,
  type Surroundings,
} from '../../src/exchange/site.js';
import { parseDialects } from '../../src/kme-pair/dialects/catalogue.js';
import { startKmePair, type KmePair } from '../../src/kme-pair/kme-pair.js';
import type { KmeRequest } from '../../src/kme-pair/kme-server.js';
import { diskTree } from '../support/disk-tree.js';
import { RecordingLog } from '../support/recording-log.js';
import { SkippingClock } from '../support/skipping-clock.js';
import type { Row, RowSettings } from './rows.js';

export type Letter = 'a' | 'b';

export const COUNT = 3;

/** Longer than any test: what ends earlier ends for another reason, or is skipped. */
const LONG_MS = 60_000;

/** For a KME that is known to hang. */
const SHORT_MS = 1_500;

/** How long to ask on one that never says yes, and one that comes to it. */
const WAIT_IN_VAIN_MS = 2_000;
const WAIT_MS = 20_000;

/** How one site's command has ended. */
export interface SiteEnd {
  readonly exit: number;
  readonly error: RunReport['error'];
  readonly log: RecordingLog;
}

export interface RowResult {
  readonly a: SiteEnd;
  readonly b: SiteEnd;
  /** What lay in both key folders after the exchange: file names to contents. */
  readonly files: Readonly<Record<Letter, readonly string[]>>;
  readonly requests: readonly KmeRequest[];
  /** The same command again, where the row asks for it. */
  readonly again?: { readonly a: number; readonly b: number };
  /** Exit codes of the next contact after an exchange that failed, and what is left on both disks. */
  readonly recovery?: { readonly a: number; readonly b: number; readonly left: readonly string[] };
}

/** One after the other: they share the folder with the credentials. */
let starting: Promise<unknown> = Promise.resolve();

function startPair(
  dir: string,
  row: Row,
  side: Letter,
  onRequest: (seen: KmeRequest) => void,
): Promise<KmePair> {
  const dialects = parseDialects(row.dialect);
  const started = starting.then(() =>
    startKmePair({
      dir,
      host: row.settings?.ipv6 === true ? '::1' : '127.0.0.1',
      portA: 0,
      portB: 0,
      clock: new SkippingClock(),
      random: systemRandom,
      log: () => undefined,
      onRequest,
      ...(side === 'a' ? { dialectsA: dialects } : { dialectsB: dialects }),
    }),
  );
  starting = started.catch(() => undefined);
  return started;
}

/** @param dir where the credentials are or will be, shared by all rows */
export async function runRow(dir: string, row: Row, side: Letter): Promise<RowResult> {
  const requests: KmeRequest[] = [];
  const pair = await startPair(dir, row, side, (seen) => requests.push(seen));
  const folder = await mkdtemp(join(tmpdir(), 'qkd-sync-conformance-'));
  try {
    const sites = new Sites(row, side, folder, await kmeAccesses(dir, pair, row, side));
    const { a, b } = await sites.exchange();
    const files = { a: await keyFiles(folder, 'a'), b: await keyFiles(folder, 'b') };
    const result = { a, b, files, requests: [...requests] };
    if (a.exit === 0 && b.exit === 0) return result;
    const recovery = { ...(await sites.recover()), left: await leftovers(folder) };
    if (row.thenWorks !== true) return { ...result, recovery };
    const next = await sites.exchange();
    return { ...result, recovery, again: { a: next.a.exit, b: next.b.exit } };
  } finally {
    await pair.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Keys that the KMEs have handed out by enc_keys, and those that dec_keys brought to the other site. */
export function deliveredBy(call: 'enc_keys' | 'dec_keys', { requests }: RowResult): KeyId[] {
  return requests.filter((seen) => seen.call === call).flatMap(({ delivered }) => delivered);
}

class Sites {
  readonly #a: DialAccess & { readonly kme: KmeAccess };
  readonly #b: ListenAccess;

  constructor(row: Row, side: Letter, folder: string, kmes: Readonly<Record<Letter, KmeAccess>>) {
    const odd = row.settings?.saes;
    // What A calls itself must be what B's KME calls it, and B is known to A by what A's KME calls it.
    const saeA = side === 'b' ? (odd?.[0] ?? 'sae-a') : 'sae-a';
    const saeB = side === 'a' ? (odd?.[1] ?? 'sae-b') : 'sae-b';
    const psk = new Secret(Buffer.alloc(32, 0x5a));
    const common = {
      auth: { kind: 'psk' },
      requireHybrid: false,
      lockWaitMs: LONG_MS,
      anyRole: false,
      exchange: {
        count: COUNT,
        size: 256,
        format: 'hex',
        naming: 'index',
        ackTimeoutMs: LONG_MS,
        deadlineMs: LONG_MS,
      },
    } as const;
    this.#a = {
      ...common,
      ...foldersOf(folder, 'a'),
      site: 'A',
      sae: saeA,
      kme: kmes.a,
      peer: { site: 'B', sae: saeB, name: 'B', psk, host: '127.0.0.1', port: 0 },
      connectWaitMs: LONG_MS,
    };
    this.#b = {
      ...common,
      ...foldersOf(folder, 'b'),
      site: 'B',
      sae: 'sae-b',
      kme: kmes.b,
      peers: [{ site: 'A', sae: saeA, name: 'A', psk }],
      listen: { host: '127.0.0.1', port: 0 },
      timeoutMs: LONG_MS,
      serve: false,
    };
  }

  /** One exchange. Where A has failed, B's time to wait for another one is over at once. */
  exchange(): Promise<Readonly<Record<Letter, SiteEnd>>> {
    return this.#both((access, around) => initiateHere({ ...access, kme: this.#a.kme }, around));
  }

  /** One contact that settles what is open. */
  async recover(): Promise<Readonly<Record<Letter, number>>> {
    const { a, b } = await this.#both(recoverHere);
    return { a: a.exit, b: b.exit };
  }

  async #both(
    runA: (access: DialAccess, around: Surroundings) => Promise<RunReport>,
  ): Promise<Readonly<Record<Letter, SiteEnd>>> {
    const logs = { a: new RecordingLog(), b: new RecordingLog() };
    const clockB = new SkippingClock();
    const answering = respondHere(this.#b, surroundings(logs.b, clockB));
    const { fields } = await logs.b.nth('listening');
    const access = { ...this.#a, peer: { ...this.#a.peer, port: Number(fields['port']) } };
    const a = await runA(access, surroundings(logs.a, new SkippingClock()));
    if (exitCodeOf(a) !== 0) clockB.skip(LONG_MS);
    return { a: endOf(a, logs.a), b: endOf(await answering, logs.b) };
  }
}

function endOf(report: RunReport, log: RecordingLog): SiteEnd {
  return { exit: exitCodeOf(report), error: report.error, log };
}

function surroundings({ log }: RecordingLog, clock: SkippingClock): Surroundings {
  return {
    clock,
    random: systemRandom,
    log,
    signal: new AbortController().signal,
    onPublished: () => undefined,
    env: {},
    watchFetch: () => ({ come: () => undefined, end: () => undefined }),
  };
}

async function kmeAccesses(
  dir: string,
  pair: KmePair,
  row: Row,
  side: Letter,
): Promise<Readonly<Record<Letter, KmeAccess>>> {
  const end = side === 'a' ? row.atA : row.atB;
  const inVain = end.a !== 0 || end.b !== 0;
  const access = async (letter: Letter, url: string): Promise<KmeAccess> => {
    const { serverName, slash, ...own }: RowSettings = letter === side ? (row.settings ?? {}) : {};
    const name = serverName === 'kme-a' ? `kme-${letter}` : serverName;
    return {
      urls: [slash === true ? `${url}/` : url],
      insecure: false,
      ca: await readFile(join(dir, 'kme-ca.pem'), 'utf8'),
      cert: await readFile(join(dir, `sae-${letter}.pem`), 'utf8'),
      key: await readFile(join(dir, `sae-${letter}.key`), 'utf8'),
      ...(name === undefined ? {} : { serverName: name }),
      encMethod: own.encMethod ?? own.method ?? 'post',
      decMethod: own.decMethod ?? own.method ?? 'post',
      extensions: {},
      timeoutMs: row.hangs === true ? SHORT_MS : LONG_MS,
      waitMs: inVain ? WAIT_IN_VAIN_MS : WAIT_MS,
      maxPerRequest: own.maxPerRequest,
      parallel: 4,
    };
  };
  return { a: await access('a', pair.urlA), b: await access('b', pair.urlB) };
}

function foldersOf(folder: string, letter: Letter): { readonly keys: string; readonly state: string } {
  return { keys: join(folder, letter, 'keys'), state: join(folder, letter, 'exchanges') };
}

/** The contents of all key files. */
async function keyFiles(folder: string, letter: Letter): Promise<string[]> {
  const lines = await diskTree(join(folder, letter));
  const paths = lines.filter((line) => line.startsWith('keys/') && line.endsWith(' 600'));
  return Promise.all(
    paths.map((line) => readFile(join(folder, letter, line.slice(0, -' 600'.length)), 'utf8')),
  );
}

/** All files at both sites but those that count exchanges and name the state folder. */
async function leftovers(folder: string): Promise<string[]> {
  const lines = await diskTree(folder);
  return lines.filter((line) => !/\/ 700$|\/(?:state-id|index) 600$/.test(line));
}
