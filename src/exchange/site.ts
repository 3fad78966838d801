/**
 * A site of the real world: the runs of both roles on this machine's file system, network and KME.
 *
 * Here, and only here, the ports that everything else takes as parameters get their real counterparts.
 */
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { maxFrameBytes } from '../handshake/message.js';
import type { KmeClientOptions } from '../kme/client.js';
import type { Kme } from '../kme/kme.js';
import type { KmeTls } from '../kme/tls.js';
import type { ChannelAuth, PeerIdentity } from '../peer/credentials.js';
import { createDial } from '../peer/dial.js';
import { createListen } from '../peer/listen.js';
import { readBootId } from '../store/boot-id.js';
import type { PublishedFile } from '../store/context.js';
import { createLock } from '../store/lock.js';
import { nodeFileSystem } from '../store/node-file-system.js';
import { createStore, type Store } from '../store/store.js';
import type { HookRun } from './hook.js';
import { createRunHook, type HookCommand } from './hook-process.js';
import { Hooks } from './hooks.js';
import { initiate, recover, type InitiatorSettings } from './initiate.js';
import { openExchanges, type OpenExchange, type RunReport, type UnreadPeer } from './outcome.js';
import { keepPublished, SERVING_KEY_IDS } from './published-files.js';
import { resolve, type Decided, type ResolveRequest } from './resolve.js';
import { respond } from './respond.js';
import type { PeerSite, RunPorts, SiteSettings } from './run.js';
import { readPeers, readStatus, type SiteStatus } from './status.js';
import type { Terms } from './terms.js';
import { watchedKme, type WatchFetch } from './watched-kme.js';

/** What the process gives to a run. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The variables of the process, for what it runs. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Told of each key file right after it is durably in place. */
  readonly onPublished: (file: PublishedFile) => void;
  /** Told of each fetch of keys while it goes on. */
  readonly watchFetch: WatchFetch;
}

export interface Folders {
  readonly keys: string;
  readonly state: string;
  /** What is to be run for each saved key file, if anything. */
  readonly onCommit?: HookCommand;
}

export type KmeAccess = KmeTls & Omit<KmeClientOptions, 'tls' | 'clock' | 'random' | 'log' | 'fetch'>;

/** What every contact with a peer needs. */
export interface ContactAccess extends Folders {
  readonly site: string;
  readonly sae: string;
  readonly auth: ChannelAuth;
  readonly requireHybrid: boolean;
  readonly exchange: Terms;
  readonly lockWaitMs: number;
  readonly anyRole: boolean;
  readonly index?: number;
}

export interface DialAccess extends ContactAccess {
  readonly peer: PeerSite & PeerIdentity & { readonly host: string; readonly port: number };
  readonly connectWaitMs: number;
}

export interface ListenAccess extends ContactAccess {
  readonly kme: KmeAccess;
  readonly peers: readonly (PeerSite & PeerIdentity)[];
  readonly listen: { readonly host?: string; readonly port: number };
  readonly timeoutMs: number;
  readonly serve: boolean;
}

export async function initiateHere(
  access: DialAccess & { readonly kme: KmeAccess },
  surroundings: Surroundings,
): Promise<RunReport> {
  const kme = await openKme(access.kme, surroundings);
  try {
    const ports = { ...openPorts(access, surroundings), dial: openDial(access, surroundings), kme };
    return await initiate(initiatorSettings(access), ports);
  } finally {
    await kme.close();
  }
}

export function recoverHere(access: DialAccess, surroundings: Surroundings): Promise<RunReport> {
  const ports = { ...openPorts(access, surroundings), dial: openDial(access, surroundings) };
  return recover(initiatorSettings(access), ports);
}

export async function respondHere(access: ListenAccess, surroundings: Surroundings): Promise<RunReport> {
  const { site, peers, auth, requireHybrid, timeoutMs, serve } = access;
  const { clock, log } = surroundings;
  const kme = await openKme(access.kme, surroundings);
  const listen = createListen({
    site,
    peers,
    host: access.listen.host,
    port: access.listen.port,
    auth,
    requireHybrid,
    // Only SYN grows with the number of keys, and it is the initiator's.
    maxPayloadBytes: maxFrameBytes(access.exchange.count),
    maxSendBytes: maxFrameBytes(0),
    clock,
    log,
  });
  try {
    const ports = { ...openPorts(access, surroundings, serve ? SERVING_KEY_IDS : undefined), kme, listen };
    return await respond({ ...siteSettings(access), peers, timeoutMs, serve }, ports);
  } finally {
    await kme.close();
  }
}

/** What has come of an operator's decision, and what else the operator must hear of. */
export interface Resolved extends Decided {
  readonly hooks: readonly HookRun[];
  /** Exchanges with any peer that are still in alarm, but for this one. */
  readonly others: readonly OpenExchange[];
  /** Peers of which nobody knows whether there are such. */
  readonly unread: readonly UnreadPeer[];
}

/** What an operator decides about one exchange. */
export async function resolveHere(
  folders: Folders,
  request: ResolveRequest,
  surroundings: Surroundings,
): Promise<Resolved> {
  const ports = openPorts(folders, surroundings);
  const decided = await resolve(request, ports);
  const hooks = new Hooks(ports, request.lockWaitMs);
  if (decided.after !== undefined) hooks.begin(decided.after.peer);
  const ended = await hooks.ended();
  // What cannot be read of the others takes nothing back of what has been done.
  const { read, unread } = await readPeers(ports.store, (peer) => ports.store.survey(peer));
  const others = openExchanges(read.flat()).filter(
    ({ id, standing }) => standing === 'alarm' && id !== request.id,
  );
  return { ...decided, hooks: ended, others, unread };
}

/** What the records here say; changes nothing. */
export function statusHere(folders: Folders, surroundings: Surroundings): Promise<SiteStatus> {
  return readStatus(openStore(folders, surroundings));
}

function siteSettings(access: ContactAccess): SiteSettings {
  const { site, sae, exchange, anyRole, index, lockWaitMs } = access;
  return { site, sae, terms: exchange, anyRole, index, lockWaitMs };
}

function initiatorSettings(access: DialAccess): InitiatorSettings {
  const { peer, connectWaitMs } = access;
  return { ...siteSettings(access), peer, connectWaitMs };
}

/** For who measures how long an exchange takes: loading the client is no part of it. */
export async function loadKmeClient(): Promise<void> {
  await import('../kme/client.js');
}

async function openKme(access: KmeAccess, { clock, random, log, watchFetch }: Surroundings): Promise<Kme> {
  // Only now: its HTTP client takes longer to load than all the rest, and most commands ask no KME.
  const { createKmeClient } = await import('../kme/client.js');
  const { ca, cert, key, pkcs12, passphrase, serverName, ...how } = access;
  const tls = { ca, cert, key, pkcs12, passphrase, serverName };
  return watchedKme(createKmeClient({ ...how, tls, clock, random, log }), watchFetch);
}

function openDial(access: DialAccess, { clock, log }: Surroundings): ReturnType<typeof createDial> {
  const { site, peer, auth, requireHybrid } = access;
  const { host, port } = peer;
  return createDial({
    site,
    peer,
    host,
    port,
    auth,
    requireHybrid,
    // Only SYN grows with the number of keys, and it is ours.
    maxPayloadBytes: maxFrameBytes(0),
    maxSendBytes: maxFrameBytes(access.exchange.count),
    clock,
    log,
  });
}

function openPorts(folders: Folders, surroundings: Surroundings, mostKeyIds?: number): RunPorts {
  const { clock, random, log, signal, env } = surroundings;
  const published: PublishedFile[] = [];
  const store = openStore(folders, surroundings, (file) => {
    keepPublished(published, file, mostKeyIds);
  });
  const runHook = folders.onCommit && createRunHook(folders.onCommit, { env, clock, log });
  return { store, lock: createLock(clock, log), clock, random, log, signal, published, runHook };
}

function openStore(
  folders: Folders,
  surroundings: Surroundings,
  keep: (file: PublishedFile) => void = () => undefined,
): Store {
  const { random, log, onPublished } = surroundings;
  return createStore(folders.state, folders.keys, {
    fs: nodeFileSystem,
    random,
    log,
    bootId: readBootId,
    hooked: folders.onCommit !== undefined,
    onPublished: (file) => {
      keep(file);
      onPublished(file);
    },
  });
}
