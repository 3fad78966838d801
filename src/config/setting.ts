/**
 * What the table of settings says about each: its key and the names that follow from it, its kind, default and help.
 */
import type { Shape } from './shape.js';

/** The commands that take settings. */
export type Command =
  'initiate' | 'respond' | 'recover' | 'status' | 'resolve' | 'doctor' | 'formats' | 'kme' | 'demo';

/** Commands that make an exchange, call the peer, have contact with it at all, take its lock. */
export const EXCHANGING: readonly Command[] = ['initiate', 'respond'];
export const DIALLING: readonly Command[] = ['initiate', 'recover'];
export const MEETING: readonly Command[] = ['initiate', 'respond', 'recover'];
export const LOCKING: readonly Command[] = [...MEETING, 'resolve'];
/** Commands that need to know how keys are drawn, how the peer is met, where the records are; and all. */
export const DRAWING: readonly Command[] = [...EXCHANGING, 'doctor'];
export const CONTACT: readonly Command[] = [...MEETING, 'doctor'];
export const RECORDS: readonly Command[] = [...LOCKING, 'status', 'doctor'];
export const ALL: readonly Command[] = [...RECORDS, 'formats', 'kme', 'demo'];

export interface Setting<T> {
  /** The path in the file, `kme.url`; also how the loader is given flags. */
  readonly key: string;
  /** As help shows it and commander reads it: `--kme <url>`, or `-q, --quiet` without a value. */
  readonly flag?: string;
  readonly shape: Shape<T>;
  /** As it would be written in the file. */
  readonly default?: string;
  /** The default in words, where it follows from something else. */
  readonly defaultNote?: string;
  /** One sentence without full stop. */
  readonly help: string;
  readonly commands: readonly Command[];
}

/** A setting that always has a value. */
export interface DefaultedSetting<T> extends Setting<T> {
  readonly default: string;
}

/** `--kme` of `--kme <url>`. */
export function flagName(flag: string): string {
  return /--[a-z][a-z0-9-]*/.exec(flag)?.[0] ?? flag;
}

export const VARIABLE_PREFIX = 'QKD_SYNC_';

/** `QKD_SYNC_EXCHANGE_ACK_TIMEOUT` of `exchange.ackTimeout`. */
export function variableName(key: string): string {
  const words = key.replace(/([a-z])([A-Z])/g, '$1_$2').replaceAll('.', '_');
  return VARIABLE_PREFIX + words.toUpperCase();
}

/** The help of a flag: what it sets, what else sets it, and what holds otherwise. */
export function helpOf(setting: Setting<unknown>): string {
  const otherwise = setting.default ?? setting.defaultNote;
  return otherwise === undefined ? setting.help : `${setting.help} (default: ${otherwise})`;
}
