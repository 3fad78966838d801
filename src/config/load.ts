/**
 * Settings for one run: flag before environment before file before qkd-net's own before default, checked together.
 *
 * Calling sequence: `loadSettings` once, before anything else is done. Errors: QkdSyncError `config`, or `usage`
 * where all that is wrong is in flags; its message has one line for each mistake, each with its place (file and
 * line, variable or flag) and what was expected there.
 */
import { join, relative } from 'node:path';
import type { QkdSyncError } from '../base/errors.js';
import { roleOf } from '../base/site.js';
import { readAuth, readPeerPsk } from './auth.js';
import { readEnvironment } from './environment.js';
import type { Environment } from './environment.js';
import { readConfigFile } from './file.js';
import type { ConfigFile } from './file.js';
import { readFlags } from './flags.js';
import type { Flags } from './flags.js';
import { readKme } from './kme.js';
import { answeredPeers, checkLengths, choosePeer, readPeers } from './peers.js';
import type { PeerEntry } from './peers.js';
import { Problems } from './problems.js';
import { readQkdNet, withRoutes } from './qkd-net.js';
import type { QkdNet } from './qkd-net.js';
import { defaultsOf, Reader } from './reader.js';
import { quote } from './shape.js';
import { SETTINGS } from './settings-table.js';
import type {
  ContactSettings,
  ExchangeSettings,
  HookSettings,
  Peer,
  SettingsOf,
  StatusSettings,
} from './settings.js';
import { SWITCHES } from './switch-table.js';

/** A command that needs settings. */
export type Need = keyof SettingsOf;

export interface LoadRequest<N extends Need> {
  readonly need: N;
  readonly flags: Flags;
  readonly env: Environment;
  /** Absolute. */
  readonly home: string;
  /** Absolute. */
  readonly cwd: string;
  /** Instead of `/etc`, for tests. */
  readonly systemFolder?: string;
}

const NO_FILE_HINT =
  'no configuration file was read: docs/configuration.md shows one, and `qkd-sync kme --dir DIR` makes a pair to try';

/** The settings that `request.need` needs, with the files of certificates and keys read. */
export async function loadSettings<N extends Need>(request: LoadRequest<N>): Promise<SettingsOf[N]> {
  const { build, error } = await openSources(request);
  const settings = build && (await BUILDERS[request.need](build));
  const wrong = error();
  if (wrong !== undefined) throw wrong;
  if (settings === undefined) throw new TypeError('settings are incomplete, but nothing is wrong with them');
  return settings;
}

export interface Build {
  readonly reader: Reader;
  readonly file: ConfigFile;
  readonly qkdNet: QkdNet | undefined;
  readonly home: string;
  readonly problems: Problems;
}

export interface Sources {
  /** Undefined where the configuration file is none. */
  readonly build: Build | undefined;
  /** All that is wrong so far. */
  readonly error: () => QkdSyncError | undefined;
}

/** Reads all that settings come from, and checks each value by itself. */
export async function openSources(request: Omit<LoadRequest<Need>, 'need'>): Promise<Sources> {
  const { flags, env, home, cwd, systemFolder = '/etc' } = request;
  const problems = new Problems();
  const flagLayer = readFlags(flags, cwd);
  const environmentLayer = readEnvironment(env, cwd, problems);
  const flag = new Reader([flagLayer], home).find(SWITCHES.config)?.value;
  const ownFile = await problems.collect(readConfigFile({ flag, env, home, cwd, systemFolder }, problems));
  const qkdNet = await problems.collect(readQkdNet(home, problems));
  const file = ownFile && { ...ownFile, peers: withRoutes(ownFile.peers, qkdNet?.peers ?? []) };
  const reader = new Reader(
    [
      flagLayer,
      environmentLayer,
      file?.values ?? new Map(),
      qkdNet?.values ?? new Map(),
      defaultsOf([...Object.values(SETTINGS), ...Object.values(SWITCHES)], cwd),
    ],
    home,
  );
  reader.check([...Object.values(SETTINGS), ...Object.values(SWITCHES)], problems);
  return {
    build: file && { reader, file, qkdNet, home, problems },
    error: () => problems.error(file?.path === undefined ? NO_FILE_HINT : undefined),
  };
}

/** Undefined where something is missing, which is among the problems then. */
const BUILDERS: { readonly [N in Need]: (build: Build) => Promise<SettingsOf[N] | undefined> } = {
  status: (build) => {
    readPeers(build.file.peers, build.home, build.problems);
    return Promise.resolve(buildFolders(build));
  },

  resolve: async (build) => {
    const folders = await BUILDERS.status(build);
    const lockWaitMs = build.reader.value(SETTINGS.lockWait);
    return folders && { ...folders, ...buildHook(build), lockWaitMs };
  },

  recover: async (build) => {
    const { reader, file, home, problems } = build;
    const entries = readPeers(file.peers, home, problems);
    const chosen = choosePeer(reader, entries, problems);
    const contact = await buildContact(build, entries, chosen === undefined ? [] : [chosen]);
    const [peer] = contact?.peers ?? [];
    if (contact === undefined || chosen === undefined || peer === undefined) return undefined;
    return { ...contact, peer: { ...peer, host: chosen.host, port: chosen.port } };
  },

  initiate: async (build) => {
    const recover = await BUILDERS.recover(build);
    const kme = await readKme(build.reader, build.problems);
    return recover && kme && { ...recover, ...buildIndex(build), kme };
  },

  respond: async (build) => {
    const { reader, file, home, problems } = build;
    const entries = readPeers(file.peers, home, problems);
    const contact = await buildContact(build, entries, answeredPeers(reader, entries, problems));
    const kme = await readKme(build.reader, build.problems);
    if (contact === undefined || kme === undefined) return undefined;
    const [listen, timeoutMs] = [reader.value(SETTINGS.listen), reader.value(SETTINGS.timeout)];
    return { ...contact, ...buildIndex(build), kme, listen, timeoutMs };
  },
};

export function buildFolders({ reader, problems }: Build): StatusSettings {
  const site = reader.find(SETTINGS.site)?.value;
  const keys = reader.value(SETTINGS.keys);
  const state = reader.find(SETTINGS.state)?.value ?? join(keys, '..', 'exchanges');
  if (isWithin(keys, state) || isWithin(state, keys)) {
    problems.add(
      'config',
      `keys is ${quote(keys)} and state is ${quote(state)}: expected neither inside the other`,
    );
  }
  return { ...(site === undefined ? {} : { site }), keys, state };
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../');
}

async function buildContact(
  build: Build,
  entries: readonly PeerEntry[],
  chosen: readonly PeerEntry[],
): Promise<ContactSettings | undefined> {
  const { reader, problems } = build;
  const found = reader.require(SETTINGS.site, problems);
  const site = found?.value;
  const all = new Set([...entries, ...chosen]);
  checkLengths(found, all, problems);
  for (const entry of all) {
    if (site === undefined || roleOf(site, entry.site) !== undefined) continue;
    problems.add('config', `${entry.subject} is this site itself: expected an ID other than ${quote(site)}`);
  }
  const auth = await readAuth(reader, entries, problems);
  if (site === undefined || auth === undefined) return undefined;
  const peers: Peer[] = [];
  for (const entry of chosen) {
    const psk = await readPeerPsk(auth, entry, problems);
    peers.push({ site: entry.site, sae: entry.sae, name: entry.name, ...(psk === undefined ? {} : { psk }) });
  }
  return {
    ...buildFolders(build),
    site,
    sae: reader.find(SETTINGS.sae)?.value ?? site,
    auth,
    requireHybrid: reader.value(SETTINGS.channelRequireHybrid),
    peers,
    exchange: buildExchange(build),
    ...buildHook(build),
    lockWaitMs: reader.value(SETTINGS.lockWait),
    connectWaitMs: reader.value(SETTINGS.connectWait),
    insecure: auth.kind === 'none',
    anyRole: reader.find(SWITCHES.anyRole)?.value ?? false,
  };
}

function buildHook({ reader }: Build): { readonly onCommit?: HookSettings } {
  const command = reader.find(SETTINGS.onCommit)?.value;
  if (command === undefined) return {};
  return { onCommit: { command, timeoutMs: reader.value(SETTINGS.onCommitTimeout) } };
}

export function buildExchange({ reader }: Build): ExchangeSettings {
  return {
    count: reader.value(SETTINGS.exchangeCount),
    size: reader.value(SETTINGS.exchangeSize),
    format: reader.value(SETTINGS.exchangeFormat),
    naming: reader.value(SETTINGS.exchangeNaming),
    ackTimeoutMs: reader.value(SETTINGS.exchangeAckTimeout),
    deadlineMs: reader.value(SETTINGS.exchangeDeadline),
  };
}

function buildIndex({ reader }: Build): { readonly index?: number } {
  const index = reader.find(SWITCHES.index)?.value;
  return index === undefined ? {} : { index };
}
