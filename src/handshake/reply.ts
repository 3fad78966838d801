/** What the responder replies to an order about one exchange, by what became of it: the real state, or no. */
import type { Message } from './message.js';
import { refusal, type Refusal } from './refusal.js';
import type { CommitOutcome, DiscardOutcome, ForgetOutcome } from './responder-work.js';

/** A no to one exchange; the initiator may go on with something else. */
export function noTo(id: string, { code, reason }: Refusal): Message {
  return { type: 'NAK', id, code, reason };
}

export function replyToAck(id: string, outcome: CommitOutcome): Message {
  switch (outcome) {
    case 'done':
      return { type: 'FIN', id };
    case 'unknown':
      return { type: 'UNKNOWN', id };
    case 'mismatch':
      return noTo(id, refusal('contradiction', 'ACK answers another SYN_ACK than ours'));
    case 'taken':
      return noTo(id, refusal('name-taken', 'the file of this exchange cannot be saved: its name is taken'));
    case 'overruled':
      return noTo(id, refusal('contradiction', 'an operator of the responder has aborted this exchange'));
    case 'damaged':
      return noTo(id, DAMAGED);
  }
}

export function replyToAbort(id: string, outcome: DiscardOutcome): Message {
  switch (outcome) {
    case 'gone':
      return { type: 'ABORT_OK', id };
    case 'done':
      return { type: 'FIN', id };
    case 'taken':
      return noTo(
        id,
        refusal('contradiction', 'this exchange is committed at the responder, but its name is taken there'),
      );
    case 'overruled':
      return noTo(id, refusal('contradiction', 'an operator of the responder has committed this exchange'));
    case 'foreign':
      return noTo(id, FOREIGN);
    case 'damaged':
      return noTo(id, DAMAGED);
  }
}

export function replyToEnd(id: string, outcome: ForgetOutcome): Message {
  switch (outcome) {
    case 'gone':
      return { type: 'END_OK', id };
    case 'open':
      return noTo(id, refusal('contradiction', 'END for an exchange that is not saved here'));
    case 'foreign':
      return noTo(id, FOREIGN);
    case 'damaged':
      return noTo(id, DAMAGED);
  }
}

const FOREIGN = refusal('foreign', 'this exchange was made with another state folder of yours');
const DAMAGED = refusal('contradiction', "the responder's record of this exchange is damaged");
