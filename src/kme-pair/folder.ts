/**
 * The folder with the pair's credentials, `qkd-sync kme --dir DIR`.
 *
 * Calling sequence: `prepareFolder` at every start, then `readKmeCredentials`. A new or empty folder is claimed
 * with a marker and filled; one of ours is kept as it is, unless credentials are missing: the CAs' keys are not
 * kept, so then all are made anew.
 *
 * Errors: `config` where DIR is somebody else's, `storage` where a file operation fails.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { QkdSyncError, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { CREDENTIAL_FILES, type CredentialFile, type Side } from './names.js';
import { makePrivateFolder, readIfThere, storageError, writePrivateFile } from './private-file.js';
import type { KmeCredentials, Transport } from './transport.js';

/** Says that the folder is ours, and whether all credentials were written. */
const MARKER = '.qkd-sync-kme';
const INCOMPLETE = 'made by qkd-sync kme: credentials incomplete\n';
const COMPLETE = 'made by qkd-sync kme: credentials complete\n';

const ANOTHER_FOLDER = 'name a new or an empty folder with --dir';

export interface FolderSources {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Makes sure that `dir` is ours and holds every credential file. */
export async function prepareFolder(dir: string, { clock, random, log }: FolderSources): Promise<void> {
  const names = await claim(dir);
  const marker = await readIfThere(join(dir, MARKER));
  const missing = CREDENTIAL_FILES.filter((name) => !names.includes(name));
  if (marker === COMPLETE && missing.length === 0) return;

  if (marker === COMPLETE)
    log(
      'warn',
      'kme-credentials-lost',
      `${missing.join(', ')} missing in ${dir}: all credentials are made anew`,
    );
  await writePrivateFile(join(dir, MARKER), INCOMPLETE);
  const { makeCredentials } = await import('./credentials.js'); // the X.509 library costs time: only when needed
  const credentials = await makeCredentials({ clock, random });
  for (const name of CREDENTIAL_FILES) await writePrivateFile(join(dir, name), credentials[name]);
  await writePrivateFile(join(dir, MARKER), COMPLETE);
  log('info', 'kme-credentials-made', `credentials made in ${dir}`);
}

/** What the KME of `side` presents and trusts, and its SAE's certificate, in PEM. */
export async function readKmeCredentials(
  dir: string,
  side: Side,
  { certificate, knows }: Pick<Transport, 'certificate' | 'knows'>,
): Promise<KmeCredentials & { readonly sae: string }> {
  const { letter } = side;
  return {
    // No SAE has a certificate of the sites' CA.
    ca: await readText(dir, knows === 'no-certificate' ? 'sites-ca.pem' : 'kme-ca.pem'),
    cert: await readText(
      dir,
      certificate === 'proper' ? `kme-${letter}.pem` : `kme-${letter}.${certificate}.pem`,
    ),
    key: await readText(dir, `kme-${letter}.key`),
    sae: await readText(dir, `sae-${letter}.pem`),
  };
}

/** Makes sure that `dir` is ours; answers the names in it. */
async function claim(dir: string): Promise<readonly string[]> {
  const names = await list(dir);
  if (names?.includes(MARKER) === true) return names;
  // A crash while the marker itself was first written leaves this draft and nothing else.
  if (names?.some((name) => name !== `.${MARKER}.new`) === true)
    throw new QkdSyncError('config', `${dir} is not empty and was not made by qkd-sync kme`, {
      hint: ANOTHER_FOLDER,
    });
  await makePrivateFolder(dir);
  await writePrivateFile(join(dir, MARKER), INCOMPLETE);
  return [];
}

/** The names in `dir`, or undefined where it does not exist. */
async function list(dir: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(dir);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR')
      throw new QkdSyncError('config', `${dir} is not a folder`, { hint: ANOTHER_FOLDER, cause: error });
    throw storageError(`cannot read ${dir}`, error);
  }
}

async function readText(dir: string, name: CredentialFile): Promise<string> {
  const text = await readIfThere(join(dir, name));
  if (text === undefined) throw new QkdSyncError('storage', `${join(dir, name)} has gone`);
  return text;
}
