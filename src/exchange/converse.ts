/**
 * Drives one machine of the handshake over one channel: sends what it says, does the work that it asks for, brings
 * it what happens, one thing at a time, until it ends.
 *
 * Resolves to the machine's last state; the channel is closed then. Rejects only for a bug.
 */
import type { Clock } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import type { Log, LogFields } from '../base/log.js';
import { decodeMessage, encodeMessage, MalformedMessage } from '../handshake/codec.js';
import {
  endingError,
  type Awaited,
  type CommonAction,
  type CommonEvent,
  type Step,
} from '../handshake/machine.js';
import type { Message } from '../handshake/message.js';
import type { Channel } from '../peer/channel.js';

/** Both sides speak in turns: more frames than this before their turn are an attack. */
const MAX_FRAMES_AHEAD = 4;

export interface Conversation<State, Work extends { readonly do: string }, Result> {
  readonly channel: Channel;
  readonly start: Step<State, Work | CommonAction>;
  readonly next: (state: State, event: Result | CommonEvent) => Step<State, Work | CommonAction>;
  /** Does one piece of work. `signal` aborts when the run is interrupted or the channel is gone. */
  readonly perform: (work: Work, signal: AbortSignal) => Promise<Result>;
  /** How long to wait for this, in milliseconds from now. */
  readonly patienceMs: (awaited: Awaited, state: State) => number;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
}

export async function converse<State, Work extends { readonly do: string }, Result>(
  conversation: Conversation<State, Work, Result>,
): Promise<State> {
  const { channel, start, next, perform, patienceMs, clock, log, signal } = conversation;
  const happenings = new Happenings(clock);
  /** Aborts when the run is interrupted or the channel is gone. */
  const stop = new AbortController();
  const interrupted = (): void => {
    happenings.add({ on: 'interrupted' });
    stop.abort(signal.reason);
  };
  if (signal.aborted) interrupted();
  else signal.addEventListener('abort', interrupted);

  channel.attach({
    frame: (text) => {
      happenings.add(hear(text, log));
    },
    closed: (error) => {
      happenings.close({ on: 'closed', error });
      stop.abort(happenings.ending);
    },
  });

  /** Why work was given up that nobody but the end of the connection has stopped. */
  const broken = (): QkdSyncError | undefined => (signal.aborted ? undefined : happenings.ending);
  let step = start;
  try {
    for (;;) {
      let event: Result | CommonEvent | undefined;
      for (const action of step.actions) {
        if (isWork(action)) {
          event = await attempt(() => perform(action, stop.signal), broken);
        } else if (action.do === 'send') {
          log('step', 'sent', `sent ${action.message.type}`, fieldsOf(action.message));
          channel.send(encodeMessage(action.message));
        } else if (action.do === 'wait') {
          happenings.wait(patienceMs(action.for, step.state));
        } else {
          return step.state;
        }
      }
      step = next(step.state, event ?? (await happenings.next()));
    }
  } finally {
    signal.removeEventListener('abort', interrupted);
    await channel.close();
  }

  function isWork(action: Work | CommonAction): action is Work {
    return action.do !== 'send' && action.do !== 'wait' && action.do !== 'end';
  }
}

/** What has happened and has not been taken yet, in order. */
class Happenings {
  readonly #clock: Clock;
  readonly #queue: CommonEvent[] = [];
  #closed: Extract<CommonEvent, { on: 'closed' }> | undefined;
  #patienceMs = 0;
  #deadlineMs = 0;
  #wake: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(event: CommonEvent): void {
    if (this.#queue.length < MAX_FRAMES_AHEAD) this.#queue.push(event);
    else this.#queue.splice(0, this.#queue.length, { on: 'malformed', reason: 'too much at once' });
    this.#wake();
  }

  /** From now on there is nothing but this, once what came before has been taken. */
  close(event: Extract<CommonEvent, { on: 'closed' }>): void {
    this.#closed = event;
    this.#wake();
  }

  /** The error that the end of the connection means; undefined while it holds. */
  get ending(): QkdSyncError | undefined {
    return this.#closed && endingError(this.#closed, '');
  }

  /** How long `next` may take from now on, over all its calls until the next `wait`. */
  wait(ms: number): void {
    this.#patienceMs = ms;
    this.#deadlineMs = this.#clock.monotonic() + ms;
  }

  async next(): Promise<CommonEvent> {
    // Where the time for all of it was over before this wait began, whoever goes on talking cannot stretch it.
    if (this.#patienceMs <= 0) return this.#closed ?? { on: 'timeout' };
    for (;;) {
      const event = this.#queue.shift() ?? this.#closed;
      if (event !== undefined) return event;
      const leftMs = this.#deadlineMs - this.#clock.monotonic();
      if (leftMs <= 0) return { on: 'timeout' };
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(leftMs, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
  }
}

function hear(text: string, log: Log): CommonEvent {
  try {
    const message = decodeMessage(text);
    log('step', 'received', `received ${message.type}`, fieldsOf(message));
    return { on: 'message', message };
  } catch (error) {
    if (error instanceof MalformedMessage) return { on: 'malformed', reason: error.message };
    throw error;
  }
}

/** @param broken the error in the place of `interrupted`, where it was not the process that was interrupted */
async function attempt<Result>(
  work: () => Promise<Result>,
  broken: () => QkdSyncError | undefined,
): Promise<Result | CommonEvent> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof QkdSyncError)) throw error;
    return { on: 'failed', error: error.code === 'interrupted' ? (broken() ?? error) : error };
  }
}

/** What of a message is worth a place in the log. */
function fieldsOf(message: Message): LogFields {
  switch (message.type) {
    case 'HELLO':
      return { site: message.site, sae: message.sae, wantsKeys: message.want !== undefined };
    case 'STATUS':
      return {
        inDoubt: message.inDoubt,
        done: message.done,
        resolved: message.resolved.map(({ id }) => id),
        ready: message.ready,
        nextIndex: message.nextIndex,
      };
    case 'SYN':
      return { exchange: message.id, keys: message.keyIds.length };
    case 'NAK':
      return { exchange: message.id, code: message.code, reason: message.reason };
    case 'SYN_ACK':
    case 'ACK':
    case 'FIN':
    case 'ABORT':
    case 'ABORT_OK':
    case 'END':
    case 'END_OK':
    case 'UNKNOWN':
      return { exchange: message.id };
  }
}
