/**
 * How the sites authenticate: exactly one of certificates, pre-shared keys and, said explicitly, nothing.
 *
 * What is wrong goes to `problems`; undefined is the answer then. Nothing throws.
 */
import type { Secret } from '../base/key.js';
import { readCertificates, readPair, readPsk } from './credentials.js';
import type { FoundFile } from './credentials.js';
import { PEER_SETTINGS } from './peer-table.js';
import type { PeerEntry } from './peers.js';
import type { Problems } from './problems.js';
import type { Reader } from './reader.js';
import { SETTINGS } from './settings-table.js';
import type { Auth } from './settings.js';
import { SWITCHES } from './switch-table.js';

const CHANNEL = [SETTINGS.channelCa, SETTINGS.channelCert, SETTINGS.channelKey];

const NO_WAY_HINT =
  'set channel.ca, channel.cert and channel.key (mutual TLS), or pskFile of the peer (TLS-PSK); ' +
  '`qkd-sync kme --dir DIR` makes credentials to try things with, and --insecure does without on loopback';

/** The way that is configured, its certificates read. `entries` are all of the file's peers. */
export async function readAuth(
  reader: Reader,
  entries: readonly PeerEntry[],
  problems: Problems,
): Promise<Auth | undefined> {
  const [certificate] = CHANNEL.flatMap((setting) => reader.find(setting) ?? []);
  const [psk] = entries.flatMap(({ pskFile }) => pskFile ?? []);
  if (certificate !== undefined && psk !== undefined) {
    problems.add(
      'config',
      `${certificate.origin.subject} and ${psk.origin.subject} are both set: expected one way to authenticate, certificates or pre-shared keys`,
    );
    return undefined;
  }
  const credential = certificate ?? psk;
  if (reader.find(SWITCHES.insecure)?.value === true) {
    if (credential === undefined) return { kind: 'none' };
    problems.add(
      'config',
      `--insecure and ${credential.origin.subject} are both set: expected one or the other`,
    );
    return undefined;
  }
  if (psk !== undefined) return { kind: 'psk' };
  if (certificate !== undefined) return readChannel(reader, problems);
  problems.add(
    'config',
    'nothing authenticates the sites to each other: expected certificates or pre-shared keys',
    NO_WAY_HINT,
  );
  return undefined;
}

async function readChannel(reader: Reader, problems: Problems): Promise<Auth | undefined> {
  for (const setting of CHANNEL) reader.require(setting, problems);
  const caFile = reader.find(SETTINGS.channelCa);
  const ca = caFile && (await problems.collect(readCertificates(caFile)));
  const pair = await readPairOf(
    reader.find(SETTINGS.channelCert),
    reader.find(SETTINGS.channelKey),
    problems,
  );
  return ca === undefined || pair === undefined ? undefined : { kind: 'certificates', ca, ...pair };
}

/** Certificate and key where both are set. */
export async function readPairOf(
  cert: FoundFile | undefined,
  key: FoundFile | undefined,
  problems: Problems,
): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  return cert && key && problems.collect(readPair(cert, key));
}

/** The pre-shared key of `entry`, which must have one where keys are the way to authenticate. */
export async function readPeerPsk(
  auth: Auth,
  entry: PeerEntry,
  problems: Problems,
): Promise<Secret | undefined> {
  if (auth.kind !== 'psk') return undefined;
  if (entry.pskFile !== undefined) return problems.collect(readPsk(entry.pskFile));
  const expected = `${PEER_SETTINGS.pskFile.shape.expected}, as the other peers have`;
  problems.add('config', `${entry.subject}.pskFile is not set: expected ${expected}`);
  return undefined;
}
