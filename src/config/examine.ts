/**
 * Settings for `doctor`: all that can be made of them, and beside it all that is wrong.
 *
 * Whoever asks why something does not work has settings that are wrong, so a mistake in one must not keep the others
 * from being looked at. Nothing throws but `usage`, where all that is wrong is in flags.
 */
import type { QkdSyncError } from '../base/errors.js';
import { readAuth, readPeerPsk } from './auth.js';
import { readKme } from './kme.js';
import { buildExchange, buildFolders, openSources } from './load.js';
import type { Build, LoadRequest, Need } from './load.js';
import { answeredPeers, checkLengths, choosePeer, readPeers } from './peers.js';
import type { PeerEntry } from './peers.js';
import { SETTINGS } from './settings-table.js';
import type { DoctorSettings } from './settings.js';
import { SWITCHES } from './switch-table.js';

export interface Examined {
  /** Undefined where the configuration file cannot be read at all. */
  readonly settings: DoctorSettings | undefined;
  readonly error: QkdSyncError | undefined;
}

export async function examineSettings(request: Omit<LoadRequest<Need>, 'need'>): Promise<Examined> {
  const { build, error: findError } = await openSources(request);
  const settings = build && (await buildAll(build));
  const error = findError();
  if (error?.code === 'usage') throw error;
  return { settings, error };
}

async function buildAll(build: Build): Promise<DoctorSettings> {
  const { reader, file, home, problems, qkdNet } = build;
  const site = reader.require(SETTINGS.site, problems);
  const entries = readPeers(file.peers, home, problems);
  const chosen = choose(build, entries);
  checkLengths(site, new Set([...entries, ...chosen]), problems);
  const auth = await readAuth(reader, entries, problems);
  if (auth !== undefined) {
    for (const entry of chosen) (await readPeerPsk(auth, entry, problems))?.wipe();
  }
  // With half of what is set for the KME it would not be the KME of an exchange that is looked at.
  const mistakes = problems.size;
  const kme = await readKme(reader, problems);
  return {
    ...buildFolders(build),
    ...(kme === undefined || problems.size > mistakes ? {} : { kme }),
    ...(auth === undefined ? {} : { auth }),
    peers: chosen.map(({ site, sae }) => ({ site, sae })),
    exchange: buildExchange(build),
    secretFiles: secretFiles(build, chosen),
    ...(qkdNet === undefined ? {} : { qkdNet }),
  };
}

/** The one of --peer, else all that an exchange could be made with; without any there is still the KME. */
function choose({ reader, problems }: Build, entries: readonly PeerEntry[]): readonly PeerEntry[] {
  const isNamed = [SWITCHES.peer, SWITCHES.peerSite].some((setting) => reader.find(setting) !== undefined);
  if (!isNamed && entries.length === 0) return [];
  if (reader.find(SWITCHES.peer) === undefined) return answeredPeers(reader, entries, problems);
  const chosen = choosePeer(reader, entries, problems);
  return chosen === undefined ? [] : [chosen];
}

function secretFiles({ reader }: Build, peers: readonly PeerEntry[]): DoctorSettings['secretFiles'] {
  const { kmeKey, kmePkcs12, kmePassphraseFile, channelKey } = SETTINGS;
  const own = [kmeKey, kmePkcs12, kmePassphraseFile, channelKey].flatMap((setting) => {
    const found = reader.find(setting);
    return found === undefined ? [] : [{ setting: setting.key, path: found.value }];
  });
  const shared = peers.flatMap(({ site, pskFile }) =>
    pskFile === undefined ? [] : [{ setting: `peers.${site}.pskFile`, path: pskFile.value }],
  );
  return [...own, ...shared];
}
