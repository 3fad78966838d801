/**
 * What the responder does in one contact, on its store and its KME, under the peer's lock from the first HELLO on.
 *
 * Calling sequence: `perform` for each piece of work that the handshake's machine asks for, then `release`.
 * Errors of `perform`: those of the store; `interrupted` where `cancel` aborts. What fails before the vote is no
 * error but the answer `declined`.
 */
import { describe, passingOver, QkdSyncError } from '../base/errors.js';
import type { Format } from '../base/format.js';
import type { Key } from '../base/key.js';
import type { CommonAction } from '../handshake/machine.js';
import type { NakCode, Want } from '../handshake/message.js';
import { nonceFrom } from '../handshake/nonce.js';
import type { CommitOutcome, ResponderAction, ResponderEvent } from '../handshake/responder-work.js';
import { sayLost } from '../kme/lost-keys.js';
import type { Unlock } from '../store/lock.js';
import { encodeKeyFile, stagedBytes } from './key-file.js';
import { newExchange, ownExchange, requireFreeName } from './new-exchange.js';
import type { OwnExchange } from './outcome.js';
import type { KeyPorts, PeerSite, SiteSettings } from './run.js';

type Work = Exclude<ResponderAction, CommonAction>;

/** The code of the NAK that an error of this site's own becomes. */
function nakCodeOf(error: QkdSyncError): NakCode {
  switch (error.code) {
    case 'kme-unreachable':
    case 'kme-refused':
    case 'kme-empty':
    case 'kme-answer':
    case 'name-taken':
    case 'storage':
    case 'suspect':
    case 'busy':
    case 'protocol':
      return error.code;
    // Here only the KME's client finds a setting wrong.
    case 'config':
      return 'kme-answer';
    case 'interrupted':
      return 'stopping';
    case 'usage':
      return 'index';
    case 'role':
    case 'peer-unreachable':
    case 'peer-lost':
    case 'peer-refused':
    case 'peer-aborted':
    case 'disagreement':
    case 'timeout':
    case 'alarm':
      return 'storage';
  }
}

export class Duties {
  /** The exchange that was voted for. */
  exchange: OwnExchange | undefined;
  /** The exchanges whose decision to commit was heard. */
  readonly committed = new Set<string>();
  /** What the initiator has said last of each exchange, whatever has come of it. */
  readonly told = new Map<string, 'commit' | 'abort'>();
  /** The exchanges of which END was heard, and taken. */
  readonly ended = new Set<string>();
  /** Open exchanges that name another state folder of the peer; undefined before the first look. */
  foreign: number | undefined;
  /** The error behind the last NAK of this side. */
  declined: QkdSyncError | undefined;
  readonly #settings: SiteSettings;
  readonly #peers: readonly PeerSite[];
  readonly #ports: KeyPorts;
  #unlock: Unlock | undefined;

  constructor(settings: SiteSettings, peers: readonly PeerSite[], ports: KeyPorts) {
    this.#settings = settings;
    this.#peers = peers;
    this.#ports = ports;
  }

  async release(): Promise<void> {
    await this.#unlock?.();
    this.#unlock = undefined;
  }

  async perform(work: Work, cancel: AbortSignal): Promise<ResponderEvent> {
    const { store } = this.#ports;
    switch (work.do) {
      case 'inspect':
        return this.#inspect(work, cancel);
      case 'examine':
        return this.#declining(async () => {
          await this.#examine(this.#peer(work.peer), work.want, cancel);
          return { on: 'examined' };
        });
      case 'vote':
        return this.#declining(async () => ({ on: 'voted', beta: await this.#vote(work, cancel) }));
      case 'commit': {
        this.told.set(work.id, 'commit');
        const outcome = await this.#commit(work);
        return { on: 'committed', outcome };
      }
      case 'discard': {
        this.told.set(work.id, 'abort');
        const outcome = await orDamaged(() => store.discard(work.peer, work.id, work.stateId));
        if (outcome === 'gone' && work.id === this.exchange?.id) {
          this.#lose(this.exchange.keyIds, 'the initiator has aborted the exchange');
        }
        // Another run of this site has heard that it is committed.
        if (outcome === 'done' || outcome === 'taken') this.committed.add(work.id);
        return { on: 'discarded', outcome };
      }
      case 'forget': {
        const outcome = await orDamaged(() => store.forget(work.peer, work.id, work.stateId));
        if (outcome === 'gone') this.ended.add(work.id);
        return { on: 'forgotten', outcome };
      }
    }
  }

  #peer(site: string): PeerSite {
    const peer = this.#peers.find((candidate) => candidate.site === site);
    if (peer === undefined) throw new Error(`no peer ${site}`);
    return peer;
  }

  /** Work before the vote: whatever fails in it is a NAK, and nothing has happened. */
  async #declining(work: () => Promise<ResponderEvent>): Promise<ResponderEvent> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof QkdSyncError)) throw error;
      // Given up because the peer has gone: there is nobody to say no to.
      if (error.code === 'interrupted' && !this.#ports.signal.aborted) throw error;
      this.declined = error;
      return { on: 'declined', code: nakCodeOf(error), reason: error.message };
    }
  }

  async #inspect(work: Extract<Work, { do: 'inspect' }>, cancel: AbortSignal): Promise<ResponderEvent> {
    const { store, lock, log } = this.#ports;
    const { lockWaitMs } = this.#settings;
    if (this.#unlock === undefined) {
      const locked = await this.#declining(async () => {
        // It may have been in no state to be made when the run began.
        await store.preparePeer(work.peer);
        this.#unlock = await lock(store.layout.lock(work.peer), lockWaitMs, cancel);
        return { on: 'examined' };
      });
      if (locked.on === 'declined') return locked;
    }
    await store.redo(work.peer);
    await store.tidy(work.peer);
    const votes = await store.openVotes(work.peer, work.stateId);
    this.foreign = votes.foreign;
    if (votes.foreign > 0) {
      log(
        'error',
        'foreign',
        `${votes.foreign} open exchanges were made with another state folder of ${work.peer}`,
        {
          foreign: votes.foreign,
        },
      );
    }
    // A number in the past is the initiator's business to refuse; here it must not stand in the way of settling.
    const nextIndex = Math.max(
      await store.nextIndex(work.peer),
      votes.foreignIndex + 1,
      this.#settings.index ?? 0,
    );
    return { on: 'inspected', inspection: { ...votes, nextIndex } };
  }

  /** All that can be checked before the initiator draws a key. */
  async #examine(peer: PeerSite, want: Want, cancel: AbortSignal): Promise<void> {
    const { store, kme, log } = this.#ports;
    const { count, size, format } = this.#settings.terms;
    await store.probe(peer.site, stagedBytes(count, size, format));
    if (want.index !== undefined) await requireFreeName(store, peer.site, want.index);
    try {
      await kme.status(peer.sae, cancel);
    } catch (error) {
      // Any answer of the KME shows that it can be reached; what it says is advice only (docs/protocol.md, "KME").
      // Where the KME has refused our certificate the error has a cause: then nothing was asked.
      if (!(error instanceof QkdSyncError)) throw error;
      const refusedUs = error.code === 'kme-refused' && error.cause !== undefined;
      if (refusedUs || error.code === 'kme-unreachable' || error.code === 'interrupted') throw error;
      log('step', 'kme-status', `the KME's status is no help: ${error.message}`);
    }
  }

  /** Name reserved, keys fetched and matched, record durable: only then is there a vote. Answers beta. */
  async #vote(work: Extract<Work, { do: 'vote' }>, cancel: AbortSignal): Promise<string> {
    const { store, kme, clock, random } = this.#ports;
    const { terms } = this.#settings;
    const { id, keyIds, alpha } = work.syn;
    const { index } = work.want;
    const peer = this.#peer(work.peer);
    const agreement = {
      id,
      role: 'responder',
      peer: peer.site,
      peerStateId: work.stateId,
      keyIds,
      alpha,
    } as const;
    const record = newExchange(agreement, terms, index, clock);
    const staging = await store.stage(record);
    let content: Uint8Array;
    try {
      const keys = await kme.getKeyWithKeyIds(peer.sae, keyIds, terms.size, cancel);
      content = contentOf(keys, terms.format);
    } catch (error) {
      // The client itself says which keys it has lost.
      // What went wrong first is what both sites must hear of; what stays is cleared away at the next contact.
      await passingOver('storage', () => staging.drop());
      throw error;
    }
    const beta = nonceFrom(random(16));
    try {
      await staging.complete(content, beta);
    } catch (error) {
      this.#lose(keyIds, describe(error));
      throw error;
    } finally {
      content.fill(0);
    }
    this.exchange = ownExchange(record);
    return beta;
  }

  #lose(keyIds: readonly string[], why: string): void {
    sayLost(this.#ports.log, { call: 'dec_keys', keys: keyIds.length, keyIds, why });
  }

  async #commit(work: Extract<Work, { do: 'commit' }>): Promise<CommitOutcome> {
    try {
      const outcome = await orDamaged(() => this.#ports.store.commit(work.peer, work.id, work.beta));
      if (outcome === 'done' || outcome === 'taken') this.committed.add(work.id);
      return outcome;
    } catch (error) {
      // The decision has been heard, whatever the disk does with it.
      this.committed.add(work.id);
      throw error;
    }
  }
}

/** The key file; the keys are gone then. */
function contentOf(keys: readonly Key[], format: Format): Uint8Array {
  try {
    return encodeKeyFile(keys, format);
  } finally {
    for (const { secret } of keys) secret.wipe();
  }
}

/** A record that cannot be read is the operator's, and must not keep the initiator from settling the others. */
async function orDamaged<Outcome>(work: () => Promise<Outcome>): Promise<Outcome | 'damaged'> {
  return (await passingOver('alarm', work)) ?? 'damaged';
}
