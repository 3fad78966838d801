/** The command line's grammar, by commander: which commands and flags there are, made from the table of settings. */
import { Command, CommanderError, Option } from 'commander';
import { QkdSyncError } from '../base/errors.js';
import { helpOf, type Command as CommandName } from '../config/setting.js';
import { flagsOf } from '../config/switch-table.js';
import type { ResolveRequest } from '../exchange/resolve.js';
import type { Streams } from './streams.js';

/** What was asked for: a command with its flags by setting key, or nothing more than help or the version. */
export type Request =
  | { readonly command: CommandName; readonly flags: Readonly<Record<string, unknown>> }
  | { readonly command: undefined };

interface Description {
  readonly summary: string;
  readonly text: string;
  readonly example: string;
  /** What must follow the command's name. */
  readonly argument?: readonly [key: string, name: string, help: string];
  /** Flags that are no settings. */
  readonly options?: readonly (readonly [key: string, flag: string, help: string])[];
}

const DESCRIPTIONS: Readonly<Record<CommandName, Description>> = {
  initiate: {
    summary: 'start one exchange with a peer',
    text: 'Settles what earlier runs left open, then gets one set of keys to both sites, or to neither.',
    example: 'qkd-sync initiate --peer B:7000',
  },
  respond: {
    summary: 'answer one exchange',
    text: 'Waits for the peer, settles what earlier runs left open, and answers one exchange.',
    example: 'qkd-sync respond --listen 7000',
  },
  recover: {
    summary: 'settle what is open, draw no key',
    text: 'Where initiate runs: tells the peer what was decided, and finishes what is open on both sites.',
    example: 'qkd-sync recover --peer B:7000',
  },
  status: {
    summary: 'what is saved, open and in doubt here',
    text: 'Reads the records of this site and changes nothing. Shows the hooks that wait, too.',
    example: 'qkd-sync status --json',
  },
  resolve: {
    summary: 'decide an exchange whose peer is lost for good',
    text: 'Shows what is known of the exchange, asks, and does what you decide. Who decided what and when is written down.',
    example: 'qkd-sync resolve 0123456789abcdef0123456789abcdef --abort',
    argument: ['id', '<id>', "the exchange's ID, as 'qkd-sync status' shows it"],
    options: [
      ['commit', '--commit', 'save the key file here'],
      ['abort', '--abort', 'destroy the key here'],
      [
        'forget',
        '--forget',
        'remove the record of an exchange that is in alarm, or that was resolved before',
      ],
      ['yes', '--yes', 'do not ask'],
    ],
  },
  formats: {
    summary: 'what key files look like, and who reads them',
    text: 'Explains each format of key files with an example, and names programs that read it.',
    example: 'qkd-sync formats',
  },
  doctor: {
    summary: 'look at everything that an exchange needs here',
    text: 'Looks at the configuration, the way to the KME, its certificate and answers, and what the key router of qkd-net would read. Changes nothing, and takes no key unless told to.',
    example: 'qkd-sync doctor --peer B',
  },
  kme: {
    summary: 'an ETSI 014 KME pair to try things with',
    text: 'Runs two KMEs over one key store on this machine, with certificates and configuration files for two sites.',
    example: 'qkd-sync kme --dir /tmp/try-qkd',
    options: [
      ['dir', '--dir <folder>', 'where certificates, configuration, keys and records of both sites go'],
      ['ports', '--listen <portA,portB>', 'where the KMEs of site A and B listen (default: 8441,8442)'],
      [
        'dialect',
        '--dialect <name[,name]>',
        "how the KMEs deviate from the standard: A's and B's, or one name for both; a+b combines two",
      ],
      ['dialects', '--dialects', 'list the dialects, and do nothing else'],
    ],
  },
  demo: {
    summary: 'a whole exchange on this machine, nothing to configure',
    text: 'Runs a KME pair and both roles in a temporary folder and compares the two key files.',
    example: 'qkd-sync demo',
    options: [['keep', '--keep', 'leave the folder']],
  },
};

const COMMANDS = Object.keys(DESCRIPTIONS) as CommandName[];

/** Reads the arguments. Error: `usage`. */
export function parseArguments({ argv, version, stdout }: Streams): Request {
  let request: Request = { command: undefined };
  const program = new Command('qkd-sync')
    .description('Gets one set of QKD keys to both ends of a link, or to neither.')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'explain a command')
    .showSuggestionAfterError(true)
    .addHelpText('after', '\nExample:\n  qkd-sync demo');
  for (const name of COMMANDS) {
    addCommand(program, name, (flags) => {
      request = { command: name, flags };
    });
  }
  const all = [program, ...program.commands];
  for (const command of all) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: () => undefined });
  }
  if (argv.length === 0) {
    program.outputHelp();
    return request;
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error, argv);
  }
  return request;
}

/** What `resolve` is told to do: one choice, where nothing is wrong. */
export function choicesOf(flags: Readonly<Record<string, unknown>>): ResolveRequest['choice'][] {
  return (['commit', 'abort', 'forget'] as const).filter((choice) => flags[choice] === true);
}

function addCommand(
  program: Command,
  name: CommandName,
  take: (flags: Readonly<Record<string, unknown>>) => void,
): void {
  const { summary, text, example, argument, options = [] } = DESCRIPTIONS[name];
  const command = program
    .command(name)
    .summary(summary)
    .description(text)
    .allowExcessArguments(false)
    .addHelpText('after', `\nExample:\n  ${example}`);
  const keys = new Map<string, string>();
  const add = (key: string, option: Option): void => {
    keys.set(option.attributeName(), key);
    command.addOption(option);
  };
  for (const [key, flag, help] of options) add(key, new Option(flag, help));
  for (const setting of flagsOf(name)) add(setting.key, new Option(setting.flag, helpOf(setting)));
  if (argument !== undefined) command.argument(argument[1], argument[2]);
  command.action(() => {
    const values = Object.entries(command.opts()).map(([attribute, value]: [string, unknown]) => {
      return [keys.get(attribute) ?? attribute, value];
    });
    take({
      ...(Object.fromEntries(values) as Readonly<Record<string, unknown>>),
      ...(argument && { [argument[0]]: command.args[0] }),
    });
  });
}

function usageError(error: CommanderError, argv: readonly string[]): QkdSyncError {
  // `help` of something that is no command has nothing to say for itself.
  const text = error.code === 'commander.help' ? `unknown command '${argv.at(-1) ?? ''}'` : error.message;
  const [message = '', ...suggestion] = text.replace(/^error: /, '').split('\n');
  const command = COMMANDS.find((name) => argv.includes(name));
  const help = command === undefined ? 'qkd-sync --help' : `qkd-sync ${command} --help`;
  const meant = suggestion.join(' ').replace(/^\(Did you mean (.*)\)$/, 'did you mean $1');
  const hint = meant === '' ? `see ${help}` : `${meant} See ${help}`;
  return new QkdSyncError('usage', message, { hint });
}
