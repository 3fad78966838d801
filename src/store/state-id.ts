/** The state folder's own identity: 128 random bits, made once and durable (docs/protocol.md, rule 3). */
import { join } from 'node:path';
import { QkdSyncError, systemCode } from '../base/errors.js';
import { randomId, type Random } from '../base/random.js';
import { ensureFolder, writeWhole } from './durable.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';
import { readSmall } from './record.js';

const STATE_ID = /^[0-9a-f]{32}$/;
const ATTEMPTS = 5;

/** The state ID, if there is one already. Error: `storage` where the file is damaged. */
export async function readStateId(fs: FileSystem, layout: Layout): Promise<string | undefined> {
  const found = await readSmall(fs, layout.stateId);
  if (found === undefined || STATE_ID.test(found)) return found;
  throw new QkdSyncError('storage', `the state ID in ${layout.stateId} is damaged`, {
    hint: 'restore it from a backup; without records in this folder it may be deleted',
  });
}

/** The state ID, made now if this is the folder's first use. */
export async function ensureStateId(fs: FileSystem, layout: Layout, random: Random): Promise<string> {
  await ensureFolder(fs, layout.trash);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const known = await readStateId(fs, layout);
    if (known !== undefined) {
      // Even where it was there already: the run that made it may have been killed before it could fsync the folder.
      await fs.syncFolder(layout.state);
      return known;
    }
    try {
      await writeWhole(
        fs,
        join(layout.trash, randomId(random)),
        layout.stateId,
        Buffer.from(randomId(random)),
      );
    } catch (error) {
      // Another first run was faster, or another run's clean-up took the file written aside.
      const code = systemCode(error);
      if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
    }
  }
  throw new QkdSyncError('storage', `cannot make ${layout.stateId}`);
}
