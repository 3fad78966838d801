/** Settings from variables, `QKD_SYNC_*`. An empty variable counts as unset. */
import { clean } from '../base/errors.js';
import { nearest } from './nearest.js';
import type { Problems } from './problems.js';
import type { Layer, Raw } from './raw.js';
import { VARIABLE_PREFIX, variableName } from './setting.js';
import { SETTINGS } from './settings-table.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names the configuration file; see file.ts. */
export const CONFIG_VARIABLE = `${VARIABLE_PREFIX}CONFIG`;

/** What hooks are told by; a hook may run qkd-sync. */
const HOOK_PREFIX = `${VARIABLE_PREFIX}HOOK_`;

/** What the variables say; a variable that is none of ours but looks so is a problem. */
export function readEnvironment(env: Environment, cwd: string, problems: Problems): Layer {
  const keys = new Map(Object.values(SETTINGS).map(({ key }) => [variableName(key), key]));
  const layer = new Map<string, Raw>();
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '' || !name.startsWith(VARIABLE_PREFIX)) continue;
    if (name === CONFIG_VARIABLE || name.startsWith(HOOK_PREFIX)) continue;
    const key = keys.get(name);
    if (key !== undefined) {
      layer.set(key, { text, origin: { kind: 'environment', subject: name, folder: cwd } });
      continue;
    }
    const near = nearest(
      name.slice(VARIABLE_PREFIX.length),
      [...keys.keys(), CONFIG_VARIABLE].map(withoutPrefix),
    );
    const meant =
      near === undefined ? 'no setting has that variable' : `did you mean ${VARIABLE_PREFIX}${near}?`;
    problems.add('config', `${clean(name, 80)} is not known: ${meant}`);
  }
  return layer;
}

function withoutPrefix(name: string): string {
  return name.slice(VARIABLE_PREFIX.length);
}
