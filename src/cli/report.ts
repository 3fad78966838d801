/**
 * Everything that the command line says: data on stdout, talk on stderr. The only place that knows colours.
 *
 * Key bytes cannot come here: nothing that this file is given holds any.
 */
import chalk, { Chalk, chalkStderr, type ChalkInstance } from 'chalk';
import { formatDuration } from '../base/duration.js';
import { clean, describe, type QkdSyncError } from '../base/errors.js';
import { KEY_ID_MAX_BYTES } from '../base/key.js';
import type { Log, LogFields, LogLevel } from '../base/log.js';
import type { Finding } from '../doctor/finding.js';
import type { OpenExchange, RunReport, UnreadPeer } from '../exchange/outcome.js';
import type { KnownExchange, ResolveRequest } from '../exchange/resolve.js';
import type { Resolved } from '../exchange/site.js';
import type { SiteStatus } from '../exchange/status.js';
import { EXIT, exitCodeOf, exitCodeOfFindings } from './exit-code.js';
import { findingLines, type Paint } from './finding-lines.js';
import { errorObject, failedObject, hookObject, runObject, unreadObject } from './report-object.js';
import type { Request } from './program.js';
import { MEANING, statusLines } from './status-lines.js';
import type { Streams } from './streams.js';

export interface ReportOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly logFormat: 'human' | 'json';
  readonly json: boolean;
}

export const PLAIN: ReportOptions = { quiet: false, verbose: false, logFormat: 'human', json: false };

export class Report {
  readonly #streams: Streams;
  readonly #options: ReportOptions;
  readonly #chalk: ChalkInstance;
  #lastSaid: string | undefined;

  constructor(streams: Streams, options: ReportOptions) {
    this.#streams = streams;
    this.#options = options;
    this.#chalk = new Chalk({ level: streams.stderr.isTTY === true ? chalkStderr.level : 0 });
  }

  readonly log: Log = (level, event, message, fields = {}) => {
    if (this.#isWanted(level)) this.#talk(level, event, message, fields);
  };

  /** Whether what goes to stderr is for somebody who watches. */
  get isForPeople(): boolean {
    const { quiet, logFormat } = this.#options;
    return !quiet && logFormat === 'human';
  }

  /** One line of data. */
  data(line: string): void {
    this.#streams.stdout.write(`${line}\n`);
  }

  /** A key file is in place. */
  file(path: string): void {
    if (!this.#options.json) this.data(path);
  }

  /** How a run ended. */
  run(report: RunReport, durationMs: number): void {
    const { open, peerAlarms, foreign, unread, error, exchange, outcome } = report;
    for (const one of open) this.#open(one);
    for (const one of unread) this.#unread(one);
    if (peerAlarms > 0) {
      this.log(
        'error',
        'peer-alarm',
        `${report.peer ?? 'the peers'}: ${exchanges(peerAlarms)} open there that only an operator there can settle`,
        { peerAlarms, hint: "look at 'qkd-sync status' there, and at docs/operations.md, Alarms" },
      );
    }
    if (foreign > 0) {
      this.log(
        'error',
        'foreign',
        `${exchanges(foreign)} open here that only an operator here can settle, made with another state folder of ${report.peer ?? 'a peer'}`,
        { foreign, hint: "look at 'qkd-sync status' here, and at docs/operations.md, Alarms" },
      );
    }
    if (error !== undefined && exitCodeOf(report) !== 0) this.error(error);
    if (outcome === 'saved' && exchange !== undefined) {
      const keys = exchange.keyIds.length === 1 ? '1 key' : `${exchange.keyIds.length} keys`;
      this.log(
        'info',
        'saved',
        `both sites have saved ${exchange.name} (${keys}) in ${formatDuration(durationMs)}`,
        {
          exchange: exchange.id,
          keys: exchange.keyIds.length,
          durationMs: Math.round(durationMs),
        },
      );
    }
    if (outcome === 'settled') this.log('info', 'settled', 'nothing is open with the peer');
    if (this.#options.json) this.data(JSON.stringify(runObject(report, durationMs)));
  }

  /** What went wrong, and apart from it what to do. */
  error({ code, message, hint }: QkdSyncError): void {
    // What ends a run may be what its last contact has failed by, which was said as it happened.
    const isSaid = message === this.#lastSaid;
    this.#talk('error', code, message, { hint }, isSaid);
  }

  /** A run that failed before there was anything to report on. */
  failure(error: QkdSyncError, request: Request): void {
    this.error(error);
    if (this.#options.json) this.data(JSON.stringify(failedObject(request, 'aborted', errorObject(error))));
  }

  /** An error that nobody foresaw. Its stack names files and functions, never values. */
  bug(error: unknown, request: Request): void {
    const stack =
      error instanceof Error
        ? (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
        : [];
    this.#talk('error', 'bug', `this is a bug in qkd-sync: ${describe(error)}`, {
      hint: "nothing is lost: 'qkd-sync status' tells what is open; please report this with the lines below",
      stack: stack.map((line) => line.trim()),
    });
    if (this.#options.logFormat === 'human')
      for (const line of stack) this.#streams.stderr.write(`${line}\n`);
    const object = { code: 'bug', exit: EXIT.software, message: describe(error) };
    if (this.#options.json) this.data(JSON.stringify(failedObject(request, null, object)));
  }

  /**
   * What an operator must know of an exchange before deciding it.
   * @param isAsked the operator is about to be asked, and must see it even where he wants to hear little
   */
  known(known: KnownExchange, consequence: string, isAsked: boolean): void {
    const { id, peer, role, state, published, alarm, resolution, file } = known;
    const say = (event: string, message: string, fields: LogFields = {}): void => {
      if (isAsked) this.#talk('warn', event, message, fields);
      else this.log('warn', event, message, fields);
    };
    const marks = [state, published ? 'published' : undefined, alarm && `in alarm: ${alarm}`, resolution];
    const how = marks.filter((mark) => mark !== undefined).join(', ');
    say('known', `exchange ${id} with peer ${peer}, ${role} here: ${how}`, { exchange: id });
    if (file !== undefined) {
      const made = new Date(file.time).toISOString();
      say('known', `file ${file.name}, made ${made}, key IDs ${listed(file.keyIds)}`);
    }
    say('consequence', consequence);
  }

  /** What has become of an exchange that an operator has decided. */
  resolved(
    id: string,
    choice: ResolveRequest['choice'],
    { after, unfinished, hooks, others, unread }: Resolved,
  ): void {
    const { state = null, alarm = null } = after ?? {};
    if (unfinished === undefined) {
      const now = state === null ? 'no record is left' : `its record is ${state}`;
      this.log('info', 'resolved', `exchange ${id} resolved with --${choice}: ${now}`, {
        exchange: id,
        choice,
      });
    } else {
      const key = choice === 'commit' ? 'its key file may not be in place' : 'its key may not be destroyed';
      const text = `exchange ${id} is decided with --${choice}, and ${key} yet: the next run goes on`;
      this.log('error', 'unfinished', text, { exchange: id, choice });
      this.error(unfinished);
    }
    if (alarm !== null) this.log('error', 'alarm', `exchange ${id} is in alarm: ${alarm}`, { exchange: id });
    for (const other of others) this.#open(other);
    for (const one of unread) this.#unread(one);
    if (this.#options.json) {
      const object = { exchange: id, choice, state, alarm, hooks: hooks.map(hookObject), open: others };
      const more = { unread: unread.map(unreadObject), error: unfinished && errorObject(unfinished) };
      this.data(JSON.stringify({ ...object, ...more }));
    }
  }

  status(status: SiteStatus): void {
    for (const one of status.unread) this.#unread(one);
    const object = { ...status, unread: status.unread.map(unreadObject) };
    const lines = this.#options.json ? [JSON.stringify(object)] : statusLines(status);
    for (const line of lines) this.data(line);
  }

  /** What `doctor` has found. */
  findings(findings: readonly Finding[]): void {
    if (this.#options.json) {
      this.data(JSON.stringify({ exit: exitCodeOfFindings(findings), findings }));
      return;
    }
    const { stdout } = this.#streams;
    const { green, yellow, red, dim } = new Chalk({ level: stdout.isTTY === true ? chalk.level : 0 });
    const paint: Paint = { ok: green, warning: yellow, failed: red, skipped: dim };
    for (const line of findingLines(findings, paint)) this.data(line);
  }

  #open({ id, peer, role, standing, name, reason }: OpenExchange): void {
    const why = reason === undefined ? '' : ` (${reason})`;
    const level = standing === 'alarm' ? 'error' : 'warn';
    this.#talk(
      level,
      standing,
      `exchange ${id} with ${peer} (file ${name ?? '?'}) is ${MEANING[standing]}${why}`,
      {
        exchange: id,
        peer,
        role,
        reason,
      },
    );
  }

  #unread({ peer, error: { message, hint } }: UnreadPeer): void {
    const whose = peer === undefined ? 'any peer' : `peer ${peer}`;
    this.log('error', 'unread', `cannot read the records of ${whose}: ${message}`, { peer, hint });
  }

  #isWanted(level: LogLevel): boolean {
    const { quiet, verbose } = this.#options;
    if (level === 'step') return verbose;
    return level === 'error' || !quiet || verbose;
  }

  /** @param isSaid people have just read the message: they are told the hint alone */
  #talk(level: LogLevel, event: string, message: string, fields: LogFields, isSaid = false): void {
    const { stderr } = this.#streams;
    if (this.#options.logFormat === 'json') {
      const time = new Date().toISOString();
      stderr.write(`${JSON.stringify({ time, level, event, message, ...fields })}\n`);
      return;
    }
    const paint = { error: this.#chalk.red, warn: this.#chalk.yellow, info: String, step: this.#chalk.dim }[
      level
    ];
    if (!isSaid) for (const line of message.split('\n')) stderr.write(`qkd-sync: ${paint(line)}\n`);
    this.#lastSaid = message;
    const { hint } = fields;
    if (typeof hint === 'string') stderr.write(`${this.#chalk.bold('hint:')} ${hint}\n`);
  }
}

const exchanges = (count: number): string => (count === 1 ? '1 exchange' : `${count} exchanges`);

/** The first few of a list, which a KME or the peer may have named to disguise others. */
function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, 3)
    .map((name) => clean(name, KEY_ID_MAX_BYTES))
    .join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
