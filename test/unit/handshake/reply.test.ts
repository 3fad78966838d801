import { expect, test } from '@jest/globals';
import { noTo, replyToAbort, replyToAck, replyToEnd } from '../../../src/handshake/reply.js';
import { ID } from '../../support/handshake-talk.js';

const nak = (code: string, reason: unknown = expect.any(String)) => ({ type: 'NAK', id: ID, code, reason });

test('a no names the exchange, the code and the reason, and nothing else', () => {
  const refusal = { code: 'storage', reason: 'disk full', secret: 'x' } as const;
  expect(noTo(ID, refusal)).toEqual(nak('storage', 'disk full'));
});

test.each([
  [replyToAck(ID, 'done'), { type: 'FIN', id: ID }],
  [replyToAck(ID, 'unknown'), { type: 'UNKNOWN', id: ID }],
  [replyToAck(ID, 'mismatch'), nak('contradiction')],
  [replyToAck(ID, 'taken'), nak('name-taken')],
  [replyToAck(ID, 'overruled'), nak('contradiction')],
  [replyToAck(ID, 'damaged'), nak('contradiction')],
])('ACK is answered with %j', (message, expected) => {
  expect(message).toEqual(expected);
});

test.each([
  [replyToAbort(ID, 'gone'), { type: 'ABORT_OK', id: ID }],
  [replyToAbort(ID, 'done'), { type: 'FIN', id: ID }],
  [replyToAbort(ID, 'taken'), nak('contradiction')],
  [replyToAbort(ID, 'foreign'), nak('foreign')],
  [replyToAbort(ID, 'overruled'), nak('contradiction')],
  [replyToAbort(ID, 'damaged'), nak('contradiction')],
])('ABORT is answered with %j', (message, expected) => {
  expect(message).toEqual(expected);
});

test.each([
  [replyToEnd(ID, 'gone'), { type: 'END_OK', id: ID }],
  [replyToEnd(ID, 'open'), nak('contradiction')],
  [replyToEnd(ID, 'foreign'), nak('foreign')],
  [replyToEnd(ID, 'damaged'), nak('contradiction')],
])('END is answered with %j', (message, expected) => {
  expect(message).toEqual(expected);
});
