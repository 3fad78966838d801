/**
 * Where everything lies (docs/protocol.md, "Records"). The only file that knows names of files and folders.
 */
import { join } from 'node:path';
import { encodeSegment, type Role } from '../base/site.js';

/** 128 random bits as 32 lower-case hex characters; a new one for each attempt. */
export type ExchangeId = string;

/** The states of a record, in the order in which a record can pass through them. */
export const RECORD_STATES = ['staged', 'resolved', 'aborted', 'committed', 'done'] as const;
export type RecordState = (typeof RECORD_STATES)[number];

/** Those of each role: an initiator forgets what is done, and what an operator aborts there is aborted. */
export const STATES_OF: Readonly<Record<Role, readonly RecordState[]>> = {
  initiator: ['staged', 'aborted', 'committed'],
  responder: RECORD_STATES,
};

export const ROLES: readonly Role[] = ['initiator', 'responder'];

/** Names that `<state>` itself uses: a peer of such a name gets its first character encoded. */
const TAKEN_IN_STATE = new Set(['state-id', 'SUSPECT']);

const RECORD_NAME = /^([0-9a-f]{32})\.(staged|resolved|aborted|committed|done)$/;
const HOOK_NOTE_NAME = /^([0-9a-f]{32})\.(initiator|responder)$/;
const TEMPORARY_NAME = /^([0-9a-f]{32})\.tmp-[0-9a-f]{32}$/;

/** The names inside a record's folder. */
export const RECORD_FILE = {
  exchange: 'exchange.json',
  keyIds: 'key-ids.json',
  key: 'key',
  beta: 'beta',
  alarm: 'alarm',
  resolution: 'resolution',
} as const;

export interface Layout {
  /** The folder of state, absolute. */
  readonly state: string;
  /** The folder of keys, absolute. */
  readonly keys: string;
  readonly stateId: string;
  readonly suspect: string;
  readonly trash: string;
  peer(peer: string): string;
  role(peer: string, role: Role): string;
  record(peer: string, role: Role, id: ExchangeId, state: RecordState): string;
  temporary(peer: string, role: Role, id: ExchangeId, random: string): string;
  names(peer: string): string;
  index(peer: string): string;
  /** What operators have decided. */
  resolutions(peer: string): string;
  /** Notes of hooks that are still to be run. */
  hooks(peer: string): string;
  hookNote(peer: string, role: Role, id: ExchangeId): string;
  hookLock(peer: string): string;
  lock(peer: string): string;
  /** The folder of the peer's key files. */
  peerKeys(peer: string): string;
}

/** `name` in a folder of ours: both are as plain as can be, and nothing of them needs to be resolved. */
export const within = (folder: string, name: string): string => `${folder}/${name}`;

export function createLayout(state: string, keys: string): Layout {
  const peerFolder = (peer: string): string => {
    const segment = encodeSegment(peer);
    if (!TAKEN_IN_STATE.has(segment)) return join(state, segment);
    const first = segment.charCodeAt(0).toString(16).toUpperCase();
    return join(state, `%${first}${segment.slice(1)}`);
  };
  const roleFolder = (peer: string, role: Role): string => within(peerFolder(peer), role);
  return {
    state,
    keys,
    stateId: join(state, 'state-id'),
    suspect: join(state, 'SUSPECT'),
    trash: join(state, '.trash'),
    peer: peerFolder,
    role: roleFolder,
    record: (peer, role, id, recordState) => within(roleFolder(peer, role), `${id}.${recordState}`),
    temporary: (peer, role, id, random) => within(roleFolder(peer, role), `${id}.tmp-${random}`),
    names: (peer) => within(peerFolder(peer), 'names'),
    index: (peer) => within(peerFolder(peer), 'index'),
    resolutions: (peer) => within(peerFolder(peer), 'resolutions'),
    hooks: (peer) => within(peerFolder(peer), 'hooks'),
    hookNote: (peer, role, id) => within(peerFolder(peer), `hooks/${id}.${role}`),
    hookLock: (peer) => within(peerFolder(peer), 'hooks-lock'),
    lock: (peer) => within(peerFolder(peer), 'lock'),
    peerKeys: (peer) => join(keys, encodeSegment(peer)),
  };
}

/** ID and state of a record by its folder's name. */
export function parseRecordName(name: string): { id: ExchangeId; state: RecordState } | undefined {
  const [, id, state] = RECORD_NAME.exec(name) ?? [];
  const known = RECORD_STATES.find((candidate) => candidate === state);
  return id === undefined || known === undefined ? undefined : { id, state: known };
}

/** The ID of a record being written, by its folder's name. */
export function parseTemporaryName(name: string): ExchangeId | undefined {
  return TEMPORARY_NAME.exec(name)?.[1];
}

/** Which exchange a hook's note is about, by the note's name. */
export function parseHookNoteName(name: string): { id: ExchangeId; role: Role } | undefined {
  const [, id, role] = HOOK_NOTE_NAME.exec(name) ?? [];
  const known = ROLES.find((candidate) => candidate === role);
  return id === undefined || known === undefined ? undefined : { id, role: known };
}
