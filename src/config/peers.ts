/**
 * The peers of the file, and which of them a run is about.
 *
 * Calling sequence: `readPeers`, then `choosePeer` to call one or `answeredPeers` to answer them. What is wrong goes
 * to `problems`; nothing throws.
 */
import { fitsFileNames, isSiteId, roleOf, SEGMENT_MAX_BYTES } from '../base/site.js';
import { DEFAULT_PORT, isHostName, parseDialAddress, splitPeer } from './address.js';
import type { DialAddress } from './address.js';
import type { PeerSection } from './file.js';
import { PEER_SETTINGS } from './peer-table.js';
import type { Problems } from './problems.js';
import { Reader } from './reader.js';
import type { Found } from './reader.js';
import { dialAddress, quote, siteId } from './shape.js';
import { SWITCHES } from './switch-table.js';

/** One peer; its files are not read yet. */
export interface PeerEntry {
  readonly site: string;
  readonly sae: string;
  readonly name: string;
  readonly address?: DialAddress;
  readonly pskFile?: Found<string>;
  /** How a message names it. */
  readonly subject: string;
  /** Known from qkd-net's routes alone. */
  readonly isRoute?: boolean;
}

export interface ChosenPeer extends PeerEntry {
  readonly host: string;
  readonly port: number;
}

/** More than any network of sites has; each is compared with each other one. */
const MAX_PEERS = 1_000;

export function readPeers(sections: readonly PeerSection[], home: string, problems: Problems): PeerEntry[] {
  const entries: PeerEntry[] = [];
  const [first] = sections;
  if (first !== undefined && sections.length > MAX_PEERS) {
    problems.addAt(
      first.origin,
      ` and the others are ${sections.length}: expected at most ${MAX_PEERS} peers`,
    );
    return entries;
  }
  for (const { site, origin, values, isRoute = false } of sections) {
    const reader = new Reader([values], home);
    reader.check(Object.values(PEER_SETTINGS), problems);
    if (!isSiteId(site)) problems.addAt(origin, ` is not named as a site: expected ${siteId.expected}`);
    const address = reader.find(PEER_SETTINGS.address)?.value;
    const pskFile = reader.find(PEER_SETTINGS.pskFile);
    const entry = {
      site,
      sae: reader.find(PEER_SETTINGS.sae)?.value ?? site,
      name: reader.find(PEER_SETTINGS.name)?.value ?? site,
      ...(address === undefined ? {} : { address }),
      ...(pskFile === undefined ? {} : { pskFile }),
      // What more it needs belongs into our own file.
      subject: isRoute ? `peers.${site}` : origin.subject,
      ...(isRoute ? { isRoute } : {}),
    };
    const namesake = entries.find((other) => isSame(other.site, site));
    if (namesake !== undefined) {
      problems.addAt(
        origin,
        ` differs from ${quote(namesake.site)} by case only: expected one peer of that ID`,
      );
    } else if (entries.some((other) => isSame(other.name, entry.name))) {
      problems.addAt(
        origin,
        ` has the same name as another peer: expected a name of its own in its certificate`,
      );
    }
    entries.push(entry);
  }
  return entries;
}

/** Whether each ID can be part of the names of key files, at this site or at the other. */
export function checkLengths(
  own: Found<string> | undefined,
  peers: Iterable<PeerEntry>,
  problems: Problems,
): void {
  const flaw = ` is too long an ID for the names of files: expected at most ${SEGMENT_MAX_BYTES} bytes, each that is no letter, digit, _, - or . counted three times`;
  if (own !== undefined && !fitsFileNames(own.value)) problems.addAt(own.origin, flaw);
  for (const { site, subject } of peers)
    if (!fitsFileNames(site)) problems.add('config', `${subject}${flaw}`);
}

/** The peer that --peer means: a configured one by its site ID, else a host. */
export function choosePeer(
  reader: Reader,
  entries: readonly PeerEntry[],
  problems: Problems,
): ChosenPeer | undefined {
  const flag = reader.find(SWITCHES.peer);
  if (flag === undefined) {
    problems.add('usage', `--peer is not set: expected ${SWITCHES.peer.shape.expected}`);
    return undefined;
  }
  const { name, port } = splitPeer(flag.text);
  const configured = find(entries, flag.text);
  if (configured !== undefined) return chooseConfigured(reader, configured, undefined, problems);
  const configuredWithPort = find(entries, name);
  if (configuredWithPort !== undefined) return chooseConfigured(reader, configuredWithPort, port, problems);
  const address = parseDialAddress(flag.text);
  if (address === undefined) {
    problems.addAt(flag.origin, ` is ${quote(flag.text)}: expected ${SWITCHES.peer.shape.expected}`);
    return undefined;
  }
  const there = entries.find(
    (entry) => entry.address !== undefined && isSame(entry.address.host, address.host),
  );
  if (there !== undefined && reader.find(SWITCHES.peerSite) === undefined) {
    const expected = `${quote(there.site)}, the configured site at that address, or --peer-site with it`;
    problems.addAt(flag.origin, ` is ${quote(flag.text)}: expected ${expected}`);
    return undefined;
  }
  const entry = namedByFlags(reader, entries, address.host);
  if (isSiteId(entry.site)) return { ...entry, host: address.host, port: address.port ?? DEFAULT_PORT };
  problems.addAt(flag.origin, ' is too long for a site ID: expected --peer-site with it');
  return undefined;
}

function chooseConfigured(
  reader: Reader,
  entry: PeerEntry,
  port: number | undefined,
  problems: Problems,
): ChosenPeer | undefined {
  const peerSite = reader.find(SWITCHES.peerSite);
  if (peerSite !== undefined && !isSame(peerSite.value, entry.site)) {
    const expected = `${quote(entry.site)}, the configured site that --peer names`;
    problems.addAt(peerSite.origin, ` is ${quote(peerSite.text)}: expected ${expected}`);
  }
  const host = entry.address?.host ?? (isHostName(entry.site) ? entry.site : undefined);
  if (host === undefined) {
    problems.add('config', `${entry.subject}.address is not set: expected ${dialAddress.expected}`);
    return undefined;
  }
  return { ...withSae(reader, entry), host, port: port ?? entry.address?.port ?? DEFAULT_PORT };
}

/** The peers to answer: the one of --peer-site, else all that are known and can authenticate. */
export function answeredPeers(
  reader: Reader,
  entries: readonly PeerEntry[],
  problems: Problems,
): readonly PeerEntry[] {
  const peerSite = reader.find(SWITCHES.peerSite);
  if (peerSite !== undefined) return [namedByFlags(reader, entries, peerSite.value)];
  const peerSae = reader.find(SWITCHES.peerSae);
  if (peerSae !== undefined) problems.addAt(peerSae.origin, ' is set without --peer-site: expected both');
  else if (entries.length === 0) {
    problems.add(
      'config',
      'peers is not set: expected at least one peer in the configuration file, or --peer-site',
    );
  }
  // A route says nothing of pre-shared keys: such a peer cannot be answered until our own file does.
  const usesPsk = entries.some(({ pskFile }) => pskFile !== undefined);
  return entries.filter(({ isRoute, pskFile }) => isRoute !== true || !usesPsk || pskFile !== undefined);
}

/** The peer that --peer-site and --peer-sae describe; the file may know more of it. */
function namedByFlags(reader: Reader, entries: readonly PeerEntry[], otherwise: string): PeerEntry {
  const site = reader.find(SWITCHES.peerSite)?.value ?? otherwise;
  const entry = find(entries, site) ?? { site, sae: site, name: site, subject: `peers.${site}` };
  return withSae(reader, entry);
}

function withSae(reader: Reader, entry: PeerEntry): PeerEntry {
  return { ...entry, sae: reader.find(SWITCHES.peerSae)?.value ?? entry.sae };
}

function find(entries: readonly PeerEntry[], site: string): PeerEntry | undefined {
  return entries.find((entry) => isSame(entry.site, site));
}

/** Site IDs that differ by case only would make one folder on some filesystems, and have no order. */
function isSame(site: string, other: string): boolean {
  return roleOf(site, other) === undefined;
}
