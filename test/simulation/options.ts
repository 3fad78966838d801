/** The arguments of `npm run simulate`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Order } from './exhaustive.js';

export interface Options {
  /** How many runs, of random scenarios or of the order. */
  readonly seeds: number | undefined;
  readonly from: number;
  readonly exhaustive: Order | undefined;
  readonly bugs: boolean;
  /** The one bug that is planted. */
  readonly bug: string | undefined;
  readonly ci: boolean;
  readonly trace: boolean;
  /** How many processes. */
  readonly jobs: number;
  /** A file for the result. */
  readonly json: string | undefined;
}

export const HELP = `npm run simulate -- [options], at least one of --seeds, --exhaustive, --bugs, --bug and --ci

  --seeds N [--from S]  random scenarios; with --exhaustive these of its runs alone
  --exhaustive ORDER    each fault at each place: one at a time (single), one while the sites settle what was
                        cut off (recovery), or two (pairs)
  --bugs                plants each bug and shows after how many seeds it is caught
  --bug NAME            plants this one alone
  --ci                  all of it in the size that a change must pass
  --trace               prints what happens, for one run in this process
  --jobs N              processes (default: one for each processor)
  --json FILE           writes the result to FILE too
  --help                this
`;

/** Undefined where help is asked for. Throws where the arguments make no sense. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      exhaustive: { type: 'string' },
      bugs: { type: 'boolean', default: false },
      bug: { type: 'string' },
      ci: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { seeds, exhaustive, bugs, bug, ci, trace, json } = values;
  if (seeds === undefined && exhaustive === undefined && bug === undefined && !bugs && !ci)
    throw new Error('nothing to be run');
  return {
    seeds: seeds === undefined ? undefined : wholeNumber('--seeds', seeds, 1),
    from: wholeNumber('--from', values.from, 0),
    exhaustive: exhaustive === undefined ? undefined : orderOf(exhaustive),
    jobs: wholeNumber('--jobs', values.jobs, 1),
    bugs,
    bug,
    ci,
    trace,
    json,
  };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`${flag} ${text}: expected a whole number, ${least} or more`);
  return number;
}

function orderOf(text: string): Order {
  if (text === 'single' || text === 'recovery' || text === 'pairs') return text;
  throw new Error(`--exhaustive ${text}: expected single, recovery or pairs`);
}
