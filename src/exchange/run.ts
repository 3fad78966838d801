/** What a run of either role works with: the site's settings and everything that touches the world. */
import type { Clock } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { roleOf, type Role } from '../base/site.js';
import type { Kme } from '../kme/kme.js';
import type { Lock } from '../store/lock.js';
import type { Store } from '../store/store.js';
import type { PublishedFile } from '../store/context.js';
import type { RunHook } from './hook.js';
import {
  outcomeOf,
  outcomeUnread,
  openExchanges,
  type Heard,
  type OpenExchange,
  type OwnExchange,
  type RunReport,
  type UnreadPeer,
} from './outcome.js';
import type { Terms } from './terms.js';

export interface SiteSettings {
  readonly site: string;
  readonly sae: string;
  readonly terms: Terms;
  readonly anyRole: boolean;
  /** `--index`: the least number that the next file may get. */
  readonly index: number | undefined;
  readonly lockWaitMs: number;
}

export interface PeerSite {
  readonly site: string;
  readonly sae: string;
}

export interface RunPorts {
  readonly store: Store;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
  /** The files that the store has published so far in this run, in order. */
  readonly published: readonly PublishedFile[];
  /** What is to be run for each saved key file, if anything; the store makes the notes that it goes by. */
  readonly runHook?: RunHook | undefined;
}

export interface KeyPorts extends RunPorts {
  readonly kme: Kme;
}

/** Error `role` where this site has the other role towards the peer. */
export function requireRole(settings: SiteSettings, peer: PeerSite, role: Role): void {
  if (settings.anyRole || roleOf(settings.site, peer.site) === role) return;
  const [first, second] = role === 'initiator' ? [peer.site, settings.site] : [settings.site, peer.site];
  throw new QkdSyncError('role', `between ${first} and ${second} it is ${first} that initiates`, {
    hint:
      role === 'initiator'
        ? `run 'qkd-sync respond' here and 'qkd-sync initiate --peer ${settings.site}' at ${peer.site}, or use --any-role on both sites`
        : `run 'qkd-sync initiate --peer ${peer.site}' here and 'qkd-sync respond' at ${peer.site}, or use --any-role on both sites`,
  });
}

/** The number of the next file of this peer, no lower than `--index` says. Error `usage` where that number is in the past. */
export async function nextIndex(store: Store, settings: SiteSettings, peer: PeerSite): Promise<number> {
  const next = await store.nextIndex(peer.site);
  const { index } = settings;
  if (index === undefined || index === next) return next;
  if (index > next) return index;
  throw new QkdSyncError(
    'usage',
    `--index ${index} is in the past: the next file of peer ${peer.site} has number ${next}`,
    {
      hint: `give --index ${next} or more, the same on both sites`,
    },
  );
}

/** What a run says at its end, but for what the records say. */
type Course = Pick<RunReport, 'exchange' | 'peerAlarms' | 'foreign' | 'kme' | 'hooks' | 'error'>;

export interface Ending {
  readonly role: Role;
  readonly peers: readonly PeerSite[];
  /** Whose exchange the run's own is; only its records have to be read for what is said of that. */
  readonly owner: PeerSite | undefined;
  readonly course: Course;
  /** What the initiator has said last of the run's own exchange. */
  readonly heard?: Heard | undefined;
  /** Exchanges found to be in alarm here: the record of one may lie in the folder of a peer that has another name since. */
  readonly alarmed?: Iterable<string>;
  /** What has become of the own exchange, of which no record is left, and why. */
  readonly gone?: (exchange: OwnExchange) => Promise<Pick<Course, 'exchange' | 'error'>>;
}

/** Looks at the records of the peers again and says what became of the run. */
export async function reportOf(ports: RunPorts, ending: Ending): Promise<RunReport> {
  const { store, published } = ports;
  const { role, peers, owner, course, heard, alarmed = [], gone } = ending;
  const peer = peers.length === 1 ? peers[0]?.site : undefined;
  const common = { ...course, role, peer, published, unread: [] as UnreadPeer[] };
  try {
    const { exchange } = course;
    const open: OpenExchange[] = [];
    let isGone = true;
    for (const { site } of peers) {
      try {
        const records = await store.survey(site);
        isGone &&= records.every(({ place }) => place.id !== exchange?.id);
        const ofPeer = openExchanges(records, heard);
        // What is said to be saved must last.
        if (ofPeer.some(({ standing }) => standing === 'unconfirmed')) await store.secure(site);
        open.push(...ofPeer);
      } catch (error) {
        if (!(error instanceof QkdSyncError) || error.code !== 'storage' || site === owner?.site) throw error;
        common.unread.push({ peer: site, error });
      }
    }
    for (const id of alarmed) {
      const elsewhere = open.some((known) => known.id === id) ? undefined : await store.find(id);
      if (elsewhere !== undefined) open.push(...openExchanges([elsewhere]));
    }
    // Without an exchange of its own it is of all the peers that the run says something.
    if (exchange === undefined) common.error ??= common.unread[0]?.error;
    else if (isGone && gone !== undefined) Object.assign(common, await gone(exchange));
    return { ...common, open, outcome: outcomeOf(common, open) };
  } catch (error) {
    if (!(error instanceof QkdSyncError)) throw error;
    return { ...common, open: [], outcome: outcomeUnread(common), error: course.error ?? error };
  }
}
