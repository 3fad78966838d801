/** The work of both machines on simulated stores; what must never be asked of it breaks a promise. */
import type { InitiatorAction, InitiatorEvent, Verdict } from '../../src/handshake/initiator-work.js';
import type { Want } from '../../src/handshake/message.js';
import type { ResponderAction, ResponderEvent } from '../../src/handshake/responder-work.js';
import { require, type MemoryStore } from './handshake-store.js';
import { KEY_IDS, STATE_B } from './handshake-talk.js';

/**
 * @param want what is wanted, with any number; undefined where only settling is
 * @param agreed whether the responder has agreed to an exchange
 */
export function initiatorWork(
  a: MemoryStore,
  action: InitiatorAction,
  want: Want | undefined,
  agreed: boolean,
): InitiatorEvent {
  switch (action.do) {
    case 'survey':
      return {
        on: 'surveyed',
        committed: a.ids('committed'),
        alarms: 0,
        want: want && { ...want, index: a.nextIndex },
      };
    case 'judge':
      return { on: 'judged', verdict: judge(a, action.id) };
    case 'decide':
      a.change(action.id, 'staged', 'committed', action.beta);
      return { on: 'judged', verdict: judge(a, action.id) };
    case 'finish':
      require(a.records.get(action.id)?.state !== 'staged', 'what the peer has saved is decided here');
      a.remove(action.id);
      return { on: 'finished' };
    case 'draw':
      require(agreed, 'no key is drawn before the peer has agreed');
      require(a.records.size === 0, 'no key is drawn while something is open');
      return { on: 'drawn', keyIds: KEY_IDS };
    case 'stage':
      require(action.peerStateId === STATE_B, "the record names the peer's state folder");
      a.stage(action.id, a.nextIndex);
      return { on: 'staged' };
    case 'alarm':
      throw new Error(`broken promise: no alarm on healthy disks, but ${action.id} ${action.reason}`);
    case 'send':
    case 'wait':
    case 'end':
      throw new Error('not work');
  }
}

function judge(a: MemoryStore, id: string): Verdict {
  const record = a.records.get(id);
  if (record?.state === 'committed') return { decided: 'committed', beta: record.beta ?? '' };
  a.remove(id);
  return { decided: 'aborted' };
}

/** @param beta for a vote */
export function responderWork(b: MemoryStore, action: ResponderAction, beta: string): ResponderEvent {
  switch (action.do) {
    case 'inspect': {
      const open = { inDoubt: b.ids('staged'), done: b.ids('done') };
      return {
        on: 'inspected',
        inspection: { ...open, resolved: [], foreign: 0, alarms: 0, nextIndex: b.nextIndex },
      };
    }
    case 'examine':
      return { on: 'examined' };
    case 'vote': {
      b.stage(action.syn.id, action.want.index ?? 0, beta);
      return { on: 'voted', beta };
    }
    case 'commit': {
      const record = b.records.get(action.id);
      if (record === undefined) return { on: 'committed', outcome: 'unknown' };
      if (record.beta !== action.beta) return { on: 'committed', outcome: 'mismatch' };
      b.change(action.id, 'staged', 'done');
      return { on: 'committed', outcome: 'done' };
    }
    case 'discard': {
      const record = b.records.get(action.id);
      require(record === undefined || record.state === 'staged', 'only a vote that is open is discarded');
      b.remove(action.id);
      return { on: 'discarded', outcome: 'gone' };
    }
    case 'forget': {
      require(b.records.get(action.id)?.state !== 'staged', 'only what is saved is forgotten');
      b.remove(action.id);
      return { on: 'forgotten', outcome: 'gone' };
    }
    case 'send':
    case 'wait':
    case 'end':
      throw new Error('not work');
  }
}
