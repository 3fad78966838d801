/**
 * The responder's run, from top to bottom: finish what was decided, listen, answer each contact, run the hooks of what it
 * has saved, and know when to stop.
 *
 * One exchange: it ends when a contact has left nothing open, or, once it has voted, x and 5 s after the last break;
 * or when nobody came in time. It is of the peer that has voted first that the run says what has become. No contact holds it
 * for longer than `exchange.deadline`, and one that says nothing, or after the vote one of another peer, not at all.
 * `serve`: it ends when the process is told to stop.
 * Never rejects but for a bug: the report says what became of the run and why.
 */
import { formatDuration } from '../base/duration.js';
import { QkdSyncError } from '../base/errors.js';
import { roleOf } from '../base/site.js';
import type { Listen } from '../peer/channel.js';
import type { Stuck } from './answer.js';
import { Contacts, type EndedContact } from './contacts.js';
import { fateOf } from './fate.js';
import { finishEarlier } from './finish-earlier.js';
import { Hooks } from './hooks.js';
import type { OwnExchange, RunReport } from './outcome.js';
import { reportOf, requireRole, type KeyPorts, type PeerSite, type SiteSettings } from './run.js';

export interface ResponderSettings extends SiteSettings {
  readonly peers: readonly PeerSite[];
  readonly serve: boolean;
  /** How long to wait for somebody, without `serve`. */
  readonly timeoutMs: number;
}

export interface ResponderPorts extends KeyPorts {
  readonly listen: Listen;
}

/** Beyond x, for the initiator's last try to reach us again. */
const GRACE_MS = 5_000;

/** What the run knows of itself so far. */
interface Progress {
  exchange: OwnExchange | undefined;
  /** Whose exchange that is. */
  peer: PeerSite | undefined;
  /** What the initiator has said last of it. */
  told: 'commit' | 'abort' | undefined;
  /** END was heard of it. */
  hasEnded: boolean;
  /** What only an operator can settle with each peer, as it was last found. */
  readonly stuck: Map<string, Stuck>;
  error: QkdSyncError | undefined;
  /** The contact that was waited for has come and left nothing open. */
  complete: boolean;
  /** How long to wait for the next contact, on the monotonic clock. */
  until: number;
  /** The most that this may become after the vote, however often the initiator comes back and breaks off. */
  lingerMost: number | undefined;
}

export async function respond(settings: ResponderSettings, ports: ResponderPorts): Promise<RunReport> {
  const { clock } = ports;
  const { timeoutMs, peers, lockWaitMs } = settings;
  const hooks = new Hooks(ports, lockWaitMs);
  const progress: Progress = {
    exchange: undefined,
    peer: undefined,
    told: undefined,
    hasEnded: false,
    stuck: new Map(),
    error: undefined,
    complete: false,
    until: clock.monotonic() + timeoutMs,
    lingerMost: undefined,
  };
  try {
    requireResponder(settings);
    await run(settings, ports, hooks, progress);
  } catch (error) {
    if (!(error instanceof QkdSyncError)) throw error;
    progress.error = error;
  }
  const { exchange, told, peer, error } = progress;
  let [peerAlarms, foreign] = [0, 0];
  for (const stuck of progress.stuck.values()) {
    peerAlarms += stuck.atPeer;
    foreign += stuck.foreign;
  }
  const course = {
    exchange,
    peerAlarms,
    foreign,
    kme: ports.kme.servedBy,
    hooks: await hooks.ended(),
    error,
  };
  return reportOf(ports, {
    role: 'responder',
    peers,
    owner: peer,
    course,
    heard: exchange && told && { id: exchange.id, decision: told },
    gone: (own) => fateOf(ports.store, peer, own, progress),
  });
}

/** Error `role` where this site initiates towards every configured peer. */
function requireResponder(settings: ResponderSettings): void {
  const { site, peers } = settings;
  const [first] = peers;
  if (first !== undefined && peers.every((peer) => roleOf(site, peer.site) !== 'responder')) {
    requireRole(settings, first, 'responder');
  }
}

async function run(
  settings: ResponderSettings,
  ports: ResponderPorts,
  hooks: Hooks,
  progress: Progress,
): Promise<void> {
  const { store, log, listen, clock, signal } = ports;
  const stateId = await store.open();
  for (const peer of settings.peers) {
    const failure = await finishEarlier(ports, peer);
    // Where nobody comes, it says more than that; a responder that stays has nothing to end with.
    if (!settings.serve) progress.error ??= failure;
    hooks.begin(peer.site);
  }

  const close = (ended: EndedContact): Promise<void> => {
    if (ended.peer !== undefined) hooks.begin(ended.peer.site);
    return weigh(settings, ports, progress, ended);
  };
  const contacts = new Contacts(settings, settings.peers, stateId, ports);
  const listener = await listen((channel) => {
    contacts.take(channel);
  });
  log('info', 'listening', `listening on ${listener.host} port ${listener.port}`, {
    host: listener.host,
    port: listener.port,
  });
  progress.until = clock.monotonic() + settings.timeoutMs;
  const until = (): number =>
    settings.serve ? Infinity : Math.max(progress.until, contacts.worthUntil(progress.peer?.site));
  try {
    while (!progress.complete && !signal.aborted) {
      const ended = await contacts.next(until());
      if (ended !== undefined) await close(ended);
      // Somebody may have become worth waiting for meanwhile.
      else if (clock.monotonic() >= until()) break;
    }
  } finally {
    // The contacts hear of the signal themselves, and say no to their peers before the connections go.
    if (signal.aborted) await contacts.end();
    await listener.close();
    await contacts.end();
  }
  for (const ended of contacts.rest()) await close(ended);
  if (progress.complete || (settings.serve && signal.aborted)) return;
  progress.error = signal.aborted ? interrupted() : (progress.error ?? nobodyCame(settings.timeoutMs));
}

const interrupted = (): QkdSyncError => new QkdSyncError('interrupted', 'interrupted');

const nobodyCame = (timeoutMs: number): QkdSyncError =>
  new QkdSyncError('timeout', `no exchange within ${formatDuration(timeoutMs)}`, {
    hint: "start 'qkd-sync initiate' at the peer within this time, or raise --timeout",
  });

const notBack = (): QkdSyncError =>
  new QkdSyncError('peer-lost', 'the initiator has not come back to end the exchange');

/** What an ended contact means for the run. Error `suspect`: no further contact may be answered. */
async function weigh(
  settings: ResponderSettings,
  ports: ResponderPorts,
  progress: Progress,
  ended: EndedContact,
): Promise<void> {
  const { store, clock } = ports;
  const { terms, serve } = settings;
  const { peer, error } = ended;
  if (peer !== undefined && ended.stuck !== undefined) progress.stuck.set(peer.site, ended.stuck);
  // Once it has voted, nobody else's contacts change what the run says, nor how long it waits.
  const counts = !serve && (progress.peer === undefined || peer?.site === progress.peer.site);
  if (counts) noteOwn(progress, ended);
  if (error?.code === 'suspect') throw error;
  if (!counts) return;

  const { exchange } = progress;
  if (exchange === undefined || peer === undefined) {
    progress.complete ||= ended.recovered;
    // A connection that breaks before the vote is passed over; a no of this site is worth saying at the end.
    if (error?.code !== 'peer-lost') progress.error = error ?? progress.error;
    if (progress.complete) progress.error = undefined;
    return;
  }
  const lingerUntil = clock.monotonic() + terms.ackTimeoutMs + GRACE_MS;
  progress.lingerMost ??= lingerUntil + terms.deadlineMs;
  progress.until = Math.min(lingerUntil, progress.lingerMost);
  // Where the peer is back already, the new contact decides what is left open.
  if (ended.superseded) return;
  const records = await store.survey(peer.site);
  const own = records.find(({ place }) => place.id === exchange.id);
  progress.complete = own === undefined || own.alarm !== undefined;
  if (!progress.complete) progress.error = error ?? notBack();
  else progress.error = exchange.progress === 'committed' ? undefined : error;
}

/** What a contact says of the run's own exchange, which it may have brought or gone on with. */
function noteOwn(progress: Progress, ended: EndedContact): void {
  const exchange = ended.exchange ?? progress.exchange;
  if (exchange === undefined) return;
  const { id } = exchange;
  const isNew = ended.exchange !== undefined;
  // The decision may be heard on another connection than the one that brought the vote.
  progress.exchange = ended.committed.has(id) ? { ...exchange, progress: 'committed' } : exchange;
  progress.told = ended.told.get(id) ?? (isNew ? undefined : progress.told);
  progress.hasEnded = ended.ended.has(id) || (!isNew && progress.hasEnded);
  if (isNew) progress.peer = ended.peer;
}
