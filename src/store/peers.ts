/** The peers that the folder of state knows. */
import { basename } from 'node:path';
import { decodeSegment } from '../base/site.js';
import type { FileSystem } from './file-system.js';
import type { Layout } from './layout.js';

/** Site IDs, sorted by their folders' names. What else lies beside the peers' folders is passed over. */
export async function listPeers(fs: FileSystem, layout: Layout): Promise<string[]> {
  const peers: string[] = [];
  for (const name of (await fs.list(layout.state)).sort()) {
    const peer = peerOf(layout, name);
    if (peer !== undefined && (await fs.stat(layout.peer(peer)))?.kind === 'folder') peers.push(peer);
  }
  return peers;
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
