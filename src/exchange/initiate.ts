/**
 * The initiator's run, from top to bottom: lock, tidy, reach the peer, settle, exchange, and if the connection breaks
 * after the decision, repeat the decision until x has run out. At last the hooks of what has been saved.
 *
 * Never rejects but for a bug: the report says what became of the run and why.
 */
import { sleep } from '../base/clock.js';
import { passingOver, QkdSyncError } from '../base/errors.js';
import { randomId } from '../base/random.js';
import { nonceFrom } from '../handshake/nonce.js';
import type { Want } from '../handshake/message.js';
import { sayLost } from '../kme/lost-keys.js';
import type { Channel, Dial } from '../peer/channel.js';
import { contact, type Attempt, type ContactResult } from './contact.js';
import { Hooks } from './hooks.js';
import { stagedBytes } from './key-file.js';
import { requireFreeName } from './new-exchange.js';
import type { RunReport } from './outcome.js';
import { REDIAL_MS, repeatDecision } from './repeat-decision.js';
import {
  nextIndex,
  reportOf,
  requireRole,
  type KeyPorts,
  type PeerSite,
  type RunPorts,
  type SiteSettings,
} from './run.js';

export interface InitiatorSettings extends SiteSettings {
  readonly peer: PeerSite;
  /** How long to keep trying to reach the peer. */
  readonly connectWaitMs: number;
}

export interface InitiatorPorts extends RunPorts {
  readonly dial: Dial;
}

const NOTHING: ContactResult = {
  exchange: undefined,
  ackAt: undefined,
  alarms: { atPeer: 0, here: new Set() },
  barred: new Set(),
  error: undefined,
};

/** Settles what is open, then exchanges one set of keys. */
export function initiate(settings: InitiatorSettings, ports: InitiatorPorts & KeyPorts): Promise<RunReport> {
  const { kme, random } = ports;
  const makeAttempt = (): Attempt => ({
    id: randomId(random),
    alpha: nonceFrom(random(16)),
    want: (leastIndex) => prepareWant(settings, ports, leastIndex),
    kme,
  });
  return run(settings, ports, makeAttempt, kme);
}

/** Settles what is open and draws no key. */
export function recover(settings: InitiatorSettings, ports: InitiatorPorts): Promise<RunReport> {
  return run(settings, ports, () => undefined);
}

async function run(
  settings: InitiatorSettings,
  ports: InitiatorPorts,
  makeAttempt: () => Attempt | undefined,
  kme?: KeyPorts['kme'],
): Promise<RunReport> {
  const { store, lock, log } = ports;
  const { peer, lockWaitMs } = settings;
  const hooks = new Hooks(ports, lockWaitMs);
  let result = NOTHING;
  try {
    requireRole(settings, peer, 'initiator');
    const stateId = await store.open();
    await store.preparePeer(peer.site);
    const unlock = await lock(store.layout.lock(peer.site), lockWaitMs, ports.signal);
    try {
      await redo(ports, peer);
      await store.tidy(peer.site);
      result = await exchangeOrSettle(settings, ports, stateId, makeAttempt());
    } finally {
      await cleanUp(ports, peer);
      await unlock();
      hooks.begin(peer.site);
    }
  } catch (error) {
    if (!(error instanceof QkdSyncError)) throw error;
    result = { ...result, error };
  }
  if (result.ackAt !== undefined) {
    const ms = Math.round(ports.clock.monotonic() - result.ackAt);
    log('info', 'ack-to-exit', `${ms} ms between ACK and exit`, { ms });
  }
  const { exchange, alarms, error } = result;
  const course = { kme: kme?.servedBy, hooks: await hooks.ended(), error };
  return reportOf(ports, {
    role: 'initiator',
    peers: [peer],
    owner: peer,
    course: { exchange, peerAlarms: alarms.atPeer, foreign: 0, ...course },
    alarmed: alarms.here,
  });
}

/** Finishes what an earlier run had decided, and aborts what it had not: the keys of that are lost. */
async function redo({ store, log }: RunPorts, peer: PeerSite): Promise<void> {
  const undecided: string[] = [];
  for (const { place, alarm } of await store.survey(peer.site)) {
    if (place.role === 'initiator' && place.state === 'staged' && alarm === undefined)
      undecided.push(place.id);
  }
  const sayAborted = async (): Promise<void> => {
    for (const id of undecided) {
      const found = await store.find(id);
      if (found?.place.state !== 'aborted') continue;
      const { keyIds = [] } = found;
      const why = 'an earlier run ended before its decision';
      sayLost(log, { call: 'enc_keys', keys: keyIds.length, keyIds, why });
    }
  };
  try {
    await store.redo(peer.site);
  } catch (error) {
    // What it has aborted before it failed is aborted, and no later run meets it undecided again.
    await passingOver('suspect', sayAborted);
    throw error;
  }
  await sayAborted();
}

/** What cannot be cleared away now is cleared away at the next contact. */
async function cleanUp({ store, log }: RunPorts, peer: PeerSite): Promise<void> {
  try {
    await store.cleanUp(peer.site);
  } catch (error) {
    if (!(error instanceof QkdSyncError)) throw error;
    log('step', 'not-cleaned', `cannot clean up: ${error.message}`);
  }
}

async function exchangeOrSettle(
  settings: InitiatorSettings,
  ports: InitiatorPorts,
  stateId: string,
  attempt: Attempt | undefined,
): Promise<ContactResult> {
  const { peer, connectWaitMs } = settings;
  const checked = attempt && (await checkedBefore(attempt));
  const obstacle = checked instanceof QkdSyncError ? checked : undefined;
  const channel = await reach(ports, connectWaitMs).catch((error: unknown) => {
    throw obstacle ?? error;
  });
  // Where no new exchange is possible here, the contact still settles what is open.
  const first = await contact(
    settings,
    peer,
    stateId,
    ports,
    channel,
    checked instanceof QkdSyncError ? undefined : checked,
  );
  const result = obstacle === undefined ? first : { ...first, error: obstacle };
  try {
    return { ...result, alarms: await repeatDecision(settings, ports, stateId, result) };
  } catch (error) {
    // What the run has decided must not be forgotten over what failed afterwards.
    if (error instanceof QkdSyncError) return { ...result, error: result.error ?? error };
    throw error;
  }
}

/**
 * The attempt with what it wants found out before anything is asked of the peer or the KME, which serves the contact
 * until it has settled something; or why this site cannot take a new exchange.
 */
async function checkedBefore(attempt: Attempt): Promise<Attempt | QkdSyncError> {
  try {
    let known: Want | undefined = await attempt.want(0);
    const want: Attempt['want'] = (leastIndex) => {
      const first = known;
      known = undefined;
      return first === undefined ? attempt.want(leastIndex) : Promise.resolve(first);
    };
    return { ...attempt, want };
  } catch (error) {
    if (error instanceof QkdSyncError) return error;
    throw error;
  }
}

/** What this site wants, checked: a name that is free, folders that can be written, room. */
async function prepareWant(settings: InitiatorSettings, ports: RunPorts, leastIndex: number): Promise<Want> {
  const { store } = ports;
  const { peer, terms } = settings;
  const { count, size, naming, format } = terms;
  await store.probe(peer.site, stagedBytes(count, size, format));
  if (naming === 'key-id') return { count, size, naming };
  const index = Math.max(await nextIndex(store, settings, peer), leastIndex);
  await requireFreeName(store, peer.site, index);
  return { count, size, naming, index };
}

/** Dials until somebody answers: both sites' cron jobs fire in the same second. */
async function reach({ dial, clock, signal }: InitiatorPorts, waitMs: number): Promise<Channel> {
  const until = clock.monotonic() + waitMs;
  for (;;) {
    try {
      return await dial(signal);
    } catch (error) {
      const again = error instanceof QkdSyncError && error.code === 'peer-unreachable';
      if (!again || clock.monotonic() + REDIAL_MS > until) throw error;
    }
    await sleep(clock, REDIAL_MS, signal);
  }
}
