/** What goes wrong in one run: triggers that wait for their operation, message or request, and strike it once. */
import type { MessageType } from '../../src/handshake/message.js';
import type { Errno, Fate, KmeFate, Nemesis, Operation, OperationKind, Sleeper, Stroke } from './fault.js';
import { SPOTS, type Spot } from './spot.js';

export interface OperationTrigger {
  readonly host: string;
  readonly spot: Spot;
  /** Which of the operations at that spot, from 1. */
  readonly nth: number;
  readonly stroke: Stroke;
  /** Counts only from when the trigger before it has struck. */
  readonly follows: boolean;
  /** Counts only from when the last trigger on messages has struck. */
  readonly followsMessage?: boolean;
}

export interface MessageTrigger {
  readonly type: MessageType | 'any';
  readonly nth: number;
  readonly fate: Fate;
  /** Counts only from when the trigger before it has struck. */
  readonly follows?: boolean;
  /** Counts only from when the last trigger on operations has struck. */
  readonly followsOperation?: boolean;
}

export interface KmeTrigger {
  readonly host: string;
  readonly nth: number;
  readonly fate: KmeFate;
}

export interface Faults {
  readonly operations: readonly OperationTrigger[];
  readonly messages: readonly MessageTrigger[];
  readonly kmes: readonly KmeTrigger[];
}

export interface Witnessed {
  /** Something has gone wrong. */
  struck(what: Stroke['do'] | 'message'): void;
  froze(process: Sleeper): void;
  /** Before each operation, whatever becomes of it. */
  noticed(host: string, operation: Operation): void;
}

interface Armed<T> {
  readonly trigger: T;
  left: number;
}

/** Somebody to be woken up when another process of that host comes to a spot. */
interface Alarm {
  readonly host: string;
  readonly spot: Spot;
  left: number;
  readonly sleeper: Sleeper;
}

const arm = <T extends { readonly nth: number }>(triggers: readonly T[]): Armed<T>[] =>
  triggers.map((trigger) => ({ trigger, left: trigger.nth }));

const isWaiting = (armed: Armed<unknown> | undefined): boolean => armed !== undefined && armed.left > 0;

export class Plan implements Nemesis {
  /** What each host has been about to do, where nothing is to strike it: whoever plans faults looks here for places. */
  readonly operations: { readonly host: string; readonly kind: OperationKind }[] = [];
  /** How many messages have been sent. */
  messages = 0;
  readonly #onOperations: Armed<OperationTrigger>[];
  readonly #onMessages: Armed<MessageTrigger>[];
  readonly #onKmes: Armed<KmeTrigger>[];
  /** Disks that go on failing. */
  readonly #lasting = new Map<string, Errno>();
  readonly #alarms: Alarm[] = [];
  readonly #witnessed: Witnessed;
  #atPeace = false;

  constructor(faults: Faults, witnessed: Witnessed) {
    this.#onOperations = arm(faults.operations);
    this.#onMessages = arm(faults.messages);
    this.#onKmes = arm(faults.kmes);
    this.#witnessed = witnessed;
  }

  /** From now on nothing goes wrong any more. */
  makePeace(): void {
    this.#atPeace = true;
  }

  strike(host: string, operation: Operation): Stroke | undefined {
    if (this.#atPeace) return undefined;
    if (this.#onOperations.length === 0) this.operations.push({ host, kind: operation.kind });
    this.#witnessed.noticed(host, operation);
    if (this.#alarms.length > 0) this.#ring(host, operation);
    let before: Armed<OperationTrigger> | undefined;
    for (const armed of this.#onOperations) {
      const { trigger } = armed;
      const early =
        (trigger.follows && isWaiting(before)) ||
        (trigger.followsMessage === true && isWaiting(this.#onMessages.at(-1)));
      before = armed;
      if (early || armed.left === 0 || trigger.host !== host || !SPOTS[trigger.spot](operation)) continue;
      armed.left -= 1;
      if (armed.left > 0) continue;
      const { stroke } = trigger;
      if (stroke.do === 'fail' && stroke.lasting) this.#lasting.set(host, stroke.code);
      this.#witnessed.struck(stroke.do);
      return stroke;
    }
    const code = this.#lasting.get(host);
    return code !== undefined && SPOTS.change(operation) ? { do: 'fail', code, lasting: true } : undefined;
  }

  /** Whether something is still waiting to go wrong. */
  get armed(): boolean {
    const waits = ({ left }: { readonly left: number }): boolean => left > 0;
    const lists = [this.#onOperations, this.#onMessages, this.#onKmes];
    return this.#lasting.size > 0 || lists.some((list) => list.some(waits));
  }

  /** Wakes a sleeper up when another process of its host has come to that spot for the `nth` time. */
  wakeAt(sleeper: Sleeper, host: string, spot: Spot, nth: number): void {
    this.#alarms.push({ host, spot, left: nth, sleeper });
  }

  #ring(host: string, operation: Operation): void {
    for (const alarm of this.#alarms) {
      if (alarm.left === 0 || alarm.host !== host || !SPOTS[alarm.spot](operation)) continue;
      alarm.left -= 1;
      if (alarm.left === 0) alarm.sleeper.thaw();
    }
  }

  pass(type: MessageType): Fate {
    if (this.#atPeace) return 'deliver';
    this.messages += 1;
    let before: Armed<MessageTrigger> | undefined;
    for (const armed of this.#onMessages) {
      const { trigger } = armed;
      const early =
        (trigger.follows === true && isWaiting(before)) ||
        (trigger.followsOperation === true && isWaiting(this.#onOperations.at(-1)));
      before = armed;
      if (early || armed.left === 0 || (trigger.type !== 'any' && trigger.type !== type)) continue;
      armed.left -= 1;
      if (armed.left > 0) continue;
      this.#witnessed.struck(trigger.fate.startsWith('freeze') ? 'freeze' : 'message');
      return trigger.fate;
    }
    return 'deliver';
  }

  kme(host: string): KmeFate | undefined {
    if (this.#atPeace) return undefined;
    for (const armed of this.#onKmes) {
      if (armed.left === 0 || armed.trigger.host !== host) continue;
      armed.left -= 1;
      if (armed.left === 0) return armed.trigger.fate;
    }
    return undefined;
  }

  froze(process: Sleeper): void {
    this.#witnessed.froze(process);
  }
}
