/**
 * The records and key files of one site: everything that must survive a crash.
 *
 * Calling sequence: `open` once, then, under the peer's lock, `redo`, `tidy` before a contact, then the rest, at last
 * `cleanUp`. The methods of the initiator and of the responder are the rules of docs/protocol.md, section "Rules", one each.
 * `open` and each of the others look at SUSPECT first (rule 13), so that what they call need not.
 * Errors: QkdSyncError only: `storage`, `suspect`, `alarm`, `name-taken`, `protocol`, `busy`.
 */
import { passingOver, QkdSyncError, systemCode } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { cleanUp, tidy } from './clean-up.js';
import type { PublishedFile, StoreContext } from './context.js';
import * as decision from './decision.js';
import type { FileSystem } from './file-system.js';
import { dropNote, type HookNote, type NotePlace, type WaitingHook } from './hook-note.js';
import { dueHooks, readHook, waitingHooks, type HookQueue } from './hook-queue.js';
import { createLayout, type ExchangeId, type Layout } from './layout.js';
import { isNameFree } from './names.js';
import { listPeers, preparePeer } from './peers.js';
import { probePublishing } from './probe.js';
import { syncKeyFiles } from './publish.js';
import { listRecords, readAlarm, type AlarmReason } from './record.js';
import { beginStaging, type NewExchange, type Staging } from './staging.js';
import { createIdentity } from './state-id.js';
import {
  findExchange,
  finishResolved,
  resolve,
  wasForgotten,
  type FoundRecord,
  type Resolution,
} from './resolution.js';
import { createSuspicion } from './suspect.js';
import { nextIndex, surveyPeer, type SurveyedRecord } from './survey.js';
import * as vote from './vote.js';

export interface StorePorts {
  readonly fs: FileSystem;
  readonly random: Random;
  readonly log: Log;
  /** Names the time since the machine was last started. */
  readonly bootId: () => Promise<string>;
  /** Whether something is to be run for each file that is published from now on; it then gets a note before. */
  readonly hooked?: boolean;
  readonly onPublished: (file: PublishedFile) => void;
}

export interface Store {
  readonly layout: Layout;
  /** Makes the folder of state if need be and answers its ID. */
  open(): Promise<string>;
  /** Makes the peer's folder, in which its lock lies. */
  preparePeer(peer: string): Promise<void>;
  peers(): Promise<string[]>;
  survey(peer: string): Promise<SurveyedRecord[]>;
  /** Makes durable what key files can be seen: who moved them may have been killed before it could. */
  secure(peer: string): Promise<void>;
  nextIndex(peer: string): Promise<number>;
  /** Clears away what earlier runs left, before a contact. */
  tidy(peer: string): Promise<void>;
  /** The same, and the initiator's own aborts, after a contact. */
  cleanUp(peer: string): Promise<void>;
  /** Aborts what was never decided here, publishes what was decided, tells nobody. */
  redo(peer: string): Promise<void>;
  /** Whether a key file of `bytes` could be published now. */
  probe(peer: string, bytes: number): Promise<void>;
  isNameFree(peer: string, name: string): Promise<boolean>;
  stage(exchange: NewExchange): Promise<Staging>;

  decide(peer: string, id: ExchangeId, beta: string): Promise<decision.Verdict>;
  judge(id: ExchangeId): Promise<decision.Verdict>;
  finish(id: ExchangeId): Promise<decision.Finish>;
  /** False where another run has settled the exchange meanwhile. */
  alarm(id: ExchangeId, reason: AlarmReason): Promise<boolean>;

  openVotes(peer: string, stateId: string): Promise<vote.OpenVotes>;
  commit(peer: string, id: ExchangeId, beta: string): Promise<vote.Commit>;
  discard(peer: string, id: ExchangeId, stateId: string): Promise<vote.Discard>;
  forget(peer: string, id: ExchangeId, stateId: string): Promise<vote.Forget>;

  /**
   * The first hooks that are to be run now, in the order of their files; under the lock of the peer's hooks. Those that
   * cannot be read are added to `passedOver`, and those in it are not looked at.
   */
  dueHooks(peer: string, passedOver?: Set<ExchangeId>): Promise<WaitingHook[]>;
  /** All that the hook is told; undefined where it is not to be run after all. */
  readHook(hook: NotePlace): Promise<HookNote | undefined>;
  /** The hook has come to its end, durably. */
  forgetHook(hook: NotePlace): Promise<void>;
  /** The hooks that have not come to their end, read without changing anything. */
  waitingHooks(peer: string): Promise<HookQueue>;

  /** The record of an exchange with whatever peer. */
  find(id: ExchangeId): Promise<FoundRecord | undefined>;
  /** Does what an operator has decided; false where the record has moved on since it was looked at. */
  resolve(record: SurveyedRecord, resolution: Resolution): Promise<boolean>;
  /** Whether an operator has had the record of an exchange removed, or tried to. */
  wasForgotten(peer: string, id: ExchangeId): Promise<boolean>;
}

export function createStore(state: string, keys: string, ports: StorePorts): Store {
  const { fs, random, log, bootId, hooked = false, onPublished } = ports;
  const layout = createLayout(state, keys);
  const suspicion = createSuspicion(fs, layout, random, bootId, log);
  const identity = createIdentity(fs, layout, random);
  const context: StoreContext = {
    fs,
    layout,
    random,
    log,
    suspicion,
    hooked,
    staged: undefined,
    onPublished,
  };
  /** Every reading and every change starts here, and nobody is told of it before the folder is known to be the same. */
  const trusted = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      await suspicion.refuse();
      const result = await suspicion.guardFolders(work);
      await identity.confirm();
      return result;
    } catch (error) {
      throw translation(error);
    }
  };

  return {
    layout,
    open: () =>
      translated(async () => {
        return suspicion.guardFolders(async () => {
          await suspicion.forgetEarlierBoot();
          return identity.open();
        });
      }),
    preparePeer: (peer) => trusted(() => preparePeer(fs, layout, peer)),
    peers: () => trusted(() => listPeers(fs, layout)),
    secure: (peer) => trusted(() => suspicion.guard(() => syncKeyFiles(fs, layout, peer))),
    survey: (peer) => trusted(() => surveyPeer(fs, layout, peer)),
    nextIndex: (peer) => trusted(() => nextIndex(fs, layout, peer)),
    tidy: (peer) => trusted(() => tidy(context, peer)),
    cleanUp: (peer) => trusted(() => cleanUp(context, peer)),
    redo: (peer) => trusted(() => redo(context, peer)),
    probe: (peer, bytes) => trusted(() => probePublishing(fs, layout, random, peer, bytes)),
    isNameFree: (peer, name) => trusted(() => isNameFree(fs, layout, peer, name)),
    stage: (exchange) =>
      trusted(async () => {
        const staging = await beginStaging(context, exchange);
        return {
          complete: (content, beta) =>
            translated(() => suspicion.guardFolders(() => staging.complete(content, beta))),
          drop: () => translated(() => suspicion.guardFolders(() => staging.drop())),
        };
      }),

    decide: (peer, id, beta) => trusted(() => decision.decide(context, peer, id, beta)),
    judge: (id) => trusted(() => decision.judge(context, id)),
    finish: (id) => trusted(() => decision.finish(context, id)),
    alarm: (id, reason) => trusted(() => decision.alarm(context, id, reason)),

    openVotes: (peer, stateId) => trusted(() => vote.openVotes(context, peer, stateId)),
    commit: (peer, id, beta) => trusted(() => vote.commit(context, peer, id, beta)),
    discard: (peer, id, stateId) => trusted(() => vote.discard(context, peer, id, stateId)),
    forget: (peer, id, stateId) => trusted(() => vote.forget(context, peer, id, stateId)),

    dueHooks: (peer, passedOver) => trusted(() => dueHooks(context, peer, passedOver)),
    readHook: (hook) => trusted(() => readHook(context, hook)),
    forgetHook: (hook) => trusted(() => dropNote(context, hook)),
    waitingHooks: (peer) => trusted(() => waitingHooks(fs, layout, peer)),

    find: (id) => trusted(() => findExchange(fs, layout, id)),
    resolve: (record, resolution) => trusted(() => resolve(context, record, resolution)),
    wasForgotten: (peer, id) => trusted(() => wasForgotten(fs, layout, peer, id)),
  };
}

/**
 * What one peer's records, of both roles, allow to be done without the peer (docs/protocol.md, rules 7 and 9). A
 * record that an operator must look at stays as it is, but for one whose name may be free again.
 */
async function redo(context: StoreContext, peer: string): Promise<void> {
  const { fs, layout, suspicion } = context;
  const places = [
    ...(await listRecords(fs, layout, peer, 'initiator')),
    ...(await listRecords(fs, layout, peer, 'responder')),
  ];
  for (const place of places) {
    await passingOver('alarm', async () => {
      const alarm = await readAlarm(fs, layout, place);
      if (alarm !== undefined && alarm !== 'name-taken') return;
      if (place.role === 'initiator' && (place.state === 'staged' || place.state === 'aborted'))
        await decision.judge(context, place.id);
      if (place.role === 'initiator' && place.state === 'committed') {
        await suspicion.guard(() => decision.publishDecided(context, place));
      }
      const isDue = place.state === 'committed' || (place.state === 'done' && alarm !== undefined);
      if (place.role === 'responder' && isDue) {
        await suspicion.guard(() => vote.finishCommitted(context, place));
      }
      if (place.state === 'resolved') await suspicion.guard(() => finishResolved(context, place));
    });
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translation(error);
  }
}

function translation(error: unknown): unknown {
  const code = systemCode(error);
  // Node's own complaints about arguments have codes too, and mean a bug.
  if (error instanceof QkdSyncError || code === undefined || code.startsWith('ERR_')) return error;
  return new QkdSyncError('storage', `storage failed: ${(error as Error).message}`, {
    hint: HINTS[code],
    cause: error,
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on this file system',
  EDQUOT: 'make room within the quota of this user',
  EROFS: 'mount this file system for writing',
  EACCES: 'give this user the right to write there, or set keys and state to its own folders',
  EPERM: 'give this user the right to write there, or set keys and state to its own folders',
};
