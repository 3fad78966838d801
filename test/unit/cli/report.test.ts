import { describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { PLAIN, Report, type ReportOptions } from '../../../src/cli/report.js';
import type { HookEnd, HookRun } from '../../../src/exchange/hook.js';
import type { OpenExchange, OwnExchange, RunReport } from '../../../src/exchange/outcome.js';
import { logOf } from '../../support/cli-log.js';
import { recordingStreams } from '../../support/recording-streams.js';

const ID = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);
const ESCAPE = '\u001b[';

const OWN: OwnExchange = { id: ID, keyIds: ['k1', 'k2'], name: 'B_3', index: 3, progress: 'committed' };

const UNCONFIRMED: OpenExchange = {
  id: ID,
  peer: 'B',
  role: 'initiator',
  standing: 'unconfirmed',
  name: 'B_3',
  reason: undefined,
};

const run = (more: Partial<RunReport> = {}): RunReport => ({
  outcome: 'saved',
  role: 'initiator',
  peer: 'B',
  exchange: OWN,
  published: [],
  open: [],
  peerAlarms: 0,
  foreign: 0,
  unread: [],
  kme: 'https://kme-a:8443',
  hooks: [],
  error: undefined,
  ...more,
});

interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

function said(options: Partial<ReportOptions>, act: (report: Report) => void, isTTY = false): Said {
  const streams = recordingStreams([], isTTY);
  act(new Report(streams, { ...PLAIN, ...options }));
  return { stdout: streams.said.stdout(), stderr: streams.said.stderr() };
}

const logAll = ({ log }: Report): void => {
  log('step', 'syn-sent', 'sent SYN', { exchange: ID });
  log('info', 'listening', 'listening on port 7000', { port: 7_000 });
  log('warn', 'contact-failed', 'the peer has gone');
  log('error', 'alarm', 'records contradict each other');
};

describe('talk', () => {
  const REFUSED = new QkdSyncError('disagreement', 'refused the initiator', { hint: 'set it alike' });
  const refuse = (report: Report): void => {
    report.log('warn', 'contact-failed', REFUSED.message);
    report.run(run({ outcome: 'aborted', exchange: undefined, error: REFUSED }), 0);
  };

  it('says once what has failed last and ends the run, with the hint', () => {
    expect(said({}, refuse).stderr).toBe('qkd-sync: refused the initiator\nhint: set it alike\n');
    expect(said({ quiet: true }, refuse).stderr).toBe(
      'qkd-sync: refused the initiator\nhint: set it alike\n',
    );
  });

  it('says at the end what has failed before something else', () => {
    const { stderr } = said({}, (report) => {
      report.log('warn', 'contact-failed', REFUSED.message);
      report.log('warn', 'connection-refused', 'refused a connection');
      report.error(REFUSED);
    });
    expect(stderr.split('\n')).toEqual([
      'qkd-sync: refused the initiator',
      'qkd-sync: refused a connection',
      'qkd-sync: refused the initiator',
      'hint: set it alike',
      '',
    ]);
  });

  it('says what goes wrong at each contact again at each, even where nothing else is said', () => {
    const foreign = '2 open exchanges were made with another state folder of A';
    const { stderr } = said({ quiet: true }, (report) => {
      for (let contact = 0; contact < 2; contact += 1) {
        report.log('info', 'listening', 'not shown');
        report.log('error', 'foreign', foreign);
      }
    });
    expect(stderr).toBe(`qkd-sync: ${foreign}\nqkd-sync: ${foreign}\n`);
  });

  it('has each event for machines', () => {
    expect(logOf(said({ logFormat: 'json' }, refuse).stderr)).toMatchObject([
      { level: 'warn', event: 'contact-failed' },
      { level: 'error', event: 'disagreement', hint: 'set it alike' },
    ]);
  });

  describe('of an exchange that an operator decides', () => {
    const keyIds = ['k1', 'a\u202eb', 'c\u200bd', 'k4', 'k5'];
    const known = {
      id: ID,
      peer: 'B',
      role: 'responder',
      state: 'staged',
      standing: 'in-doubt',
      published: false,
      alarm: undefined,
      resolution: undefined,
      file: { name: 'B_3', keyIds, time: 0 },
    } as const;
    const saidOf = (quiet: boolean, isAsked: boolean): string =>
      said({ quiet }, (report) => {
        report.known(known, 'the key is destroyed', isAsked);
      }).stderr;

    it('shows its first key IDs, which cannot pose as others', () => {
      expect(saidOf(false, false)).toContain('key IDs k1, a b, c d and 2 more\n');
    });

    it('is quiet where nobody is asked, and shows everything to whom it asks', () => {
      expect(saidOf(true, false)).toBe('');
      expect(saidOf(true, true)).toBe(saidOf(false, true));
      expect(saidOf(true, true)).toContain('the key is destroyed');
    });
  });

  it('goes to stderr, one line each, without the single steps', () => {
    expect(said({}, logAll)).toEqual({
      stdout: '',
      stderr:
        'qkd-sync: listening on port 7000\nqkd-sync: the peer has gone\nqkd-sync: records contradict each other\n',
    });
  });

  it('has the single steps with --verbose, even with --quiet beside it', () => {
    const all = /^qkd-sync: sent SYN\nqkd-sync: listening on port 7000\n/;
    expect(said({ verbose: true }, logAll).stderr).toMatch(all);
    expect(said({ verbose: true, quiet: true }, logAll).stderr).toMatch(all);
  });

  it('has only errors with --quiet', () => {
    expect(said({ quiet: true }, logAll).stderr).toBe('qkd-sync: records contradict each other\n');
  });

  it('is one JSON object a line with --log-format json', () => {
    const { stdout, stderr } = said({ logFormat: 'json', verbose: true }, logAll);
    expect(stdout).toBe('');
    const [step, info, warn, error] = logOf(stderr);
    expect(step).toEqual({
      time: expect.any(String),
      level: 'step',
      event: 'syn-sent',
      message: 'sent SYN',
      exchange: ID,
    });
    expect(info).toMatchObject({ level: 'info', event: 'listening', port: 7_000 });
    expect(warn).toMatchObject({ level: 'warn', event: 'contact-failed' });
    expect(error).toMatchObject({ level: 'error', event: 'alarm' });
  });

  it('has no colour where stderr is no terminal', () => {
    const hinted = (report: Report): void => {
      logAll(report);
      report.error(new QkdSyncError('config', 'site is not set', { hint: 'set it' }));
    };
    expect(said({ verbose: true }, hinted).stderr).not.toContain(ESCAPE);
  });

  it('shows every line of an error and its hint apart, whatever --quiet says', () => {
    const error = new QkdSyncError('config', 'site is not set\nkme.url is not set', { hint: 'set them' });
    const act = (report: Report): void => {
      report.error(error);
    };
    expect(said({ quiet: true }, act).stderr).toBe(
      'qkd-sync: site is not set\nqkd-sync: kme.url is not set\nhint: set them\n',
    );
    expect(logOf(said({ logFormat: 'json' }, act).stderr)).toMatchObject([
      { level: 'error', event: 'config', message: 'site is not set\nkme.url is not set', hint: 'set them' },
    ]);
  });
});

describe('a run', () => {
  it('that is saved says so', () => {
    const { stdout, stderr } = said({}, (report) => {
      report.file('/keys/B/B_3');
      report.run(run(), 1_234);
    });
    expect(stdout).toBe('/keys/B/B_3\n');
    expect(stderr).toBe('qkd-sync: both sites have saved B_3 (2 keys) in 1.2 s\n');
  });

  it('is silent on stderr with --quiet where all is well', () => {
    const { stdout, stderr } = said({ quiet: true }, (report) => {
      report.file('/keys/B/B_3');
      report.run(run(), 5);
    });
    expect({ stdout, stderr }).toEqual({ stdout: '/keys/B/B_3\n', stderr: '' });
  });

  it('keeps what went wrong on the way of a good end to itself', () => {
    const error = new QkdSyncError('peer-lost', 'the connection broke');
    expect(
      said({}, (report) => {
        report.run(run({ error }), 5);
      }).stderr,
    ).not.toContain('broke');
  });

  it('names what is open, and why it ended', () => {
    const error = new QkdSyncError('peer-lost', 'the peer has not answered', { hint: 'run recover' });
    const { stderr } = said({ quiet: true }, (report) => {
      report.run(run({ outcome: 'unconfirmed', open: [UNCONFIRMED], error, peerAlarms: 2, foreign: 1 }), 5);
    });
    expect(stderr).toBe(
      `qkd-sync: exchange ${ID} with B (file B_3) is saved here, not yet confirmed by the peer; it settles at the next contact\n` +
        'qkd-sync: B: 2 exchanges open there that only an operator there can settle\n' +
        "hint: look at 'qkd-sync status' there, and at docs/operations.md, Alarms\n" +
        'qkd-sync: 1 exchange open here that only an operator here can settle, made with another state folder of B\n' +
        "hint: look at 'qkd-sync status' here, and at docs/operations.md, Alarms\n" +
        'qkd-sync: the peer has not answered\n' +
        'hint: run recover\n',
    );
  });

  it('prints one object with --json, the files of earlier exchanges apart, and no lines', () => {
    const earlier = {
      id: OTHER,
      role: 'responder',
      peer: 'C',
      path: '/keys/C/C_0',
      keyIds: ['k0'],
      index: undefined,
    } as const;
    const own = {
      id: ID,
      role: 'initiator',
      peer: 'B',
      path: '/keys/B/B_3',
      keyIds: ['k1', 'k2'],
      index: 3,
    } as const;
    const { stdout } = said({ json: true }, (report) => {
      report.file(earlier.path);
      report.file(own.path);
      report.run(run({ published: [earlier, own] }), 12.3);
    });
    expect(stdout.endsWith('\n')).toBe(true);
    expect(JSON.parse(stdout)).toEqual({
      outcome: 'saved',
      exchange: ID,
      role: 'initiator',
      peer: 'B',
      kme: 'https://kme-a:8443',
      keyIds: ['k1', 'k2'],
      file: '/keys/B/B_3',
      index: 3,
      durationMs: 12,
      settled: [
        { exchange: OTHER, role: 'responder', peer: 'C', keyIds: ['k0'], file: '/keys/C/C_0', index: null },
      ],
      hooks: [],
      open: [],
      peerAlarms: 0,
      foreign: 0,
      unread: [],
    });
  });

  it('prints with --json how each hook has ended', () => {
    const hook = (end: HookEnd): HookRun => ({ exchange: ID, peer: 'B', file: '/keys/B/B_3', end });
    const hooks = [
      hook({ how: 'exited', exitCode: 3 }),
      hook({ how: 'killed', signal: 'SIGSEGV' }),
      hook({ how: 'timed-out' }),
      hook({ how: 'interrupted' }),
      hook({ how: 'failed', reason: 'no' }),
    ];
    const { stdout } = said({ json: true }, (report) => {
      report.run(run({ hooks }), 1);
    });
    const common = { exchange: ID, file: '/keys/B/B_3' };
    expect(JSON.parse(stdout)).toMatchObject({
      hooks: [
        { ...common, exitCode: 3 },
        { ...common, signal: 'SIGSEGV' },
        { ...common, timedOut: true },
        { ...common, interrupted: true },
        { ...common, error: 'no' },
      ],
    });
  });

  it('prints the same object where it fails, with the error', () => {
    const error = new QkdSyncError('kme-empty', 'the KME has no keys', { hint: 'wait' });
    const { stdout } = said({ json: true }, (report) => {
      report.run(run({ outcome: 'aborted', exchange: undefined, kme: undefined, error }), 5);
    });
    expect(JSON.parse(stdout)).toEqual({
      outcome: 'aborted',
      exchange: null,
      role: 'initiator',
      peer: 'B',
      kme: null,
      keyIds: [],
      file: null,
      index: null,
      durationMs: 5,
      settled: [],
      hooks: [],
      open: [],
      peerAlarms: 0,
      foreign: 0,
      unread: [],
      error: { code: 'kme-empty', exit: 75, message: 'the KME has no keys', hint: 'wait' },
    });
  });
});

describe('a run that could not begin', () => {
  const failure = new QkdSyncError('config', 'site is not set');

  it('has the same object, and the error on stderr', () => {
    const { stdout, stderr } = said({ json: true }, (report) => {
      report.failure(failure, { command: 'respond', flags: {} });
    });
    expect(stderr).toBe('qkd-sync: site is not set\n');
    const object = JSON.parse(stdout) as object;
    expect(object).toMatchObject({
      outcome: 'aborted',
      role: 'responder',
      peer: null,
      error: { code: 'config', exit: 78, message: 'site is not set' },
    });
    const whole = said({ json: true }, (report) => {
      report.run(run({ outcome: 'aborted', error: failure }), 0);
    });
    expect(Object.keys(object).sort()).toEqual(Object.keys(JSON.parse(whole.stdout) as object).sort());
  });

  it('has the object of its own command, where that is another one', () => {
    const error = { code: 'config', exit: 78, message: 'site is not set' };
    const objectOf = (command: 'status' | 'resolve', flags: object): unknown => {
      const fail = (report: Report): void => {
        report.failure(failure, { command, flags: { ...flags } });
      };
      return JSON.parse(said({ json: true }, fail).stdout);
    };
    expect(objectOf('status', {})).toEqual({ keys: null, state: null, peers: [], unread: [], error });
    const nothing = { state: null, alarm: null, hooks: [], open: [], unread: [], error };
    const asked = objectOf('resolve', { id: ID, abort: true });
    expect(asked).toEqual({ exchange: ID, choice: 'abort', ...nothing });
    const unclear = objectOf('resolve', { id: ID, abort: true, commit: true });
    expect(unclear).toEqual({ exchange: ID, choice: null, ...nothing });
    expect(objectOf('resolve', {})).toEqual({ exchange: null, choice: null, ...nothing });
  });

  it('has nothing on stdout without --json', () => {
    expect(
      said({}, (report) => {
        report.failure(failure, { command: undefined });
      }).stdout,
    ).toBe('');
  });
});

describe('a bug', () => {
  it('is told with the places in the code, and no value but the message', () => {
    const error = new Error('cannot read "peer"');
    error.stack = 'Error: cannot read "peer"\n    at f (file.js:1:2)\nvalue: secret';
    const { stderr } = said({ quiet: true }, (report) => {
      report.bug(error, { command: undefined });
    });
    expect(stderr).toMatch(
      /^qkd-sync: this is a bug in qkd-sync: cannot read "peer"\nhint: .*\n {4}at f \(file\.js:1:2\)\n$/,
    );
  });

  it('keeps to one object a line with --log-format json', () => {
    const { stderr } = said({ logFormat: 'json' }, (report) => {
      report.bug(new TypeError('x'), { command: 'initiate', flags: {} });
    });
    expect(logOf(stderr)).toMatchObject([
      { event: 'bug', stack: expect.arrayContaining([expect.stringMatching(/^at /)]) as unknown },
    ]);
  });

  it('gives the object of --json too, without an outcome that might not be true', () => {
    const { stdout } = said({ json: true }, (report) => {
      report.bug(new TypeError('x'), { command: 'initiate', flags: {} });
    });
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: null,
      error: { code: 'bug', exit: 70, message: 'x' },
    });
  });
});

describe('status', () => {
  const empty = { keys: '/k', state: '/s', peers: [], unread: [] };

  it('shows where everything is, each peer and all that is open', () => {
    const alarm = {
      ...UNCONFIRMED,
      id: OTHER,
      standing: 'alarm',
      name: undefined,
      reason: 'contradiction',
    } as const;
    const { stdout, stderr } = said({}, (report) => {
      report.status({
        ...empty,
        peers: [
          { peer: 'B', nextIndex: 4, open: [UNCONFIRMED, alarm], givenUp: [], hooks: [], moreHooks: 0 },
          { peer: 'C', nextIndex: 0, open: [], givenUp: [], hooks: [], moreHooks: 0 },
        ],
      });
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(
      'keys   /k\nstate  /s\n' +
        'peer B: next file number 4, 2 open\n' +
        `  ${ID}  initiator  B_3  saved here, not yet confirmed by the peer; it settles at the next contact\n` +
        `  ${OTHER}  initiator  ?  in alarm: an operator must look, see docs/operations.md (contradiction)\n` +
        'peer C: next file number 0, nothing open\n',
    );
  });

  it('shows votes that an operator has aborted and that wait for the peer', () => {
    const vote = { id: ID, peer: 'B', role: 'responder', name: 'B_3' } as const;
    const peer = { peer: 'B', nextIndex: 3, open: [], givenUp: [vote], hooks: [], moreHooks: 0 };
    const { stdout } = said({}, (report) => {
      report.status({ ...empty, peers: [peer] });
    });
    expect(stdout).toContain(
      'peer B: next file number 3, nothing open\n' +
        `  ${ID}  responder  B_3  aborted by an operator here; the record stays until the peer has heard of it, or --forget\n`,
    );
  });

  it('shows each hook that waits, and how many more there are', () => {
    const hook = { exchange: ID, peer: 'B', role: 'initiator', file: '/k/B/B_3', standing: 'due' } as const;
    const early = { ...hook, exchange: OTHER, file: '/k/B/B_4', standing: 'early' } as const;
    const unreadable = { ...early, file: undefined, standing: 'unreadable' } as const;
    const act = (report: Report): void => {
      report.status({
        ...empty,
        peers: [
          { peer: 'B', nextIndex: 4, open: [], givenUp: [], hooks: [hook, early, unreadable], moreHooks: 7 },
          { peer: 'C', nextIndex: 0, open: [], givenUp: [], hooks: [hook], moreHooks: 0 },
        ],
      });
    };
    expect(said({}, act).stdout).toBe(
      'keys   /k\nstate  /s\n' +
        'peer B: next file number 4, nothing open, 10 hooks not run to their end\n' +
        `  ${ID}  initiator  /k/B/B_3  its hook waits, to be run at the next contact, or is being run\n` +
        `  ${OTHER}  initiator  /k/B/B_4  its hook waits until the file is in place\n` +
        `  ${OTHER}  initiator  ?  the note of its hook cannot be read, and it is not run: see docs/operations.md\n` +
        '  and 7 more hooks\n' +
        'peer C: next file number 0, nothing open, 1 hook not run to its end\n' +
        `  ${ID}  initiator  /k/B/B_3  its hook waits, to be run at the next contact, or is being run\n`,
    );
    expect(JSON.parse(said({ json: true }, act).stdout)).toMatchObject({
      peers: [{ hooks: [hook, early, { exchange: OTHER, standing: 'unreadable' }], moreHooks: 7 }, {}],
    });
  });

  it('names a peer whose records cannot be read among the others', () => {
    const error = new QkdSyncError('storage', 'storage failed: EIO', { hint: 'see to it' });
    const act = (report: Report): void => {
      report.status({
        ...empty,
        peers: [{ peer: 'B', nextIndex: 4, open: [], givenUp: [], hooks: [], moreHooks: 0 }],
        unread: [{ peer: 'C', error }],
      });
    };
    expect(said({}, act)).toEqual({
      stdout:
        'keys   /k\nstate  /s\npeer B: next file number 4, nothing open\npeer C: its records cannot be read\n',
      stderr: 'qkd-sync: cannot read the records of peer C: storage failed: EIO\nhint: see to it\n',
    });
    expect(JSON.parse(said({ json: true }, act).stdout)).toMatchObject({
      peers: [{ peer: 'B' }],
      unread: [{ peer: 'C', error: { code: 'storage', exit: 74, hint: 'see to it' } }],
    });
  });

  it('says so where there is nothing, and is one object with --json', () => {
    const act = (report: Report): void => {
      report.status(empty);
    };
    expect(said({}, act).stdout).toBe('keys   /k\nstate  /s\nno exchange has been made here yet\n');
    expect(JSON.parse(said({ json: true }, act).stdout)).toEqual(empty);
  });
});
