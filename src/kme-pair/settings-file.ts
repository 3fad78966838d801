/**
 * DIR/a.yaml and DIR/b.yaml: settings with which both sites run on this machine (docs/protocol.md, "Settings").
 *
 * Calling sequence: `writeSettings` at every start, once the KMEs' ports are known.
 * A file that bears our header keeps whatever else was changed in it: only the addresses are set.
 *
 * Errors: `config` where a file has lost its header or is no valid YAML, `storage` where a file operation fails.
 */
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { QkdSyncError } from '../base/errors.js';
import { SIDE_A, SIDE_B, type Side } from './names.js';
import { readIfThere, writePrivateFile } from './private-file.js';

const HEADER = '# Made by qkd-sync kme, which sets the addresses in this file at each start.\n';

/** Where everyone listens. */
export interface Addresses {
  readonly kmeUrlA: string;
  readonly kmeUrlB: string;
  /** `host:port` where site B's responder listens. */
  readonly siteB: string;
}

export interface SettingsFiles {
  readonly configA: string;
  readonly configB: string;
}

/** Makes both files, or sets the addresses in those that are there; neither where one is refused. Answers their paths. */
export async function writeSettings(dir: string, addresses: Addresses): Promise<SettingsFiles> {
  const configA = join(dir, 'a.yaml');
  const configB = join(dir, 'b.yaml');
  const textA = await current(configA, settingsText(SIDE_A, SIDE_B, addresses.kmeUrlA, addresses.siteB), [
    { path: ['kme', 'url'], value: addresses.kmeUrlA },
    { path: ['peers', SIDE_B.site, 'address'], value: addresses.siteB },
  ]);
  const textB = await current(configB, settingsText(SIDE_B, SIDE_A, addresses.kmeUrlB), [
    { path: ['kme', 'url'], value: addresses.kmeUrlB },
  ]);
  if (textA !== undefined) await writePrivateFile(configA, textA);
  if (textB !== undefined) await writePrivateFile(configB, textB);
  return { configA, configB };
}

/** One value to keep current in a file that exists. */
interface Address {
  readonly path: readonly string[];
  readonly value: string;
}

/** What `path` must hold from now on: `fresh` where it is missing, undefined where it is as it must be. */
async function current(
  path: string,
  fresh: string,
  addresses: readonly Address[],
): Promise<string | undefined> {
  const text = await readOurs(path);
  if (text === undefined) return fresh;
  const settings = parseDocument(text);
  const [fault] = settings.errors;
  if (fault !== undefined)
    throw new QkdSyncError('config', `${path}, line ${fault.linePos?.[0].line ?? 1}: not valid YAML`, {
      hint: 'mend or remove this file',
      cause: fault,
    });
  // What the user has taken out stays out.
  const changed = addresses.filter(
    (address) => settings.hasIn(address.path) && settings.getIn(address.path) !== address.value,
  );
  if (changed.length === 0) return undefined;
  for (const { path: at, value } of changed) settings.setIn(at, value);
  return settings.toString({ lineWidth: 0 });
}

/** The text of a settings file that bears our header; undefined where there is none. */
async function readOurs(path: string): Promise<string | undefined> {
  const text = await readIfThere(path);
  if (text !== undefined && !text.startsWith(HEADER))
    throw new QkdSyncError('config', `${path} no longer bears the line that says who made it`, {
      hint: 'move this file away: qkd-sync kme makes a new one, and overwrites none but its own',
    });
  return text;
}

/** `peerAddress` only where this site dials. Paths are relative to the file. */
function settingsText(own: Side, peer: Side, kmeUrl: string, peerAddress?: string): string {
  const address = peerAddress === undefined ? '' : `address: "${peerAddress}", `;
  return `${HEADER}site: ${own.site}
sae: ${own.sae}
keys: ${own.letter}/keys
state: ${own.letter}/exchanges
kme:
  url: ${kmeUrl}
  ca: kme-ca.pem
  cert: ${own.sae}.pem
  key: ${own.sae}.key
channel:
  ca: sites-ca.pem
  cert: ${own.letter}.pem
  key: ${own.letter}.key
peers:
  ${peer.site}: { ${address}sae: ${peer.sae}, name: ${peer.site} }
exchange:
  count: 1
  size: 256
`;
}
