/** The arguments of `npm run test:crash`. */
import { parseArgs } from 'node:util';
import { availableParallelism } from 'node:os';

export interface Options {
  readonly full: boolean;
  /** Names of points to run instead of all. */
  readonly only: readonly string[];
  /** Only points whose name matches. */
  readonly match: RegExp | undefined;
  /** A file of what has been done, which is not done again. */
  readonly journal: string | undefined;
  /** After so long no further point is begun. */
  readonly minutes: number;
  /** A file for the result. */
  readonly json: string | undefined;
  /** How many trials run at a time. */
  readonly jobs: number;
  readonly planted: boolean;
  /** Only say which points there are. */
  readonly list: boolean;
}

export const HELP = `npm run test:crash -- [options]

  --full          every point; without it a sample that takes minutes
  --only POINT    this point alone, and all that was said; may be given several times
  --match REGEXP  only points whose name matches
  --journal FILE  keep what has been done in FILE, and do the rest
  --minutes N     begin no further point after so long
  --jobs N        how many trials run at a time (default: twice the number of processors)
  --json FILE     write the result to FILE too
  --no-planted    leave the planted bugs out
  --list          only name the points
  --help          this
`;

/** Undefined where help is asked for. Throws where the arguments make no sense. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      match: { type: 'string' },
      journal: { type: 'string' },
      minutes: { type: 'string', default: 'Infinity' },
      json: { type: 'string' },
      jobs: { type: 'string', default: String(2 * availableParallelism()) },
      'no-planted': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs ${values.jobs}: expected a number`);
  const minutes = Number(values.minutes);
  if (!(minutes >= 0)) throw new Error(`--minutes ${values.minutes}: expected a number`);
  return {
    full: values.full,
    only: values.only,
    match: values.match === undefined ? undefined : new RegExp(values.match),
    journal: values.journal,
    minutes,
    json: values.json,
    jobs,
    list: values.list,
    planted: !values['no-planted'] && values.only.length === 0 && values.match === undefined,
  };
}
