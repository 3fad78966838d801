/** Exit codes: what is true of the key file when the process ends (docs/operations.md). */
import type { ErrorCode } from '../base/errors.js';
import { worstFault, type Fault, type Finding } from '../doctor/finding.js';
import { hasFailed } from '../exchange/hook.js';
import { worst, type OpenExchange, type RunReport, type Standing } from '../exchange/outcome.js';
import type { Resolved } from '../exchange/site.js';

export const EXIT = {
  done: 0,
  unconfirmed: 10,
  inDoubt: 11,
  hookFailed: 12,
  alarm: 13,
  pending: 14,
  usage: 64,
  dataError: 65,
  unavailable: 69,
  software: 70,
  ioError: 74,
  tryAgain: 75,
  protocol: 76,
  noPermission: 77,
  config: 78,
  interrupted: 130,
} as const;

const STANDING_CODES: Readonly<Record<Standing, number>> = {
  alarm: EXIT.alarm,
  pending: EXIT.pending,
  'in-doubt': EXIT.inDoubt,
  unconfirmed: EXIT.unconfirmed,
};

const ERROR_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  role: EXIT.usage,
  'kme-answer': EXIT.dataError,
  'kme-unreachable': EXIT.unavailable,
  'kme-refused': EXIT.noPermission,
  'kme-empty': EXIT.tryAgain,
  'peer-unreachable': EXIT.unavailable,
  'peer-lost': EXIT.unavailable,
  'peer-refused': EXIT.noPermission,
  'peer-aborted': EXIT.tryAgain,
  protocol: EXIT.protocol,
  disagreement: EXIT.config,
  storage: EXIT.ioError,
  'name-taken': EXIT.ioError,
  suspect: EXIT.ioError,
  busy: EXIT.tryAgain,
  timeout: EXIT.tryAgain,
  interrupted: EXIT.interrupted,
  alarm: EXIT.alarm,
  config: EXIT.config,
};

export function exitCodeOfError(code: ErrorCode): number {
  return ERROR_CODES[code];
}

/** What is open makes success less than that, and changes no other code. */
export function exitCodeOfOpen(open: readonly OpenExchange[]): number {
  const standing = worst(open);
  return standing === undefined ? EXIT.done : STANDING_CODES[standing];
}

export function exitCodeOf(report: RunReport): number {
  const code = exitCodeOfOutcome(report);
  const isSaved = code === EXIT.done || code === EXIT.unconfirmed;
  return isSaved && report.hooks.some(({ end }) => hasFailed(end)) ? EXIT.hookFailed : code;
}

function exitCodeOfOutcome(report: RunReport): number {
  const { outcome, open, peerAlarms, foreign, unread, error } = report;
  switch (outcome) {
    case 'saved':
    case 'settled':
      return peerAlarms > 0 || foreign > 0 || unread.length > 0 ? EXIT.alarm : exitCodeOfOpen(open);
    case 'aborted':
      return error === undefined ? EXIT.tryAgain : exitCodeOfError(error.code);
    case 'alarm':
    case 'pending':
    case 'in-doubt':
    case 'unconfirmed':
      return STANDING_CODES[outcome];
  }
}

/** What `resolve` ends with once the choice stands. That it has yet to be carried out hides behind nothing. */
export function exitCodeOfResolved({ after, unfinished, hooks, others, unread }: Resolved): number {
  if (unfinished !== undefined || after?.standing === 'pending') return EXIT.pending;
  if (others.length + unread.length > 0 || after?.standing === 'alarm') return EXIT.alarm;
  return hooks.some(({ end }) => hasFailed(end)) ? EXIT.hookFailed : EXIT.done;
}

const FAULT_CODES: Readonly<Record<Fault, number>> = {
  configuration: EXIT.config,
  unreachable: EXIT.unavailable,
  refused: EXIT.noPermission,
};

/** What `doctor` ends with: warnings are no failure. */
export function exitCodeOfFindings(findings: readonly Finding[]): number {
  const fault = worstFault(findings);
  return fault === undefined ? EXIT.done : FAULT_CODES[fault];
}
