import { expect, test } from '@jest/globals';
import { agendaOf } from '../../../src/handshake/agenda.js';
import type { Status } from '../../../src/handshake/message.js';
import { ID, OLD, OTHER, STATE_B } from '../../support/handshake-talk.js';

const status = (done: string[], inDoubt: string[], resolved: string[] = []): Status => ({
  type: 'STATUS',
  stateId: STATE_B,
  inDoubt,
  done,
  resolved: resolved.map((id) => ({ id, decision: 'commit' })),
  more: false,
  foreign: 0,
  alarms: 0,
  nextIndex: 0,
  ready: false,
  deadlineMs: 1,
});
const done = (id: string) => ({ id, kind: 'done' }) as const;
const undecided = (id: string) => ({ id, kind: 'undecided' }) as const;

test('what is done comes first, then what is in doubt, then what only this site knows of', () => {
  expect(agendaOf(status([OLD], [OTHER]), [ID], new Set())).toEqual([
    done(OLD),
    undecided(OTHER),
    undecided(ID),
  ]);
});

test('what an operator of the peer has decided is told what was decided here, whatever it was', () => {
  expect(agendaOf(status([], [OTHER], [OLD]), [ID], new Set())).toEqual([
    undecided(OTHER),
    undecided(OLD),
    undecided(ID),
  ]);
});

test('an exchange that both sites know of is taken up once', () => {
  expect(agendaOf(status([OLD], [OTHER]), [OTHER, OLD], new Set())).toEqual([done(OLD), undecided(OTHER)]);
});

test('one that the peer names as done and as in doubt is done: it is not asked to abort it afterwards', () => {
  expect(agendaOf(status([OLD], [OLD]), [], new Set())).toEqual([done(OLD)]);
});

test('what this contact has dealt with is not taken up again', () => {
  expect(agendaOf(status([OLD], [OTHER]), [ID], new Set([OLD, OTHER, ID]))).toEqual([]);
});
