/** The peers that the folder of state knows. */
import { basename } from 'node:path';
import { QkdSyncError } from '../base/errors.js';
import { decodeSegment } from '../base/site.js';
import { ensureFolder } from './durable.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';

/** Makes the peer's folder, if need be. Errors: Node's; `storage` where what has its name is no folder. */
export async function preparePeer(fs: FileSystem, layout: Layout, peer: string): Promise<void> {
  await ensureFolder(fs, layout.peer(peer));
  const kind = (await fs.stat(layout.peer(peer)))?.kind;
  if (kind !== undefined && kind !== 'folder') throw noFolder(layout, peer);
}

/**
 * Site IDs, sorted by their folders' names. What else lies beside the peers' folders is passed over. Errors: Node's;
 * `storage` where a link has a peer's name: there may be records behind it, and whoever does not see that one is
 * committed says that it is aborted.
 */
export async function listPeers(fs: FileSystem, layout: Layout): Promise<string[]> {
  const peers: string[] = [];
  for (const name of (await fs.list(layout.state)).sort()) {
    const peer = peerOf(layout, name);
    if (peer === undefined) continue;
    const kind = (await fs.stat(layout.peer(peer)))?.kind;
    if (kind === 'other') throw noFolder(layout, peer);
    if (kind === 'folder') peers.push(peer);
  }
  return peers;
}

function noFolder(layout: Layout, peer: string): QkdSyncError {
  return new QkdSyncError('storage', `${layout.peer(peer)} is not a folder`, {
    hint: 'links are not followed there: put the folder of records itself in this place, or move the whole folder of state',
  });
}

/** The peer whose folder has this name; undefined where no peer's has. */
function peerOf(layout: Layout, name: string): string | undefined {
  try {
    const peer = decodeSegment(name);
    return basename(layout.peer(peer)) === name ? peer : undefined;
  } catch {
    // Not one of ours: decodeURIComponent refuses what encodeSegment cannot have made.
    return undefined;
  }
}
