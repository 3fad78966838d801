/** What both roles' machines have in common: pure steps, driven from outside (src/exchange/contact.ts). */
import { QkdSyncError } from '../base/errors.js';
import type { Message } from './message.js';

/** Which answer is waited for; the driver knows how long. */
export type Awaited =
  | 'greeting' // the responder waits for HELLO
  | 'status' // the initiator waits for STATUS
  | 'order' // the responder waits for what comes next
  | 'vote' // the initiator waits for SYN_ACK
  | 'fin' // the initiator waits for FIN, for x at most
  | 'answer'; // the initiator waits for ABORT_OK or END_OK

/** What both machines ask of their driver beside the work of their role. */
export type CommonAction =
  | { readonly do: 'send'; readonly message: Message }
  /** From now on the machine waits for an event; `timeout` comes if the other side says nothing for too long. */
  | { readonly do: 'wait'; readonly for: Awaited }
  /** Nothing more will come of this connection. */
  | { readonly do: 'end' };

/** What happens to both machines beside the results of their own work. */
export type CommonEvent =
  | { readonly on: 'message'; readonly message: Message }
  /** The connection is gone; without error if the other side closed it in order. */
  | { readonly on: 'closed'; readonly error: QkdSyncError | undefined }
  | { readonly on: 'timeout' }
  /** A frame that is no message. */
  | { readonly on: 'malformed'; readonly reason: string }
  /** A signal to this process. */
  | { readonly on: 'interrupted' }
  /** The work that was asked for failed. */
  | { readonly on: 'failed'; readonly error: QkdSyncError };

export interface Step<State, Action> {
  readonly state: State;
  /** In this order; at most one of them is work whose result comes back as an event, and it is the last. */
  readonly actions: readonly Action[];
}

/** The error that an event means which ends the conversation. */
export function endingError(
  event: Exclude<CommonEvent, { readonly on: 'message' }>,
  silentPeer: string,
): QkdSyncError {
  switch (event.on) {
    case 'closed':
      return event.error ?? new QkdSyncError('peer-lost', 'the peer closed the connection');
    case 'timeout':
      return new QkdSyncError('peer-lost', silentPeer);
    case 'malformed':
      return new QkdSyncError('protocol', `the peer sent ${event.reason}`);
    case 'interrupted':
      return new QkdSyncError('interrupted', 'interrupted');
    case 'failed':
      return event.error;
  }
}

/** The peer said something that does not fit here. */
export function outOfTurn(message: Message): QkdSyncError {
  return new QkdSyncError('protocol', `the peer sent ${message.type} out of turn`);
}

/**
 * A bug of the driver, never the peer's doing: a machine that waits takes messages and ends, one that has asked for
 * work takes its result, and one that has ended takes nothing.
 */
export function misplaced(event: string, phase: string): Error {
  return new Error(`the handshake cannot take '${event}' while '${phase}'`);
}
