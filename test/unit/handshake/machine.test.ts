import { expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { endingError, misplaced, outOfTurn } from '../../../src/handshake/machine.js';
import { errorOf, ID } from '../../support/handshake-talk.js';

const LOST = new QkdSyncError('peer-lost', 'the connection broke');

test.each([
  [{ on: 'closed', error: LOST } as const, ['peer-lost', 'the connection broke']],
  [{ on: 'closed', error: undefined } as const, ['peer-lost', 'the peer closed the connection']],
  [{ on: 'timeout' } as const, ['peer-lost', 'silence']],
  [
    { on: 'malformed', reason: 'a frame that is not JSON' } as const,
    ['protocol', 'the peer sent a frame that is not JSON'],
  ],
  [{ on: 'interrupted' } as const, ['interrupted', 'interrupted']],
  [{ on: 'failed', error: LOST } as const, ['peer-lost', 'the connection broke']],
])('%j ends a conversation with its error', (event, error) => {
  expect(errorOf(endingError(event, 'silence'))).toEqual(error);
});

test('a message out of turn breaks the protocol', () => {
  expect(errorOf(outOfTurn({ type: 'FIN', id: ID }))).toEqual(['protocol', 'the peer sent FIN out of turn']);
});

test('an event out of place is a bug, not an error of the peer', () => {
  const bug = misplaced('drawn', 'greeting');
  expect(bug).not.toBeInstanceOf(QkdSyncError);
  expect(bug.message).toBe("the handshake cannot take 'drawn' while 'greeting'");
});
