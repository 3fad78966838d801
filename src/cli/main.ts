/**
 * The command: arguments and streams in, exit code out. Nothing is thrown; what goes wrong is said on stderr.
 */
import { QkdSyncError } from '../base/errors.js';
import { EXIT, exitCodeOfError } from './exit-code.js';
import type { Flags } from './exchange-commands.js';
import { parseArguments, type Request } from './program.js';
import { PLAIN, Report, type ReportOptions } from './report.js';
import type { Streams } from './streams.js';

type CommandName = Exclude<Request['command'], undefined>;
type Run = (streams: Streams, flags: Flags, report: Report) => Promise<number>;

/** Each command is loaded when it is called for: `status` need not wait for what only `kme` needs. */
const COMMANDS: Readonly<Record<CommandName, () => Promise<Run>>> = {
  initiate: async () => (await import('./exchange-commands.js')).runInitiate,
  respond: async () => (await import('./exchange-commands.js')).runRespond,
  recover: async () => (await import('./exchange-commands.js')).runRecover,
  status: async () => (await import('./exchange-commands.js')).runStatus,
  resolve: async () => (await import('./resolve-command.js')).runResolve,
  formats: async () => (await import('./formats-command.js')).runFormats,
  doctor: async () => (await import('./doctor-command.js')).runDoctor,
  kme: async () => (await import('./kme-command.js')).runKme,
  demo: async () => (await import('./demo-command.js')).runDemo,
};

export async function main(streams: Streams): Promise<number> {
  // The flags that say how to report may themselves be what is wrong.
  let report = new Report(streams, glimpsedOptions(streams.argv));
  let request = glimpsedRequest(streams.argv);
  try {
    request = parseArguments(streams);
    if (request.command === undefined) return EXIT.done;
    report = new Report(streams, optionsOf(request.flags));
    const run = await COMMANDS[request.command]();
    return await run(streams, request.flags, report);
  } catch (error) {
    if (error instanceof QkdSyncError) {
      report.failure(error, request);
      return exitCodeOfError(error.code);
    }
    report.bug(error, request);
    return EXIT.software;
  }
}

function glimpsedRequest([word]: readonly string[]): Request {
  const command = (Object.keys(COMMANDS) as CommandName[]).find((name) => name === word);
  return command === undefined ? { command } : { command, flags: {} };
}

/** What can be told of the form of the output before the arguments have been understood. */
function glimpsedOptions(argv: readonly string[]): ReportOptions {
  const wantsJsonLog = /(^| )--log-format[ =]json( |$)/.test(argv.join(' '));
  return { ...PLAIN, json: argv.includes('--json'), ...(wantsJsonLog && { logFormat: 'json' }) };
}

/** Error: `usage`. */
function optionsOf(flags: Flags): ReportOptions {
  const logFormat = flags['logFormat'] ?? 'human';
  if (logFormat !== 'human' && logFormat !== 'json') {
    throw new QkdSyncError('usage', '--log-format: expected human or json');
  }
  const is = (key: string): boolean => flags[key] === true;
  return { quiet: is('quiet'), verbose: is('verbose'), json: is('json'), logFormat };
}
