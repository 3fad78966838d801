import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isKeyId, KEY_ID_MAX_BYTES } from '../../../src/base/key.js';
import { isSiteId } from '../../../src/base/site.js';
import { decodeMessage, encodeMessage } from '../../../src/handshake/codec.js';
import {
  COUNT_MAX,
  maxFrameBytes,
  NAK_CODES,
  NAK_ERRORS,
  REASON_MAX,
  STATUS_MAX_IDS,
  type Message,
} from '../../../src/handshake/message.js';
import { messages } from '../../support/handshake-messages.js';
import { ID, STATE_B } from '../../support/handshake-talk.js';

const bytesOf = (message: Message): number => Buffer.byteLength(encodeMessage(message));
const LARGEST_NONCE = (2n ** 128n - 1n).toString();
const MOST = Number.MAX_SAFE_INTEGER;

/** Key IDs of 256 bytes each of which JSON escapes, all different. */
const largestKeyIds = (count: number): string[] =>
  Array.from({ length: count }, (_, at) =>
    at.toString(2).padStart(KEY_ID_MAX_BYTES, '0').replaceAll('0', '\\').replaceAll('1', '"'),
  );

/** Makes sure that it measures something legal. */
function legalBytesOf(message: Message): number {
  expect(decodeMessage(encodeMessage(message))).toEqual(message);
  return bytesOf(message);
}

describe('the largest frame', () => {
  test.each([1, 2, 1_000, COUNT_MAX])('of an exchange of %d keys has room for its largest SYN', (count) => {
    const keyIds = largestKeyIds(count);
    const syn: Message = { type: 'SYN', id: ID, keyIds, alpha: LARGEST_NONCE };
    const bytes = count === COUNT_MAX ? bytesOf(syn) : legalBytesOf(syn);
    expect(keyIds.every(isKeyId)).toBe(true);
    expect(bytes).toBeLessThanOrEqual(maxFrameBytes(count));
    // A bound, but no loose one: what lies beyond it is not this exchange.
    expect(bytes).toBeGreaterThan(maxFrameBytes(count) - 16_384);
  });

  test('no character of a key ID takes more than two bytes of a frame for one of its own', () => {
    for (let code = 0; code <= 0xffff; code += 1) {
      const char = String.fromCharCode(code);
      if (!isKeyId(char)) continue;
      const escaped = Buffer.byteLength(JSON.stringify(char)) - 2;
      if (escaped > 2 * Buffer.byteLength(char))
        throw new Error(`U+${code.toString(16)} takes ${escaped} bytes`);
    }
  });

  test('has room for everything else without any key', () => {
    const all = Array.from({ length: STATUS_MAX_IDS }, (_, at) => at.toString(16).padStart(32, 'f'));
    const status: Message = {
      type: 'STATUS',
      stateId: STATE_B,
      inDoubt: all,
      done: all,
      resolved: all.map((id) => ({ id, decision: 'commit' })),
      more: false,
      foreign: MOST,
      alarms: MOST,
      nextIndex: MOST,
      ready: false,
      deadlineMs: MOST,
    };
    const site = '\u{20000}'.repeat(32);
    expect(isSiteId(site)).toBe(true);
    const want = { count: COUNT_MAX, size: 1_048_576, naming: 'index', index: MOST - 1 } as const;
    const hello: Message = {
      type: 'HELLO',
      version: 1_000_000,
      site,
      sae: site,
      stateId: ID,
      alarms: MOST,
      want,
    };
    // A lone surrogate is escaped with six bytes.
    const nak: Message = {
      type: 'NAK',
      id: ID,
      code: 'kme-unreachable',
      reason: '\ud800'.repeat(REASON_MAX),
    };
    for (const message of [status, hello, nak]) {
      expect(legalBytesOf(message)).toBeLessThanOrEqual(maxFrameBytes(0));
    }
  });

  test('has room for any legal message', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const count = message.type === 'SYN' ? message.keyIds.length : 0;
        expect(bytesOf(message)).toBeLessThanOrEqual(maxFrameBytes(count));
      }),
    );
  });
});

test('every code of a NAK means an error, and contradictions an alarm', () => {
  expect(Object.keys(NAK_ERRORS).sort()).toEqual([...NAK_CODES].sort());
  expect(NAK_CODES.filter((code) => NAK_ERRORS[code] === 'alarm')).toEqual(['foreign', 'contradiction']);
  expect(NAK_CODES.filter((code) => NAK_ERRORS[code] === 'disagreement')).toEqual([
    'count',
    'size',
    'naming',
    'index',
  ]);
});
