/** The arguments of `npm run test:powercut`. */
import { parseArgs } from 'node:util';
import { KIND_NAMES, type KindName } from './disk.js';

export interface Options {
  readonly full: boolean;
  readonly kinds: readonly KindName[];
  /** The one cut to try: which site steps, before which of its calls. */
  readonly only: { readonly side: 'A' | 'B'; readonly at: number } | undefined;
  /** What cannot be tried here is a failure. */
  readonly require: boolean;
  readonly json: string | undefined;
}

export const HELP = `npm run test:powercut -- [options]

  --full          before every call; without it before some of them
  --fs NAME       this file system alone: ${KIND_NAMES.join(', ')}; may be given several times
  --only CUT      before this call alone, such as B:51
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
      require: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const { full, fs, only, require, json } = values;
  const kinds = KIND_NAMES.filter((kind) => fs.length === 0 || fs.includes(kind));
  if (kinds.length < fs.length) throw new Error(`--fs: expected ${KIND_NAMES.join(', ')}`);
  const [, side, at] = /^([AB]):(\d+)$/.exec(only ?? 'A:0') ?? [];
  if (side === undefined) throw new Error(`--only ${only ?? ''}: expected such as B:51`);
  const cut = only === undefined ? undefined : ({ side: side === 'A' ? 'A' : 'B', at: Number(at) } as const);
  return { full, kinds, only: cut, require, json };
}
