import { describe, expect, it } from '@jest/globals';
import { QkdSyncError, type ErrorCode } from '../../../src/base/errors.js';
import {
  EXIT,
  exitCodeOf,
  exitCodeOfError,
  exitCodeOfOpen,
  exitCodeOfResolved,
} from '../../../src/cli/exit-code.js';
import type { HookEnd, HookRun } from '../../../src/exchange/hook.js';
import {
  STANDINGS,
  type OpenExchange,
  type OutcomeKind,
  type RunReport,
  type Standing,
} from '../../../src/exchange/outcome.js';
import type { KnownExchange } from '../../../src/exchange/resolve.js';
import type { Resolved } from '../../../src/exchange/site.js';

const OF_ERROR: Readonly<Record<ErrorCode, number>> = {
  usage: 64,
  role: 64,
  'kme-answer': 65,
  'kme-unreachable': 69,
  'kme-refused': 77,
  'kme-empty': 75,
  'peer-unreachable': 69,
  'peer-lost': 69,
  'peer-refused': 77,
  'peer-aborted': 75,
  protocol: 76,
  disagreement: 78,
  storage: 74,
  'name-taken': 74,
  suspect: 74,
  busy: 75,
  timeout: 75,
  interrupted: 130,
  alarm: 13,
  config: 78,
};
const ERROR_CODES = Object.keys(OF_ERROR) as ErrorCode[];

const OF_STANDING: Readonly<Record<Standing, number>> = {
  alarm: 13,
  pending: 14,
  'in-doubt': 11,
  unconfirmed: 10,
};

const hookRun = (end: HookEnd): HookRun => ({ exchange: 'e', peer: 'B', file: '/keys/B/B_0', end });

const open = (standing: Standing): OpenExchange => ({
  id: 'f'.repeat(32),
  peer: 'B',
  role: 'initiator',
  standing,
  name: 'B_0',
  reason: undefined,
});

const UNREAD = { peer: 'C', error: new QkdSyncError('storage', 'x') };

const report = (outcome: OutcomeKind, more: Partial<RunReport> = {}): RunReport => ({
  outcome,
  role: 'initiator',
  peer: 'B',
  exchange: undefined,
  published: [],
  open: [],
  peerAlarms: 0,
  foreign: 0,
  unread: [],
  kme: undefined,
  hooks: [],
  error: undefined,
  ...more,
});

it('has one number for each meaning', () => {
  expect(new Set(Object.values(EXIT)).size).toBe(Object.keys(EXIT).length);
});

it.each(ERROR_CODES)('of the error %s alone and of a run that it has aborted', (code) => {
  expect(exitCodeOfError(code)).toBe(OF_ERROR[code]);
  expect(exitCodeOf(report('aborted', { error: new QkdSyncError(code, 'x') }))).toBe(OF_ERROR[code]);
});

describe('a run', () => {
  it.each(['saved', 'settled'] as const)(
    'that is %s ends 0, whatever has gone wrong on the way',
    (outcome) => {
      expect(exitCodeOf(report(outcome))).toBe(0);
      expect(exitCodeOf(report(outcome, { error: new QkdSyncError('peer-lost', 'x') }))).toBe(0);
    },
  );

  it.each(['saved', 'settled'] as const)('that is %s is overridden by the worst that is open', (outcome) => {
    for (const [at, standing] of STANDINGS.entries()) {
      const all = STANDINGS.slice(at).reverse().map(open);
      expect(exitCodeOf(report(outcome, { open: all }))).toBe(OF_STANDING[standing]);
    }
    expect(exitCodeOf(report(outcome, { peerAlarms: 1, open: [open('unconfirmed')] }))).toBe(13);
    expect(exitCodeOf(report(outcome, { foreign: 1, open: [open('unconfirmed')] }))).toBe(13);
    expect(exitCodeOf(report(outcome, { unread: [UNREAD], open: [open('unconfirmed')] }))).toBe(13);
  });

  it.each(STANDINGS)('whose own exchange is %s says so, whatever ended it', (standing) => {
    const error = new QkdSyncError('interrupted', 'x');
    expect(exitCodeOf(report(standing, { error, open: STANDINGS.map(open) }))).toBe(OF_STANDING[standing]);
  });

  it('that was aborted for a reason of its own ends with that, whatever else is open', () => {
    const error = new QkdSyncError('kme-empty', 'x');
    expect(exitCodeOf(report('aborted', { error, open: [open('alarm')], peerAlarms: 1 }))).toBe(75);
    expect(exitCodeOf(report('aborted'))).toBe(75);
  });
});

describe('a hook', () => {
  const WELL = hookRun({ how: 'exited', exitCode: 0 });
  const FAILURES = [
    { how: 'exited', exitCode: 1 },
    { how: 'killed', signal: 'SIGKILL' },
    { how: 'timed-out' },
    { how: 'interrupted' },
    { how: 'failed', reason: 'x' },
  ] as const;

  it('that ends well changes no code', () => {
    expect(exitCodeOf(report('saved', { hooks: [WELL] }))).toBe(0);
    expect(exitCodeOf(report('unconfirmed', { hooks: [WELL] }))).toBe(10);
  });

  it.each(FAILURES)('that has failed (%j) goes before 0 and 10', (end) => {
    const hooks = [WELL, hookRun(end), WELL];
    expect(exitCodeOf(report('saved', { hooks }))).toBe(12);
    expect(exitCodeOf(report('settled', { hooks }))).toBe(12);
    expect(exitCodeOf(report('unconfirmed', { hooks }))).toBe(12);
    expect(exitCodeOf(report('saved', { hooks, open: [open('unconfirmed')] }))).toBe(12);
  });

  it.each(['alarm', 'pending', 'in-doubt'] as const)('that has failed comes after %s', (standing) => {
    const hooks = [hookRun({ how: 'timed-out' })];
    expect(exitCodeOf(report(standing, { hooks }))).toBe(OF_STANDING[standing]);
    expect(exitCodeOf(report('saved', { hooks, open: [open(standing)] }))).toBe(OF_STANDING[standing]);
  });

  it('of an earlier file that has failed leaves an error of this run its code', () => {
    const error = new QkdSyncError('kme-empty', 'x');
    expect(exitCodeOf(report('aborted', { error, hooks: [hookRun({ how: 'timed-out' })] }))).toBe(75);
  });
});

it('of what is open alone, for status', () => {
  expect(exitCodeOfOpen([])).toBe(0);
  for (const standing of STANDINGS) expect(exitCodeOfOpen([open(standing)])).toBe(OF_STANDING[standing]);
  expect(exitCodeOfOpen([open('unconfirmed'), open('in-doubt')])).toBe(11);
});

describe('the exit code of resolve', () => {
  const after = (standing: Standing | undefined): KnownExchange => ({
    id: 'x',
    peer: 'B',
    role: 'responder',
    state: 'resolved',
    standing,
    published: false,
    alarm: undefined,
    resolution: 'commit',
    file: undefined,
  });
  const done: Resolved = { after: undefined, unfinished: undefined, hooks: [], others: [], unread: [] };
  const error = new QkdSyncError('storage', 'x');
  const others = [open('alarm')];
  const hooks = [hookRun({ how: 'timed-out' })];

  it.each([
    [0, {}],
    [0, { after: after('unconfirmed') }],
    [12, { hooks }],
    [13, { others, hooks }],
    [13, { unread: [{ peer: 'C', error }] }],
    [13, { after: after('alarm') }],
    [14, { after: after('pending'), others }],
    [14, { after: after(undefined), unfinished: error, others, hooks }],
  ])('is %d: %j', (code, more) => {
    expect(exitCodeOfResolved({ ...done, ...more })).toBe(code);
  });
});
