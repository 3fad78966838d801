/** Settings from the command line, given by setting key as commander has read them. */
import type { Layer, Raw } from './raw.js';
import { flagName } from './setting.js';
import { SETTINGS } from './settings-table.js';
import { SWITCHES } from './switch-table.js';

/** By setting key (`kme.url`, `peer`): text, or true for a flag without a value; undefined where it was not given. */
export type Flags = Readonly<Record<string, unknown>>;

/** What the flags say. A key that no setting has is a bug of the caller's. */
export function readFlags(flags: Flags, cwd: string): Layer {
  const names = new Map<string, string>(
    [...Object.values(SETTINGS), ...Object.values(SWITCHES)].map(({ key, flag }) => [key, flagName(flag)]),
  );
  const layer = new Map<string, Raw>();
  for (const [key, value] of Object.entries(flags)) {
    const subject = names.get(key);
    if (subject === undefined) throw new TypeError(`no setting has the key ${key}`);
    if (value === undefined) continue;
    if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') {
      throw new TypeError(`the flag ${subject} was read as ${typeof value}`);
    }
    layer.set(key, { text: String(value), origin: { kind: 'flag', subject, folder: cwd } });
  }
  return layer;
}
