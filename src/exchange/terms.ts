/** What a site is configured to exchange; count, size and naming must agree with the peer's, the rest is its own. */
import type { Format } from '../base/format.js';
import type { Naming } from '../handshake/message.js';

export interface Terms {
  /** Keys in a file. */
  readonly count: number;
  /** Bits of each key; a multiple of 8. */
  readonly size: number;
  readonly format: Format;
  readonly naming: Naming;
  /** x: how long the initiator waits for FIN before it saves all the same. */
  readonly ackTimeoutMs: number;
  /** The most that one contact may take. */
  readonly deadlineMs: number;
}
