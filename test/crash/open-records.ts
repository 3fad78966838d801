/**
 * What is open at a site, told from the names of its records alone (docs/protocol.md, "Records"): never by the code that
 * is under test.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Site } from './site.js';

/**
 * `voted`: no decision heard; `decided`: its key file is not in place; `published`: it is; `done`: the initiator has not
 * been heard of since. What an initiator has not decided yet needs nobody, and is none of these.
 */
export type OpenRecord = 'voted' | 'decided' | 'published' | 'done';

export async function openRecords({ state, peer }: Pick<Site, 'state' | 'peer'>): Promise<OpenRecord[]> {
  const open: OpenRecord[] = [];
  for (const role of ['initiator', 'responder']) {
    const folder = join(state, peer, role);
    for (const name of await namesIn(folder)) {
      if (name.endsWith('.staged') && role === 'responder') open.push('voted');
      else if (name.endsWith('.done')) open.push('done');
      else if (name.endsWith('.committed'))
        open.push((await namesIn(join(folder, name))).includes('key') ? 'decided' : 'published');
    }
  }
  return open;
}

/** None where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
