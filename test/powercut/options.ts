/** The arguments of `npm run test:powercut`. */
import { parseArgs } from 'node:util';
import type { Side } from '../crash/site.js';
import { KIND_NAMES, type KindName } from './disk.js';
import { POWER_BUGS, type PowerBug } from './planted.js';

export interface Options {
  readonly full: boolean;
  readonly kinds: readonly KindName[];
  /** The cuts to try: which site steps, before which of its calls. */
  readonly only: { readonly side: Side; readonly from: number; readonly to: number } | undefined;
  /** A planted bug that is to be looked for, in the place of the planted bugs of the gate. */
  readonly bug: PowerBug | undefined;
  /** What cannot be tried here is a failure. */
  readonly require: boolean;
  readonly json: string | undefined;
}

export const HELP = `npm run test:powercut -- [options]

  --full          before every call; without it before some of them
  --fs NAME       this file system alone: ${KIND_NAMES.join(', ')}; may be given several times
  --only CUT      before this call alone, such as B:51, or these, such as B:51-60
  --bug NAME      plant this bug, and say at which cuts it shows: ${POWER_BUGS.map(({ name }) => name).join(', ')}
  --require       fail where something cannot be tried here, instead of skipping it
  --json FILE     write the result to FILE too
`;

/** Throws where the arguments make no sense. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      fs: { type: 'string', multiple: true, default: [] },
      only: { type: 'string' },
      bug: { type: 'string' },
      require: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const { full, fs, only, require, json } = values;
  const kinds = KIND_NAMES.filter((kind) => fs.length === 0 || fs.includes(kind));
  if (kinds.length < fs.length) throw new Error(`--fs: expected ${KIND_NAMES.join(', ')}`);
  const [, side, from, to = from] = /^([AB]):(\d+)(?:-(\d+))?$/.exec(only ?? 'A:0') ?? [];
  if (side === undefined) throw new Error(`--only ${only ?? ''}: expected such as B:51 or B:51-60`);
  const cuts = { side: side === 'A' ? 'A' : 'B', from: Number(from), to: Number(to) } as const;
  const bug = POWER_BUGS.find(({ name }) => name === values.bug);
  if (values.bug !== undefined && bug === undefined)
    throw new Error(`--bug ${values.bug}: there is no such bug`);
  return { full, kinds, only: only === undefined ? undefined : cuts, bug, require, json };
}
