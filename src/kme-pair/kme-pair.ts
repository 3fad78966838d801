/**
 * Two ETSI GS QKD 014 KMEs over one key store, on loopback, with everything that is needed to try qkd-sync out.
 *
 * Calling sequence: `startKmePair`, later `close`. The credentials and settings stay in the folder; the keys end
 * with the pair.
 *
 * Errors: `config` (the folder is somebody else's, a settings file was taken over, a port is in use), `storage`.
 */
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import type { Dialect } from './dialects/dialect.js';
import { mannerOf } from './dialects/manner.js';
import type { KmeIdentity } from './etsi-014.js';
import { prepareFolder, readKmeCredentials } from './folder.js';
import { identifyBy } from './identify.js';
import { KeyStore } from './key-store.js';
import { startKmeServer, type KmeRequest, type KmeServer, type LoopbackHost } from './kme-server.js';
import { DEFAULT_LIMITS, maxBodyBytes, type Limits } from './limits.js';
import { SIDE_A, SIDE_B, type Side } from './names.js';
import { writeSettings } from './settings-file.js';

export interface KmePairOptions {
  readonly dir: string;
  readonly host?: LoopbackHost | undefined;
  /** 0 is any free port. */
  readonly portA: number;
  readonly portB: number;
  /** Where site B's responder will listen on this machine, for a.yaml; default 7000. */
  readonly peerPort?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Told of each request to either KME before its answer is sent. */
  readonly onRequest?: ((request: KmeRequest) => void) | undefined;
  /** How many keys may be made before the KMEs are out of keys; undefined is no limit. */
  readonly stock?: number | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** What each KME speaks instead of the standard; several are put around each other in this order. */
  readonly dialectsA?: readonly Dialect[] | undefined;
  readonly dialectsB?: readonly Dialect[] | undefined;
}

export interface KmePair {
  readonly urlA: string;
  readonly urlB: string;
  /** Paths of the settings files, below `dir`. */
  readonly configA: string;
  readonly configB: string;
  /** Ends within about a second, whatever connections are open. */
  close(): Promise<void>;
}

export async function startKmePair(options: KmePairOptions): Promise<KmePair> {
  const { dir, host = '127.0.0.1', clock, random, log, onRequest, stock, peerPort = 7_000 } = options;
  const { dialectsA = [], dialectsB = [] } = options;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  await prepareFolder(dir, { clock, random, log });
  const store = new KeyStore({ random, maxKeyCount: limits.maxKeyCount, stock });

  const start = async (
    own: Side,
    other: Side,
    port: number,
    dialects: readonly Dialect[],
  ): Promise<KmeServer & { readonly url: string }> => {
    const kme = { self: identity(own), target: identity(other), limits, store };
    const { api, prefix, transport } = mannerOf(dialects, kme);
    const { sae, ...credentials } = await readKmeCredentials(dir, own, transport);
    const server = await startKmeServer({
      kme: own.kme,
      host,
      port,
      credentials,
      transport,
      prefix,
      answer: api,
      identify: identifyBy(transport, own, sae),
      maxBodyBytes: maxBodyBytes(limits),
      clock,
      log,
      onRequest,
    });
    return { ...server, url: `${transport.scheme}://${hostPort(host, server.port)}${prefix}` };
  };

  const servers: KmeServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    store.clear();
  };
  try {
    const a = await start(SIDE_A, SIDE_B, options.portA, dialectsA);
    servers.push(a);
    const b = await start(SIDE_B, SIDE_A, options.portB, dialectsB);
    servers.push(b);
    const files = await writeSettings(dir, {
      kmeUrlA: a.url,
      kmeUrlB: b.url,
      siteB: hostPort(host, peerPort),
    });
    return { urlA: a.url, urlB: b.url, ...files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function identity({ kme, sae }: Side): KmeIdentity {
  return { id: kme, saes: [sae] };
}

function hostPort(host: LoopbackHost, port: number): string {
  return host === '::1' ? `[::1]:${port}` : `${host}:${port}`;
}
