/** How far one contact of the responder has come: what a run goes by that must not wait for it for ever. */
import type { CommonAction } from '../handshake/machine.js';
import type { ResponderAction } from '../handshake/responder-work.js';

export class Presence {
  /** When it began, on the monotonic clock. */
  readonly startedAt: number;
  /** Who has said HELLO. */
  site: string | undefined;
  /** It is voting, has voted, or is told a decision: it is let come to its end, which its own deadline bounds. */
  isEngaged = false;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  /** This piece of work is begun for it. */
  note(work: Exclude<ResponderAction, CommonAction>): void {
    this.site = work.peer;
    switch (work.do) {
      case 'inspect':
      case 'examine':
        return;
      case 'vote':
      case 'commit':
      case 'discard':
      case 'forget':
        this.isEngaged = true;
    }
  }

  /** That piece of work is done: an exchange that has come to its end keeps nobody waiting. */
  done(work: Exclude<ResponderAction, CommonAction>): void {
    if (work.do === 'discard' || work.do === 'forget') this.isEngaged = false;
  }
}
