/** What is saved, open and in doubt on this site, read from its records without changing anything. */
import type { Store } from '../store/store.js';
import { openExchanges, type OpenExchange } from './outcome.js';

export interface PeerStatus {
  readonly peer: string;
  /** The number of the next key file: all lower ones have been saved or given up. */
  readonly nextIndex: number;
  readonly open: readonly OpenExchange[];
}

export interface SiteStatus {
  readonly keys: string;
  readonly state: string;
  readonly peers: readonly PeerStatus[];
}

/** Errors: `storage`, `suspect`. */
export async function readStatus(store: Store): Promise<SiteStatus> {
  const peers: PeerStatus[] = [];
  for (const peer of await store.peers()) {
    const open = openExchanges(await store.survey(peer));
    peers.push({ peer, nextIndex: await store.nextIndex(peer), open });
  }
  return { keys: store.layout.keys, state: store.layout.state, peers };
}
