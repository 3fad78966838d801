/**
 * Reads settings out of layers, the strongest first.
 *
 * Calling sequence: `check` once, which reports every value that does not fit, in weaker layers too; then `find` and
 * `value` at will, which pass over such values silently.
 */
import type { Problems } from './problems.js';
import type { Layer, Origin, Raw } from './raw.js';
import { flagName, variableName } from './setting.js';
import type { DefaultedSetting, Setting } from './setting.js';
import { quote } from './shape.js';

/** A value and where it came from. */
export interface Found<T> {
  readonly value: T;
  /** As it was written. */
  readonly text: string;
  readonly origin: Origin;
}

export class Reader {
  readonly #layers: readonly Layer[];
  readonly #home: string;

  constructor(layers: readonly Layer[], home: string) {
    this.#layers = layers;
    this.#home = home;
  }

  check(table: readonly Setting<unknown>[], problems: Problems): void {
    for (const layer of this.#layers) {
      for (const setting of table) {
        const raw = layer.get(setting.key);
        if (raw === undefined || this.#parse(setting, raw) !== undefined) continue;
        problems.addAt(raw.origin, ` is ${quote(raw.text)}: expected ${setting.shape.expected}`);
      }
    }
  }

  find<T>(setting: Setting<T>): Found<T> | undefined {
    for (const layer of this.#layers) {
      const raw = layer.get(setting.key);
      if (raw === undefined) continue;
      const value = this.#parse(setting, raw);
      if (value !== undefined) return { value, ...raw };
    }
    return undefined;
  }

  value<T>(setting: DefaultedSetting<T>): T {
    const found = this.find(setting);
    if (found === undefined) throw new TypeError(`the default of ${setting.key} is wrong`);
    return found.value;
  }

  /** As `find`, and says so where nothing is set; a value that does not fit has been reported already. */
  require<T>(setting: Setting<T> & { readonly flag: string }, problems: Problems): Found<T> | undefined {
    const found = this.find(setting);
    if (found === undefined && !this.#layers.some((layer) => layer.has(setting.key))) {
      const { key, flag, shape } = setting;
      const ways = `set ${key} in the configuration file, ${flagName(flag)} or ${variableName(key)}`;
      problems.add('config', `${key} is not set: expected ${shape.expected}; ${ways}`);
    }
    return found;
  }

  #parse<T>({ shape }: Setting<T>, { text, origin }: Raw): T | undefined {
    return shape.parse(text, { folder: origin.folder, home: this.#home });
  }
}

/** The weakest layer: what the table itself says. */
export function defaultsOf(table: readonly Setting<unknown>[], cwd: string): Layer {
  const layer = new Map<string, Raw>();
  for (const { key, default: text } of table) {
    if (text === undefined) continue;
    layer.set(key, { text, origin: { kind: 'default', subject: `the default of ${key}`, folder: cwd } });
  }
  return layer;
}
