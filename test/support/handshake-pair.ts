/**
 * Both machines connected in memory, each with a simulated store that keeps the rules of docs/protocol.md, and faults
 * at numbered moments: a message that is lost, a wait that ends otherwise, work that fails, a side that crashes.
 *
 * Every promise that one side's words make about its records is asserted as they are said.
 */
import { QkdSyncError } from '../../src/base/errors.js';
import type { InitiatorState } from '../../src/handshake/initiator-state.js';
import type { InitiatorAction, InitiatorEvent } from '../../src/handshake/initiator-work.js';
import { nextInitiator, startInitiator } from '../../src/handshake/initiator.js';
import type { CommonAction, CommonEvent, Step } from '../../src/handshake/machine.js';
import type { Message, Want } from '../../src/handshake/message.js';
import { answerTo } from '../../src/handshake/nonce.js';
import type { ResponderState } from '../../src/handshake/responder-state.js';
import type { ResponderAction, ResponderEvent } from '../../src/handshake/responder-work.js';
import { nextResponder, startResponder } from '../../src/handshake/responder.js';
import { MemoryStore, require } from './handshake-store.js';
import { KEY_IDS, STATE_A, STATE_B } from './handshake-talk.js';
import { initiatorWork, responderWork } from './handshake-work.js';

/** What may happen at each kind of moment. */
export const FAULTS = {
  /** Lost with the connection; or the last that gets through. */
  send: ['lost', 'last'],
  wait: ['interrupted', 'timeout', 'malformed', 'closed'],
  /** Fails with nothing done, or after it was done; the process dies before it, or right after it. */
  work: ['fails', 'fails-late', 'crash', 'crash-late'],
} as const;
export type Moment = keyof typeof FAULTS;
export type Fault = (typeof FAULTS)[Moment][number];

/** The `at`th moment of a contact goes wrong in this way; a fault that does not fit the moment does nothing. */
export interface Mishap {
  readonly at: number;
  readonly fault: Fault;
}

type Side = 'A' | 'B';

/** Two sites over many contacts. */
export class Pair {
  readonly a = new MemoryStore();
  readonly b = new MemoryStore();
  /** All that was said, in order: for comparisons and for whoever reads a failing test. */
  readonly transcript: string[] = [];
  readonly #offered = new Set<string>();
  #exchanges = 0;

  /** A run of the initiator against a responder that is there; answers how many moments it had. */
  contact(purpose: 'initiate' | 'recover', mishaps: readonly Mishap[] = []): Moment[] {
    for (const id of this.a.ids('staged')) this.a.remove(id);
    for (const id of this.b.ids('committed')) this.b.change(id, 'committed', 'done');
    this.#exchanges += 1;
    const id = this.#exchanges.toString(16).padStart(32, '0');
    const attempt = purpose === 'initiate' ? { id, alpha: `${1_000 + this.#exchanges}` } : undefined;
    return new Contact(this, mishaps, attempt).run();
  }

  /** Called with each message as it leaves its machine. */
  check(from: Side, message: Message): void {
    this.transcript.push(`${from}: ${message.type}`);
    const { a, b } = this;
    switch (message.type) {
      case 'SYN':
        require(a.records.get(message.id)?.state === 'staged', 'SYN only for what is staged');
        require(!this.#offered.has(message.id), 'SYN only once for one exchange');
        this.#offered.add(message.id);
        break;
      case 'SYN_ACK':
        require(b.records.get(message.id)?.state === 'staged', 'SYN_ACK only for what is staged');
        break;
      case 'ACK': {
        const record = a.records.get(message.id);
        require(record?.state === 'committed', 'ACK only for what is committed');
        require(record.beta !== undefined && answerTo(record.beta) === message.beta, 'ACK answers beta');
        break;
      }
      case 'FIN':
        require(b.published.has(message.id), 'FIN only for what is saved');
        break;
      case 'ABORT':
        require(!a.records.has(message.id) && !a.published.has(message.id), 'ABORT only for what is aborted');
        break;
      case 'ABORT_OK':
        require(!b.records.has(message.id) && !b.published.has(message.id), 'ABORT_OK only for what is gone');
        break;
      case 'END':
        require(!a.records.has(message.id) &&
          a.published.has(message.id), 'END only once saved and forgotten');
        break;
      case 'END_OK':
        require(!b.records.has(message.id), 'END_OK only once forgotten');
        break;
      case 'UNKNOWN':
        require(false, 'UNKNOWN is never said on healthy disks');
        break;
      case 'STATUS':
        if (message.ready)
          require(b.ids('staged').length + b.ids('done').length === 0, 'ready only with nothing open');
        break;
      case 'HELLO':
      case 'NAK':
        break;
    }
    this.checkRecords();
  }

  checkRecords(): void {
    const { a, b } = this;
    for (const id of a.published) require(!b.discarded.has(id), `A has saved ${id}, B has discarded it`);
    for (const id of b.published) require(!a.discarded.has(id), `B has saved ${id}, A has discarded it`);
  }

  /** What is wrong when both sites ought to be at rest; nothing, if all is well. */
  unrest(): string[] {
    const { a, b } = this;
    const only = (these: MemoryStore, those: MemoryStore): string[] =>
      [...these.published].filter((id) => !those.published.has(id));
    return [
      ...[...a.records].map(([id, { state }]) => `A has ${id} ${state}`),
      ...[...b.records].map(([id, { state }]) => `B has ${id} ${state}`),
      ...only(a, b).map((id) => `only A has saved ${id}`),
      ...only(b, a).map((id) => `only B has saved ${id}`),
      ...(a.nextIndex === b.nextIndex ? [] : [`next index ${a.nextIndex} at A, ${b.nextIndex} at B`]),
    ];
  }
}

/** One side of one contact: its machine, and what has come for it. */
interface End<State, Action, Event> {
  step: Step<State, Action>;
  readonly inbox: Message[];
  over: boolean;
  readonly next: (state: State, event: Event) => Step<State, Action>;
  readonly perform: (action: Action) => Event;
}

class Contact {
  readonly #pair: Pair;
  readonly #mishaps: readonly Mishap[];
  readonly #moments: Moment[] = [];
  readonly #want: Want;
  #connected = true;
  /** Events that the machines have taken. */
  #taken = 0;
  readonly #a: End<InitiatorState, InitiatorAction, InitiatorEvent>;
  readonly #b: End<ResponderState, ResponderAction, ResponderEvent>;

  constructor(pair: Pair, mishaps: readonly Mishap[], attempt: { id: string; alpha: string } | undefined) {
    this.#pair = pair;
    this.#mishaps = mishaps;
    this.#want = { count: KEY_IDS.length, size: 256, naming: 'index', index: 0 };
    this.#a = {
      step: startInitiator({ site: 'A', sae: 'sae-a', stateId: STATE_A, ...(attempt && { attempt }) }),
      inbox: [],
      over: false,
      next: nextInitiator,
      perform: (action) =>
        initiatorWork(pair.a, action, attempt && this.#want, this.#b.step.state.agreed !== undefined),
    };
    this.#b = {
      step: startResponder({
        site: 'B',
        stateId: STATE_B,
        peers: [{ site: 'A', sae: 'sae-a' }],
        anyRole: false,
        terms: this.#want,
        deadlineMs: 600_000,
      }),
      inbox: [],
      over: false,
      next: nextResponder,
      perform: (action) => responderWork(pair.b, action, `${5_000 + pair.transcript.length}`),
    };
  }

  run(): Moment[] {
    for (let turns = 0; !this.#a.over || !this.#b.over; turns += 1) {
      require(turns < 1_000, 'every contact ends');
      const before = this.#progress();
      if (!this.#a.over) this.#turn('A', this.#a, this.#b.inbox);
      if (!this.#b.over) this.#turn('B', this.#b, this.#a.inbox);
      // Both wait for each other: time passes, and the initiator is the first to lose its patience.
      if (before !== this.#progress()) continue;
      if (!this.#a.over) this.#take(this.#a, { on: 'timeout' });
      else this.#take(this.#b, { on: 'timeout' });
    }
    return this.#moments;
  }

  #progress(): string {
    return `${this.#taken} ${this.#moments.length} ${String(this.#a.over)} ${String(this.#b.over)}`;
  }

  /** One side does what its machine asks for, and then takes what has come. */
  #turn<State, Action extends { readonly do: string }, Event>(
    from: Side,
    end: End<State, Action | CommonAction, Event | CommonEvent>,
    outbox: Message[],
  ): void {
    const { actions } = end.step;
    end.step = { state: end.step.state, actions: [] };
    let waiting: Fault | undefined;
    for (const action of actions) {
      if (isSend(action)) this.#send(from, action.message, outbox);
      else if (action.do === 'wait') waiting = this.#fault('wait');
      else if (action.do === 'end') {
        this.#leave(end);
        return;
      } else {
        this.#work(end, action);
        return;
      }
    }
    if (waiting !== undefined) {
      this.#interrupt(end, waiting);
      return;
    }
    const message = end.inbox.shift();
    if (message !== undefined) this.#take(end, { on: 'message', message });
    else if (!this.#connected) this.#take(end, { on: 'closed', error: undefined });
  }

  #interrupt<State, Action, Event>(end: End<State, Action, Event | CommonEvent>, fault: Fault): void {
    if (fault === 'interrupted' || fault === 'timeout') {
      this.#take(end, { on: fault });
      return;
    }
    if (fault === 'malformed') {
      this.#take(end, { on: fault, reason: 'a frame that is not JSON' });
      return;
    }
    this.#connected = false;
    end.inbox.length = 0;
    this.#take(end, { on: 'closed', error: new QkdSyncError('peer-lost', 'the connection broke') });
  }

  #take<State, Action, Event>(end: End<State, Action, Event>, event: Event): void {
    this.#taken += 1;
    end.step = end.next(end.step.state, event);
  }

  #send(from: Side, message: Message, outbox: Message[]): void {
    this.#pair.check(from, message);
    const fault = this.#fault('send');
    if (!this.#connected) return;
    if (fault !== 'lost') outbox.push(message);
    if (fault !== undefined) this.#connected = false;
  }

  #work<State, Action, Event>(end: End<State, Action, Event | CommonEvent>, action: Action): void {
    const fault = this.#fault('work');
    const failed: CommonEvent = { on: 'failed', error: new QkdSyncError('storage', 'the disk is full') };
    if (fault === 'crash') {
      this.#leave(end);
      return;
    }
    if (fault === 'fails') {
      this.#take(end, failed);
      return;
    }
    const result = end.perform(action);
    this.#pair.checkRecords();
    if (fault === 'crash-late') {
      this.#leave(end);
      return;
    }
    this.#take(end, fault === 'fails-late' ? failed : result);
  }

  #leave(end: { over: boolean }): void {
    end.over = true;
    this.#connected = false;
  }

  #fault(moment: Moment): Fault | undefined {
    const at = this.#moments.push(moment) - 1;
    const possible: readonly Fault[] = FAULTS[moment];
    return this.#mishaps.find((mishap) => mishap.at === at && possible.includes(mishap.fault))?.fault;
  }
}

function isSend(action: { readonly do: string }): action is Extract<CommonAction, { do: 'send' }> {
  return action.do === 'send';
}
