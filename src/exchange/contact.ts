/**
 * One contact of the initiator with its peer: settles what earlier runs left open, then tries one exchange if asked
 * to. Does the work that the handshake's machine asks for.
 *
 * Never rejects but for a bug: what went wrong is in the answer.
 */
import type { Key } from '../base/key.js';
import { passingOver, type QkdSyncError } from '../base/errors.js';
import { isOwn, type InitiatorState } from '../handshake/initiator-state.js';
import type { InitiatorAction, InitiatorEvent, Verdict } from '../handshake/initiator-work.js';
import { nextInitiator, startInitiator } from '../handshake/initiator.js';
import type { Awaited, CommonAction } from '../handshake/machine.js';
import type { Want } from '../handshake/message.js';
import { sayLost } from '../kme/lost-keys.js';
import type { Channel } from '../peer/channel.js';
import { converse } from './converse.js';
import { encodeKeyFile } from './key-file.js';
import { newExchange, ownExchange } from './new-exchange.js';
import type { OwnExchange } from './outcome.js';
import type { KeyPorts, PeerSite, RunPorts, SiteSettings } from './run.js';

/** How long to wait for the answer to a word that needs no work, in milliseconds. */
const ANSWER_MS = 10_000;

/** What only an operator can settle, as a contact has found it. */
export interface FoundAlarms {
  /** How many, at the peer as it says. */
  readonly atPeer: number;
  /** Which ones, with a record here: in the folder of whatever peer. */
  readonly here: ReadonlySet<string>;
}

export interface ContactResult {
  /** The exchange of this contact, once it has been staged. */
  readonly exchange: OwnExchange | undefined;
  /** When ACK went out, on the monotonic clock. */
  readonly ackAt: number | undefined;
  readonly alarms: FoundAlarms;
  /** Exchanges that the peer cannot save before an operator there has acted. */
  readonly barred: ReadonlySet<string>;
  readonly error: QkdSyncError | undefined;
}

/** What the contact is to exchange once all else is settled. */
export interface Attempt {
  readonly id: string;
  readonly alpha: string;
  /** What is wanted, with the number that the next file has now, which is no lower than `leastIndex`. */
  readonly want: (leastIndex: number) => Promise<Want>;
  readonly kme: KeyPorts['kme'];
}

type Work = Exclude<InitiatorAction, CommonAction>;

/** @param attempt absent where only settling is wanted */
export async function contact(
  settings: SiteSettings,
  peer: PeerSite,
  stateId: string,
  ports: RunPorts,
  channel: Channel,
  attempt?: Attempt,
): Promise<ContactResult> {
  const { store, clock, log, signal } = ports;
  const { terms, site, sae } = settings;
  const startedAt = clock.monotonic();
  let wanted: Want | undefined;
  let keys: Key[] = [];
  let drawn: readonly string[] = [];
  let exchange: OwnExchange | undefined;
  let ackAt: number | undefined;

  const perform = async (work: Work, cancel: AbortSignal): Promise<InitiatorEvent> => {
    switch (work.do) {
      case 'survey': {
        const records = await store.survey(peer.site);
        const committed = records.filter(
          ({ place, alarm }) =>
            place.role === 'initiator' && place.state === 'committed' && alarm !== 'unreadable',
        );
        const alarms = records.filter(({ alarm }) => alarm !== undefined).length;
        wanted = await attempt?.want(work.leastIndex);
        return { on: 'surveyed', committed: committed.map(({ place }) => place.id), alarms, want: wanted };
      }
      case 'judge':
        return orAlarm(async () => judged(work.id, await store.judge(work.id)));
      case 'decide':
        log('step', 'deciding', 'deciding to commit', { exchange: work.id });
        if (exchange !== undefined) exchange = { ...exchange, progress: 'deciding' };
        return orAlarm(async () => judged(work.id, await store.decide(peer.site, work.id, work.beta)));
      case 'finish':
        return orAlarm(async () => {
          const finish = await store.finish(work.id);
          return { on: finish === 'forgotten' ? 'finished' : 'alarmed' };
        });
      case 'alarm': {
        const { id, reason } = work;
        if (!(await store.alarm(id, reason))) return { on: 'finished' };
        log('error', 'alarm', `alarm for exchange ${id}: ${reason}`, { exchange: id, reason });
        return { on: 'alarmed' };
      }
      case 'draw': {
        keys = (await attempt?.kme.getKey(peer.sae, { number: terms.count, size: terms.size }, cancel)) ?? [];
        drawn = keys.map(({ keyId }) => keyId);
        return { on: 'drawn', keyIds: drawn };
      }
      case 'stage':
        try {
          exchange = await stage(work);
        } finally {
          wipe();
        }
        return { on: 'staged' };
    }
  };

  const wipe = (): void => {
    for (const { secret } of keys) secret.wipe();
    // A block of them takes more memory than all that is still to be done.
    keys = [];
  };

  /** From its decision on, x runs and the run must not forget its exchange. */
  const judged = (id: string, verdict: Verdict): InitiatorEvent => {
    const own = exchange?.id === id;
    if (verdict.decided === 'committed' && (own || ackAt === undefined)) ackAt = clock.monotonic();
    if (exchange !== undefined && own) {
      exchange = { ...exchange, progress: verdict.decided === 'committed' ? 'committed' : 'open' };
    }
    return { on: 'judged', verdict };
  };

  const stage = async (work: Extract<Work, { do: 'stage' }>): Promise<OwnExchange> => {
    const { id, alpha, peerStateId } = work;
    const agreement = { id, role: 'initiator', peer: peer.site, peerStateId, keyIds: drawn, alpha } as const;
    const record = newExchange(agreement, terms, wanted?.index, clock);
    const content = encodeKeyFile(keys, terms.format);
    try {
      await (await store.stage(record)).complete(content);
    } finally {
      content.fill(0);
    }
    return ownExchange(record);
  };

  const patienceMs = (awaited: Awaited, now: InitiatorState): number => {
    const { phase, peerDeadlineMs } = now;
    const leftMs = startedAt + Math.min(terms.deadlineMs, peerDeadlineMs) - clock.monotonic();
    // What an earlier run has left open may wait for the next contact.
    const isOurs = 'task' in phase && isOwn(now, phase.task);
    switch (awaited) {
      case 'fin':
        return isOurs ? terms.ackTimeoutMs : Math.min(terms.ackTimeoutMs, leftMs);
      case 'answer':
        return isOurs ? ANSWER_MS : Math.min(ANSWER_MS, leftMs);
      case 'status':
      case 'vote':
      case 'greeting':
      case 'order':
        return leftMs;
    }
  };

  const state: InitiatorState = await converse<InitiatorState, Work, InitiatorEvent>({
    channel,
    start: startInitiator({
      site,
      sae,
      stateId,
      ...(attempt && { attempt: { id: attempt.id, alpha: attempt.alpha } }),
    }),
    next: nextInitiator,
    perform,
    patienceMs,
    clock,
    log,
    signal,
  }).finally(wipe);
  // Where the decision was tried and failed, the next run finds out what it was.
  if (exchange === undefined || exchange.progress === 'open') {
    const why = state.error?.message ?? 'the exchange was aborted';
    sayLost(log, { call: 'enc_keys', keys: drawn.length, keyIds: drawn, why });
  }
  const { peerAlarms, alarmed, barred, error } = state;
  return { exchange, ackAt, alarms: { atPeer: peerAlarms, here: alarmed }, barred, error };
}

/** A record that cannot be read is the operator's, and must not keep the other exchanges from being settled. */
async function orAlarm(work: () => Promise<InitiatorEvent>): Promise<InitiatorEvent> {
  return (await passingOver('alarm', work)) ?? { on: 'alarmed' };
}
