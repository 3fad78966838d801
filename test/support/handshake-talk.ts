/** One machine of the handshake in a test, so that a whole conversation reads like a script. */
import { expect } from '@jest/globals';
import type { QkdSyncError } from '../../src/base/errors.js';
import type { Awaited, CommonEvent, Step } from '../../src/handshake/machine.js';
import type { Message, Want } from '../../src/handshake/message.js';

export const ID = 'aa'.repeat(16);
export const OLD = '0b'.repeat(16);
export const OTHER = '0c'.repeat(16);
export const STATE_A = 'a1'.repeat(16);
export const STATE_B = 'b1'.repeat(16);
export const WANT: Want = { count: 2, size: 256, naming: 'index', index: 7 };
export const KEY_IDS = ['k1', 'k2'];

export interface Talk<State, Action, Event> {
  readonly state: State;
  /** What the machine asks for after the last event: exactly these actions, in this order. */
  does(...actions: Action[]): this;
  /** It says this and waits for that. */
  says(message: Message, then: Awaited): this;
  on(event: Event): this;
  hears(message: Message): this;
  /** It ends and does nothing more; before that it says `last`, if given. */
  ends(last?: Message): State;
}

type Speech =
  { readonly do: 'send'; readonly message: Message } | { readonly do: 'wait'; readonly for: Awaited };

export function talk<State, Action, Event>(
  start: Step<State, Action | Speech | { readonly do: 'end' }>,
  next: (state: State, event: Event | CommonEvent) => Step<State, Action | Speech | { readonly do: 'end' }>,
): Talk<State, Action | Speech | { readonly do: 'end' }, Event | CommonEvent> {
  let step = start;
  return {
    get state() {
      return step.state;
    },
    does(...actions) {
      expect(step.actions).toEqual(actions);
      return this;
    },
    says(message, then) {
      return this.does({ do: 'send', message }, { do: 'wait', for: then });
    },
    on(event) {
      step = next(step.state, event);
      return this;
    },
    hears(message) {
      return this.on({ on: 'message', message });
    },
    ends(last) {
      const words: Speech[] = last === undefined ? [] : [{ do: 'send', message: last }];
      this.does(...words, { do: 'end' });
      return step.state;
    },
  };
}

/** What of an error matters to who reads it. */
export function errorOf(error: QkdSyncError | undefined): [string, string] | undefined {
  return error === undefined ? undefined : [error.code, error.message];
}
