/** `resolve`: shows what is known of an exchange, asks, and has the operator's decision carried out. */
import { hostname, userInfo, type UserInfo } from 'node:os';
import { QkdSyncError } from '../base/errors.js';
import { loadSettings } from '../config/load.js';
import type { KnownExchange, ResolveRequest } from '../exchange/resolve.js';
import { resolveHere } from '../exchange/site.js';
import { surroundingsOf, type Flags } from './exchange-commands.js';
import { exitCodeOfResolved } from './exit-code.js';
import { choicesOf } from './program.js';
import type { Report } from './report.js';
import type { Streams } from './streams.js';

type Choice = ResolveRequest['choice'];

const ID = /^[0-9a-f]{32}$/;

export async function runResolve(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const { id: named, yes, commit, abort, forget, ...settingFlags } = flags;
  const choice = choiceOf({ commit, abort, forget });
  const id = String(named);
  if (!ID.test(id)) {
    throw new QkdSyncError('usage', `'${id}' is no exchange's ID`, {
      hint: "an ID has 32 hex characters; 'qkd-sync status' lists those that are open",
    });
  }
  const { env, home, cwd } = streams;
  const settings = await loadSettings({ need: 'resolve', flags: settingFlags, env, home, cwd });

  const confirm = async (known: KnownExchange, consequence: string): Promise<boolean> => {
    report.known(known, `--${choice}: ${consequence}`, yes !== true);
    if (yes === true) return true;
    const answer = await streams.ask('type yes to do it: ');
    if (answer !== undefined) return answer.trim() === 'yes';
    throw new QkdSyncError('usage', 'nobody is there to confirm, and nothing has been changed', {
      hint: 'run it at a terminal, or with --yes',
    });
  };
  const resolved = await resolveHere(
    settings,
    { id, choice, by: whoIsThis(env), lockWaitMs: settings.lockWaitMs, confirm },
    surroundingsOf(streams, report),
  );
  report.resolved(id, choice, resolved);
  return exitCodeOfResolved(resolved);
}

/** Error: `usage`. */
function choiceOf(flags: Flags): Choice {
  const [choice, ...more] = choicesOf(flags);
  if (choice !== undefined && more.length === 0) return choice;
  throw new QkdSyncError('usage', 'say exactly one of --commit, --abort and --forget', {
    hint: 'see qkd-sync resolve --help',
  });
}

/** Who is on record as having decided: the user, the machine, and whoever became that user with sudo. */
export function whoIsThis(env: Streams['env'], user: () => UserInfo<string> = userInfo): string {
  const sudoer = env['SUDO_USER'];
  return `${nameOf(user)}${sudoer === undefined ? '' : `, sudo by ${sudoer}`} at ${hostname()}`;
}

function nameOf(user: () => UserInfo<string>): string {
  try {
    const { username, uid } = user();
    return `${username} (uid ${uid})`;
  } catch {
    // In a container there may be no such user, but for the number.
    return `uid ${process.geteuid?.() ?? '?'}`;
  }
}
