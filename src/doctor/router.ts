/**
 * Whether key files would be such as qkd-net's key router reads: it reuses the keys of others silently.
 *
 * What becomes of each difference is what its code does. Nothing throws.
 */
import { resolve } from 'node:path';
import { counted, ok, warning, type Finding } from './finding.js';

/** What the router reads, as far as its configuration says. */
export interface Router {
  /** `~/.qkd/qnl`. */
  readonly folder: string;
  readonly keys?: string;
  /** Keys in a file. */
  readonly count?: number;
  /** Bits of a key. */
  readonly size?: number;
}

/** How our key files are made. */
export interface KeyFiles {
  readonly keys: string;
  readonly count: number;
  readonly size: number;
  readonly format: string;
  readonly naming: string;
}

export function examineRouter(router: Router, files: KeyFiles): Finding[] {
  return [
    ...(router.keys === undefined ? [] : [examineFolder(router.keys, files.keys)]),
    ...(router.count === undefined ? [] : [examineCount(router.count, files.count)]),
    ...(router.size === undefined ? [] : [examineSize(router.size, files.size)]),
    examineFormat(files.format),
    examineNaming(files.naming),
  ];
}

function examineFolder(expected: string, keys: string): Finding {
  const name = 'qkd-net-keys';
  if (resolve(expected) === resolve(keys)) return ok(name, 'keys', `the key router reads ${keys}`);
  const text = `key files go to ${keys}, the key router reads ${expected}: it never sees them`;
  return warning(name, 'keys', text, `set keys to ${expected}`);
}

function examineCount(expected: number, count: number): Finding {
  const [name, about] = ['qkd-net-count', 'exchange.count'] as const;
  if (count === expected) return ok(name, about, `${counted(count, 'key')} in a file, as qllBlockSz says`);
  const text = `${counted(count, 'key')} in a file, the key router expects ${expected}: ${ofLines(count, expected)}`;
  return warning(name, about, text, `set exchange.count to ${expected} on both sites`);
}

function examineSize(expected: number, size: number): Finding {
  const [name, about] = ['qkd-net-size', 'exchange.size'] as const;
  if (size === expected) return ok(name, about, `keys of ${size} bits, as keyBytesSz says`);
  const text = `keys of ${size} bits, the key router expects ${expected}: ${ofWidth(size, expected)}`;
  return warning(name, about, text, `set exchange.size to ${expected} on both sites`);
}

function examineFormat(format: string): Finding {
  const [name, about] = ['qkd-net-format', 'exchange.format'] as const;
  if (format === 'hex') return ok(name, about, 'hex, as the key router reads');
  const text = `${format}, the key router reads hex alone: it takes wrong keys, or ends with an exception`;
  return warning(name, about, text, 'set exchange.format to hex');
}

function examineNaming(naming: string): Finding {
  const [name, about] = ['qkd-net-naming', 'exchange.naming'] as const;
  if (naming === 'index') return ok(name, about, 'index, as the key router counts');
  const text = `${naming}, the key router looks for <peer>_<n> alone: it never finds a file`;
  return warning(name, about, text, 'set exchange.naming to index on both sites');
}

/** What the router makes of files with `lines` keys. */
export function ofLines(lines: number, expected: number): string {
  if (lines === 0) return 'its read never returns';
  if (lines === 1) return 'it takes the same key again and again, without a word';
  if (lines < expected) return 'it takes the same keys again, without a word';
  return 'the sites need not stay in step';
}

/** What the router makes of keys of `size` bits, or lines of as many characters. */
export function ofWidth(size: number, expected: number): string {
  return size < expected
    ? 'it fills the rest of each key with zeros, without a word'
    : 'it ends with an exception';
}
