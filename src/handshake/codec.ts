/** Messages to text frames and back. What comes from outside is refused unless it is exactly a message. */
import { clean } from '../base/errors.js';
import { isKeyId } from '../base/key.js';
import { isSiteId } from '../base/site.js';
import {
  COUNT_MAX,
  NAK_CODES,
  REASON_MAX,
  STATUS_MAX_IDS,
  type Message,
  type MessageType,
} from './message.js';
import { isNonce } from './nonce.js';

/** A frame that is no message. The text says what is wrong with it, fit for a log. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, { readonly check: Check; readonly optional?: true }>>;

const ID = /^[0-9a-f]{32}$/;
const isId: Check = (value) => typeof value === 'string' && ID.test(value);
const isNonceText: Check = (value) => typeof value === 'string' && isNonce(value);
const isSite: Check = (value) => typeof value === 'string' && isSiteId(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const oneOf =
  (...options: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && options.includes(value);
const integer =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
const listOf =
  (check: Check, least: number, most: number): Check =>
  (value) =>
    Array.isArray(value) &&
    value.length >= least &&
    value.length <= most &&
    value.every(check) &&
    new Set(value).size === value.length;

const NATURAL = integer(0, Number.MAX_SAFE_INTEGER);
const ID_FIELD = { id: { check: isId } };

const WANT: Shape = {
  count: { check: integer(1, COUNT_MAX) },
  size: { check: integer(8, 1_048_576) },
  naming: { check: oneOf('index', 'key-id') },
  // The one after it must still be one that STATUS can tell.
  index: { check: integer(0, Number.MAX_SAFE_INTEGER - 1), optional: true },
};

const RESOLVED: Shape = { ...ID_FIELD, decision: { check: oneOf('commit', 'abort') } };

/** The fields of each message besides `type`. */
const SHAPES: Readonly<Record<MessageType, Shape>> = {
  HELLO: {
    version: { check: integer(1, 1_000_000) },
    site: { check: isSite },
    sae: { check: isSite },
    stateId: { check: isId },
    alarms: { check: NATURAL },
    want: { check: isWant, optional: true },
  },
  STATUS: {
    stateId: { check: isId },
    inDoubt: { check: listOf(isId, 0, STATUS_MAX_IDS) },
    done: { check: listOf(isId, 0, STATUS_MAX_IDS) },
    resolved: { check: listOf(isResolved, 0, STATUS_MAX_IDS) },
    more: { check: isFlag },
    foreign: { check: NATURAL },
    alarms: { check: NATURAL },
    nextIndex: { check: NATURAL },
    ready: { check: isFlag },
    deadlineMs: { check: integer(1, Number.MAX_SAFE_INTEGER) },
  },
  SYN: {
    ...ID_FIELD,
    keyIds: { check: listOf((value) => typeof value === 'string' && isKeyId(value), 1, COUNT_MAX) },
    alpha: { check: isNonceText },
  },
  SYN_ACK: { ...ID_FIELD, alpha: { check: isNonceText }, beta: { check: isNonceText } },
  NAK: {
    id: { check: isId, optional: true },
    code: { check: oneOf(...NAK_CODES) },
    reason: { check: isReason },
  },
  ACK: { ...ID_FIELD, beta: { check: isNonceText } },
  FIN: ID_FIELD,
  ABORT: ID_FIELD,
  ABORT_OK: ID_FIELD,
  END: ID_FIELD,
  END_OK: ID_FIELD,
  UNKNOWN: ID_FIELD,
};

/** Only with `naming: index` do the sites count their files. */
function isWant(value: unknown): boolean {
  if (!isObject(value) || flaw(value, WANT) !== undefined) return false;
  return Object.hasOwn(value, 'index') === (value['naming'] === 'index');
}

function isResolved(value: unknown): boolean {
  return isObject(value) && flaw(value, RESOLVED) === undefined;
}

/** Fit for a log as it stands: bounded, and nothing in it that is not seen. */
function isReason(value: unknown): boolean {
  return typeof value === 'string' && value.length <= REASON_MAX && clean(value, REASON_MAX) === value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMessageType(value: unknown): value is MessageType {
  return typeof value === 'string' && Object.hasOwn(SHAPES, value);
}

/** What is wrong with the fields, or undefined. */
function flaw(value: Record<string, unknown>, shape: Shape): string | undefined {
  for (const [name, { check, optional }] of Object.entries(shape)) {
    if (!Object.hasOwn(value, name)) {
      if (optional === true) continue;
      return `has no ${name}`;
    }
    if (!check(value[name])) return `has a wrong ${name}`;
  }
  const unknown = Object.keys(value).find((name) => name !== 'type' && !Object.hasOwn(shape, name));
  return unknown === undefined ? undefined : `has an unknown field ${clean(unknown, 40)}`;
}

export function encodeMessage(message: Message): string {
  return JSON.stringify(message);
}

/** The message of a frame. Error: MalformedMessage. */
export function decodeMessage(frame: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    throw new MalformedMessage('a frame that is not JSON');
  }
  requireMessage(value);
  return value;
}

function requireMessage(value: unknown): asserts value is Message {
  if (!isObject(value)) throw new MalformedMessage('a frame that is not a JSON object');
  const type = value['type'];
  if (!isMessageType(type)) throw new MalformedMessage('a message of unknown type');
  const wrong = flaw(value, SHAPES[type]);
  if (wrong !== undefined) throw new MalformedMessage(`a ${type} that ${wrong}`);
}
