/**
 * What is saved, open and in doubt on this site, and which hooks wait, read from its records without changing anything.
 *
 * Of every peer that has records here, whether the configuration still has it or not.
 */
import type { Role } from '../base/site.js';
import type { HookStanding, QueuedHook } from '../store/hook-queue.js';
import type { Store } from '../store/store.js';
import { givenUp, openExchanges, type GivenUp, type OpenExchange } from './outcome.js';

export interface PeerStatus {
  readonly peer: string;
  /** The number of the next key file: all lower ones have been saved or given up. */
  readonly nextIndex: number;
  readonly open: readonly OpenExchange[];
  /** Votes that an operator has aborted and that the peer has not asked about since. */
  readonly givenUp: readonly GivenUp[];
  /** Hooks that have not come to their end, some of them where there are very many, in the order of their files. */
  readonly hooks: readonly HookStatus[];
  /** How many hooks there are besides. */
  readonly moreHooks: number;
}

export interface HookStatus {
  readonly exchange: string;
  readonly peer: string;
  readonly role: Role;
  readonly standing: HookStanding;
  /** The key file; undefined where the hook is `unreadable`. */
  readonly file: string | undefined;
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
    const records = await store.survey(peer);
    const nextIndex = await store.nextIndex(peer);
    const { hooks, more } = await store.waitingHooks(peer);
    peers.push({
      peer,
      nextIndex,
      open: openExchanges(records),
      givenUp: givenUp(records),
      hooks: hooks.map(hookStatus),
      moreHooks: more,
    });
  }
  return { keys: store.layout.keys, state: store.layout.state, peers };
}

function hookStatus({ id, peer, role, standing, hook }: QueuedHook): HookStatus {
  return { exchange: id, peer, role, standing, file: hook?.path };
}
