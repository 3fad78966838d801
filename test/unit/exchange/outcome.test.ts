import { describe, expect, test } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import {
  outcomeOf,
  outcomeUnread,
  standingOf,
  worst,
  type OpenExchange,
  type OwnExchange,
  type Standing,
} from '../../../src/exchange/outcome.js';
import type { SurveyedRecord } from '../../../src/store/survey.js';

const own = (progress: OwnExchange['progress']): OwnExchange => ({
  id: 'own',
  keyIds: ['k'],
  name: 'B_0',
  index: 0,
  progress,
});
const open = (standing: Standing, id = 'other'): OpenExchange => {
  return { id, peer: 'B', role: 'initiator', standing, name: 'B_0', reason: undefined };
};
const error = new QkdSyncError('peer-lost', 'gone');
const FULL = new QkdSyncError('storage', 'no room');
const ALARM = new QkdSyncError('alarm', 'an operator must look');
const MARKED = new QkdSyncError('suspect', 'marked');
const UNDURABLE = new QkdSyncError('suspect', 'failed just now', { cause: new Error('EIO') });

describe('the standing of a record', () => {
  const record = (
    role: 'initiator' | 'responder',
    state: SurveyedRecord['place']['state'],
    more: Partial<SurveyedRecord> = {},
  ): SurveyedRecord => {
    const place = { peer: 'B', role, id: 'own', state };
    return { place, exchange: undefined, published: false, alarm: undefined, resolution: undefined, ...more };
  };

  test.each([
    ['a staged one at the initiator needs nobody', record('initiator', 'staged'), undefined],
    ['a staged one at the responder is in doubt', record('responder', 'staged'), 'in-doubt'],
    ['an aborted one needs nobody', record('responder', 'aborted'), undefined],
    ['a committed one is pending', record('initiator', 'committed'), 'pending'],
    ['a published one is unconfirmed', record('initiator', 'committed', { published: true }), 'unconfirmed'],
    ['a tombstone is unconfirmed', record('responder', 'done', { published: true }), 'unconfirmed'],
    [
      'one that an operator has aborted needs nobody',
      record('responder', 'resolved', { resolution: 'abort' }),
      undefined,
    ],
    [
      'one that an operator has committed is pending',
      record('responder', 'resolved', { resolution: 'commit' }),
      'pending',
    ],
    [
      'one that an operator has had published is unconfirmed',
      record('responder', 'resolved', { resolution: 'commit', published: true }),
      'unconfirmed',
    ],
    ['a mark is an alarm', record('responder', 'done', { alarm: 'contradiction' }), 'alarm'],
  ])('%s', (_what, surveyed, standing) => {
    expect(standingOf(surveyed)).toBe(standing);
  });
});

test('the worst of several overrides', () => {
  const all = (['unconfirmed', 'in-doubt', 'pending', 'alarm'] as const).map((standing) => open(standing));
  expect(worst(all)).toBe('alarm');
  expect(worst(all.slice(0, 3))).toBe('pending');
  expect(worst(all.slice(0, 2))).toBe('in-doubt');
  expect(worst([])).toBeUndefined();
});

describe('the outcome of a run', () => {
  test.each([
    ['its record says it', own('committed'), [open('unconfirmed', 'own')], undefined, 0, 'unconfirmed'],
    ['no record is left of a committed one', own('committed'), [open('alarm')], undefined, 0, 'saved'],
    ['no record is left of one that was not', own('open'), [], error, 0, 'aborted'],
    ['no exchange, no error', undefined, [], undefined, 0, 'settled'],
    ['no exchange, something else open', undefined, [open('in-doubt')], undefined, 0, 'in-doubt'],
    ['no exchange, an operator must look', undefined, [open('in-doubt')], undefined, 1, 'alarm'],
    ['no exchange, the peer says that an operator must act', undefined, [], ALARM, 0, 'alarm'],
    ['no record is left of what the peer has committed', own('open'), [], ALARM, 0, 'alarm'],
    ['its record says it, whatever another one is refused for', own('committed'), [], ALARM, 0, 'saved'],
    ['no exchange, the disk has not taken a decision', undefined, [open('pending')], FULL, 0, 'pending'],
    ['no exchange, the disk, nothing decided', undefined, [open('in-doubt')], FULL, 0, 'aborted'],
    ['no exchange, another error than the disk', undefined, [open('pending')], error, 0, 'aborted'],
    ['no exchange, an error', undefined, [open('in-doubt')], error, 1, 'aborted'],
  ] as const)('%s', (_what, exchange, records, failure, peerAlarms, outcome) => {
    expect(outcomeOf({ exchange, peerAlarms, foreign: 0, error: failure }, records)).toBe(outcome);
  });
});

test('votes that were given to another state folder of the peer are an alarm', () => {
  const run = { exchange: undefined, peerAlarms: 0, foreign: 1, error: undefined };
  expect(outcomeOf(run, [open('in-doubt')])).toBe('alarm');
});

describe('the outcome where the records cannot be read', () => {
  const file = { id: 'own', role: 'initiator', peer: 'B', path: '/B_0', keyIds: ['k'], index: 0 } as const;

  test.each([
    ['nothing was begun', 'initiator', undefined, [], undefined, 'aborted'],
    ['an earlier run had marked them', 'responder', undefined, [], MARKED, 'aborted'],
    ['what an earlier run left could not be finished', 'responder', undefined, [], UNDURABLE, 'pending'],
    ['A had not decided', 'initiator', own('open'), [], UNDURABLE, 'aborted'],
    ['A had tried to decide', 'initiator', own('deciding'), [], error, 'pending'],
    ['B had voted', 'responder', own('open'), [], UNDURABLE, 'in-doubt'],
    ['it was decided', 'responder', own('committed'), [], error, 'pending'],
    ['it was published', 'initiator', own('committed'), [file], error, 'unconfirmed'],
  ] as const)('%s', (_what, role, exchange, published, failure, outcome) => {
    expect(outcomeUnread({ role, exchange, published, error: failure })).toBe(outcome);
  });
});
