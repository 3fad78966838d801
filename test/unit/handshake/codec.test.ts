import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeMessage, encodeMessage, MalformedMessage } from '../../../src/handshake/codec.js';
import { COUNT_MAX, REASON_MAX } from '../../../src/handshake/message.js';
import { messages } from '../../support/handshake-messages.js';
import { ID, OLD, OTHER, STATE_A, STATE_B, WANT } from '../../support/handshake-talk.js';

/** Longer than any text of a refusal: the longest names two fields of the protocol and 40 characters of a stranger's. */
const FLAW_MAX = 90;

/** The highest number of a file that a want may name. */
const INDEX_MAX = Number.MAX_SAFE_INTEGER - 1;

/** Why the frame is refused; undefined where it is not. Any other exception fails the test. */
function flawOf(frame: string): string | undefined {
  try {
    decodeMessage(frame);
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    expect(error.message.length).toBeLessThan(FLAW_MAX);
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(error.cause).toBeUndefined();
    return error.message;
  }
}

const HELLO = { type: 'HELLO', version: 1, site: 'A', sae: 'sae-a', stateId: STATE_A, alarms: 0, want: WANT };
const STATUS = {
  type: 'STATUS',
  stateId: STATE_B,
  inDoubt: [ID],
  done: [OLD],
  resolved: [{ id: OTHER, decision: 'abort' }],
  more: false,
  foreign: 0,
  alarms: 0,
  nextIndex: 7,
  ready: true,
  deadlineMs: 600_000,
};
const SYN = { type: 'SYN', id: ID, keyIds: ['k1', 'k2'], alpha: '5' };
const SYN_ACK = { type: 'SYN_ACK', id: ID, alpha: '6', beta: '8' };
const NAK = { type: 'NAK', id: ID, code: 'busy', reason: 'another run holds the lock' };
const ACK = { type: 'ACK', id: ID, beta: '9' };
const WORDS = ['FIN', 'ABORT', 'ABORT_OK', 'END', 'END_OK', 'UNKNOWN'].map((type) => ({ type, id: ID }));
const LEGAL: Record<string, unknown>[] = [HELLO, STATUS, SYN, SYN_ACK, NAK, ACK, ...WORDS];

const hexIds = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => at.toString(16).padStart(32, '0'));

describe('a legal message', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeMessage(encodeMessage(message))).toEqual(message);
      }),
    );
  });

  test.each(LEGAL)('%j is taken', (message) => {
    expect(decodeMessage(JSON.stringify(message))).toEqual(message);
  });

  test.each([
    { ...HELLO, want: undefined },
    { ...HELLO, want: { count: 1, size: 8, naming: 'key-id' } },
    { ...HELLO, want: { ...WANT, count: COUNT_MAX, size: 1_048_576, index: INDEX_MAX } },
    { ...STATUS, inDoubt: hexIds(64), done: [], foreign: Number.MAX_SAFE_INTEGER },
    { ...STATUS, nextIndex: INDEX_MAX + 1 },
    { ...SYN, keyIds: ['€'.repeat(85)], alpha: (2n ** 128n - 1n).toString() },
    { ...SYN, keyIds: hexIds(COUNT_MAX), alpha: '0' },
    { type: 'NAK', code: 'protocol', reason: '' },
    { ...NAK, reason: 'x'.repeat(REASON_MAX) },
  ])('may be at its bounds', (message) => {
    expect(flawOf(JSON.stringify(message))).toBeUndefined();
  });
});

describe('a frame that is no message', () => {
  test.each([
    ['', 'a frame that is not JSON'],
    ['{"type":"FIN","id":"secret', 'a frame that is not JSON'],
    ['['.repeat(10_000), 'a frame that is not JSON'],
    [`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'a frame that is not a JSON object'],
    ['null', 'a frame that is not a JSON object'],
    ['[]', 'a frame that is not a JSON object'],
    ['"FIN"', 'a frame that is not a JSON object'],
    ['7', 'a frame that is not a JSON object'],
    ['{}', 'a message of unknown type'],
    ['{"type":"fin"}', 'a message of unknown type'],
    ['{"type":["FIN"]}', 'a message of unknown type'],
    ['{"type":"__proto__"}', 'a message of unknown type'],
    ['{"type":"constructor"}', 'a message of unknown type'],
    ['{"type":"toString"}', 'a message of unknown type'],
    [`{"__proto__":{"type":"FIN","id":"${ID}"}}`, 'a message of unknown type'],
    [`{"type":"FIN","__proto__":{"id":"${ID}"}}`, 'a FIN that has no id'],
    [`{"type":"FIN","id":"${ID}","__proto__":{}}`, 'a FIN that has an unknown field __proto__'],
    [`{"type":"FIN","id":"${ID}","constructor":1}`, 'a FIN that has an unknown field constructor'],
    [`{"type":"FIN","id":"${ID}","":1}`, 'a FIN that has an unknown field '],
    [`{"type":"FIN","id":"${ID}","a\\u001b[2J\\nb":1}`, 'a FIN that has an unknown field a [2J b'],
    [
      `{"type":"FIN","id":"${ID}","${'x'.repeat(500)}":1}`,
      `a FIN that has an unknown field ${'x'.repeat(40)}…`,
    ],
  ])('%# is refused and says why', (frame, flaw) => {
    expect(flawOf(frame)).toBe(flaw);
  });

  test('is refused whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => flawOf(text) !== undefined));
  });

  test('is refused whatever the JSON, also with a type that exists', () => {
    fc.assert(fc.property(fc.json(), (text) => flawOf(text) !== undefined));
    const types = fc.constantFrom(...LEGAL.map(({ type }) => type));
    fc.assert(
      fc.property(
        types,
        fc.object({ key: fc.constantFrom('id', 'alpha', 'x', '__proto__') }),
        (type, fields) => {
          expect(flawOf(JSON.stringify({ ...fields, type }))).toMatch(/^an? [A-Z_]+ that has /);
        },
      ),
    );
  });
});

describe('a message with one flaw', () => {
  const OPTIONAL = new Set(['HELLO.want', 'NAK.id']);
  const fieldsOf = (message: Record<string, unknown>): string[] =>
    Object.keys(message).filter((name) => name !== 'type');

  test('a missing field is refused', () => {
    for (const message of LEGAL) {
      for (const field of fieldsOf(message)) {
        const frame = JSON.stringify({ ...message, [field]: undefined });
        const name = `${String(message['type'])}.${field}`;
        if (OPTIONAL.has(name)) expect([name, flawOf(frame)]).toEqual([name, undefined]);
        else expect(flawOf(frame)).toBe(`a ${String(message['type'])} that has no ${field}`);
      }
    }
  });

  test('an unknown field is refused, also inside', () => {
    for (const message of LEGAL) {
      expect(flawOf(JSON.stringify({ ...message, x: 1 }))).toBe(
        `a ${String(message['type'])} that has an unknown field x`,
      );
    }
    expect(flawOf(JSON.stringify({ ...HELLO, want: { ...WANT, x: 1 } }))).toBe(
      'a HELLO that has a wrong want',
    );
  });

  test('a value of a wrong type is refused', () => {
    const isLike = (value: unknown, other: unknown): boolean =>
      typeof value === typeof other && Array.isArray(value) === Array.isArray(other);
    const strangers = [null, true, 1, 'x', [], {}, [[]], [{}], [null], [1], { length: 1 }];
    for (const message of LEGAL) {
      for (const field of fieldsOf(message)) {
        for (const stranger of strangers) {
          if (isLike(stranger, message[field]) && field !== 'id') continue;
          expect(flawOf(JSON.stringify({ ...message, [field]: stranger }))).toBe(
            `a ${String(message['type'])} that has a wrong ${field}`,
          );
        }
      }
    }
  });

  const twice = ['a', 'b', 'a'];
  test.each<[Record<string, unknown>, string, unknown]>([
    ...[0, -1, 1.5, 1_000_001, 1e400, '1'].map((version): [typeof HELLO, string, unknown] => [
      HELLO,
      'version',
      version,
    ]),
    ...['', ' A', 'A\n', 'A\u0000', 'A\u202e', 'x'.repeat(65), '\ud800'].flatMap(
      (site): [typeof HELLO, string, unknown][] => [
        [HELLO, 'site', site],
        [HELLO, 'sae', site],
      ],
    ),
    ...[ID.toUpperCase(), ID.slice(1), `${ID}0`, `${ID}\n`, ` ${ID.slice(1)}`, ''].flatMap(
      (id): [Record<string, unknown>, string, unknown][] => [
        [HELLO, 'stateId', id],
        [STATUS, 'stateId', id],
        [STATUS, 'done', [id]],
        [SYN, 'id', id],
        [NAK, 'id', id],
      ],
    ),
    [HELLO, 'alarms', -1],
    [STATUS, 'resolved', [OTHER]],
    [STATUS, 'resolved', [{ id: OTHER }]],
    [STATUS, 'resolved', [{ id: OTHER, decision: 'forget' }]],
    [STATUS, 'resolved', [{ id: OTHER, decision: 'abort', by: 'x' }]],
    [STATUS, 'resolved', hexIds(65).map((id) => ({ id, decision: 'abort' }))],
    [HELLO, 'want', { ...WANT, count: 0 }],
    [HELLO, 'want', { ...WANT, count: COUNT_MAX + 1 }],
    [HELLO, 'want', { ...WANT, size: 7 }],
    [HELLO, 'want', { ...WANT, size: 1_048_577 }],
    [HELLO, 'want', { ...WANT, naming: 'random' }],
    [HELLO, 'want', { ...WANT, naming: ['index'] }],
    [HELLO, 'want', { ...WANT, naming: 'key-id' }],
    [HELLO, 'want', { ...WANT, index: undefined }],
    [HELLO, 'want', { ...WANT, index: -1 }],
    [HELLO, 'want', { ...WANT, index: INDEX_MAX + 1 }],
    [HELLO, 'want', [WANT]],
    [STATUS, 'inDoubt', [ID, OLD, ID]],
    [STATUS, 'inDoubt', hexIds(65)],
    [STATUS, 'done', [OLD, OLD]],
    [STATUS, 'done', hexIds(65)],
    [STATUS, 'more', 0],
    [STATUS, 'foreign', -1],
    [STATUS, 'alarms', 0.5],
    [STATUS, 'nextIndex', -1],
    [STATUS, 'ready', 'true'],
    [STATUS, 'deadlineMs', 0],
    [SYN, 'keyIds', []],
    [SYN, 'keyIds', twice],
    [SYN, 'keyIds', hexIds(COUNT_MAX + 1)],
    ...[
      '',
      'k\u0000',
      'k\n',
      '\u001b[2J',
      'k\u007f',
      'k\u009f',
      'k\u2028',
      '\ud83d',
      'x'.repeat(257),
      '€'.repeat(86),
    ].map((keyId): [typeof SYN, string, unknown] => [SYN, 'keyIds', ['ok', keyId]]),
    ...[
      '',
      '00',
      '01',
      '-1',
      '+1',
      '1.0',
      '1e2',
      '0x1',
      ' 1',
      '1 ',
      '١',
      (2n ** 128n).toString(),
      '9'.repeat(5_000),
    ].flatMap((nonce): [Record<string, unknown>, string, unknown][] => [
      [SYN, 'alpha', nonce],
      [SYN_ACK, 'alpha', nonce],
      [SYN_ACK, 'beta', nonce],
      [ACK, 'beta', nonce],
    ]),
    [NAK, 'code', 'whatever'],
    [NAK, 'code', 'toString'],
    [NAK, 'reason', 'two\nlines'],
    [NAK, 'reason', ' padded'],
    [NAK, 'reason', '\u001b[31mred'],
    [NAK, 'reason', 'x'.repeat(REASON_MAX + 1)],
  ])('%# is refused', (message, field, value) => {
    expect(flawOf(JSON.stringify({ ...message, [field]: value }))).toBe(
      `a ${String(message['type'])} that has a wrong ${field}`,
    );
  });
});

test('no legal message survives a stray field, a lost one or a foreign one', () => {
  const spoil = fc.constantFrom('drop', 'add', 'replace');
  fc.assert(
    fc.property(messages, spoil, fc.nat(), (message, how, at) => {
      const fields: [string, unknown][] = Object.entries(message);
      const required = fields.filter(
        ([name]) => name !== 'want' && !(message.type === 'NAK' && name === 'id'),
      );
      const [victim] = required[at % required.length] ?? [''];
      const kept = Object.fromEntries(fields.filter(([name]) => how === 'add' || name !== victim));
      const extra = how === 'drop' ? {} : how === 'add' ? { stray: 0 } : { [victim]: { toString: 'x' } };
      expect(flawOf(JSON.stringify({ ...kept, ...extra }))).toBeDefined();
    }),
  );
});
