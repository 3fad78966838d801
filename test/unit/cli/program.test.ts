import { describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { parseArguments, type Request } from '../../../src/cli/program.js';
import type { Command } from '../../../src/config/setting.js';
import { flagsOf } from '../../../src/config/switch-table.js';
import { recordingStreams } from '../../support/recording-streams.js';

const EXAMPLES: Readonly<Record<Command, string>> = {
  initiate: 'qkd-sync initiate --peer B:7000',
  respond: 'qkd-sync respond --listen 7000',
  recover: 'qkd-sync recover --peer B:7000',
  status: 'qkd-sync status --json',
  resolve: 'qkd-sync resolve 0123456789abcdef0123456789abcdef --abort',
  formats: 'qkd-sync formats',
  doctor: 'qkd-sync doctor --peer B',
  kme: 'qkd-sync kme --dir /tmp/try-qkd',
  demo: 'qkd-sync demo',
};
const COMMANDS = Object.keys(EXAMPLES) as Command[];

function helpFor(...argv: string[]): string {
  const streams = recordingStreams(argv);
  expect(parseArguments(streams)).toEqual({ command: undefined });
  expect(streams.said.stderr()).toBe('');
  return streams.said.stdout();
}

const parse = (...argv: string[]): Request => parseArguments(recordingStreams(argv));

function mistake(...argv: string[]): QkdSyncError {
  const streams = recordingStreams(argv);
  let thrown: unknown;
  try {
    parseArguments(streams);
  } catch (error) {
    thrown = error;
  }
  // It is the caller who says what is wrong, once.
  expect(streams.said.stdout() + streams.said.stderr()).toBe('');
  if (!(thrown instanceof QkdSyncError)) throw new Error(`not refused: ${argv.join(' ')}`);
  return thrown;
}

describe('help', () => {
  it.each(COMMANDS)('of %s ends with its example', (command) => {
    for (const help of [helpFor(command, '--help'), helpFor(command, '-h'), helpFor('help', command)]) {
      expect(help).toMatch(new RegExp(`^Usage: qkd-sync ${command} `));
      expect(help.endsWith(`\nExample:\n  ${EXAMPLES[command]}\n`)).toBe(true);
    }
  });

  it.each(COMMANDS)('of %s has the flag of every setting, with what it is for', (command) => {
    // commander breaks lines where it likes.
    const help = helpFor(command, '--help').replace(/\s+/g, ' ');
    const flags = flagsOf(command);
    expect(flags.length).toBeGreaterThan(0);
    for (const { flag, help: what } of flags) expect(help).toContain(`${flag} ${what}`);
  });

  it.each(COMMANDS)('of %s has an example that %s itself understands', (command) => {
    const [, ...argv] = EXAMPLES[command].split(' ');
    expect(parse(...argv)).toMatchObject({ command });
  });

  it('of the whole names every command', () => {
    const help = helpFor();
    expect(helpFor('--help')).toBe(help);
    for (const command of COMMANDS) expect(help).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(help.endsWith('\nExample:\n  qkd-sync demo\n')).toBe(true);
  });

  it('tells the version', () => {
    expect(helpFor('--version')).toBe('1.2.3\n');
    expect(helpFor('-V')).toBe('1.2.3\n');
  });
});

describe('arguments', () => {
  it('are given by the keys of their settings', () => {
    expect(
      parse('initiate', '--peer', 'B', '--kme-wait', '1s', '--ack-timeout=2s', '-q', '--ca', 'x.pem'),
    ).toEqual({
      command: 'initiate',
      flags: {
        peer: 'B',
        'kme.wait': '1s',
        'exchange.ackTimeout': '2s',
        quiet: true,
        'channel.ca': 'x.pem',
      },
    });
    expect(parse('kme', '--dir', 'd', '--listen', '1,2')).toEqual({
      command: 'kme',
      flags: { dir: 'd', ports: '1,2' },
    });
    expect(parse('demo', '--keep')).toEqual({ command: 'demo', flags: { keep: true } });
  });

  it('leave out what was not given, so that variables and the file count', () => {
    expect(parse('respond')).toEqual({ command: 'respond', flags: {} });
  });
});

describe('a mistake', () => {
  it.each([
    [
      ['initiate', '--cuont', '2'],
      "unknown option '--cuont'",
      'did you mean --count? See qkd-sync initiate --help',
    ],
    [['initiate', '--xyzzy'], "unknown option '--xyzzy'", 'see qkd-sync initiate --help'],
    [['--xyzzy'], "unknown option '--xyzzy'", 'see qkd-sync --help'],
    [['inititae'], "unknown command 'inititae'", 'did you mean initiate? See qkd-sync --help'],
    [
      ['initiate', '--kme-xy', 'a.pem'],
      "unknown option '--kme-xy'",
      'did you mean one of --kme-ca, --kme-key? See qkd-sync initiate --help',
    ],
    [['help', 'nosuch'], "unknown command 'nosuch'", 'see qkd-sync --help'],
    [['status', '--serve'], "unknown option '--serve'", 'see qkd-sync status --help'],
    [
      ['initiate', '--peer'],
      "option '--peer <host[:port]>' argument missing",
      'see qkd-sync initiate --help',
    ],
    [
      ['recover', 'B'],
      "too many arguments for 'recover'. Expected 0 arguments but got 1.",
      'see qkd-sync recover --help',
    ],
  ])('%j is a usage error with a hint', (argv, message, hint) => {
    const error = mistake(...argv);
    expect({ code: error.code, hint: error.hint }).toEqual({ code: 'usage', hint });
    expect(error.message).toBe(message);
  });
});
