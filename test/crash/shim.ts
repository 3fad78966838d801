/**
 * The shim that lets fate strike at one call of a process (crashfs.c): compiled once, loaded by environment.
 *
 * Errors: a plain Error that says what is missing, where there is no C compiler.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const COMPILERS = ['cc', 'gcc', 'clang'];

/** How fate strikes; what is in capitals is the error of the one call. */
export const HOWS = [
  ...(['kill-before', 'kill-after', 'torn', 'short', 'stop-before', 'stop-after'] as const),
  ...(['EIO', 'ENOSPC', 'EROFS', 'EACCES'] as const),
] as const;
export type How = (typeof HOWS)[number];

export interface Strike {
  /** Which call, from 1. */
  readonly at: number;
  readonly how: How;
  /** The error holds from that call on. */
  readonly lasting?: boolean | undefined;
}

/** One call that changes something below the folder. */
export interface Call {
  readonly at: number;
  readonly kind: string;
  readonly paths: readonly string[];
  /** Whether a process killed right before it leaves what no earlier such call would: on the disk, or said to others. */
  readonly fresh: boolean;
}

export interface ShimUse {
  /** The folder whose calls count; without it none does. */
  readonly root?: string;
  readonly strike?: Strike | undefined;
  readonly log?: string;
  /** A file that is read as the kernel's boot ID. */
  readonly bootId?: string;
  /** SIGSTOP before every call. */
  readonly step?: boolean;
  /** A planted bug: no fsync does anything. */
  readonly noFsync?: boolean;
}

/** Compiles crashfs.c into `folder`; answers the path of the library. */
export async function buildShim(source: string, folder: string): Promise<string> {
  const library = join(folder, 'crashfs.so');
  const args = ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source];
  for (const compiler of COMPILERS) {
    try {
      await run(compiler, [...args, '-ldl', '-pthread']);
      return library;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(
    `the crash tests need a C compiler: none of ${COMPILERS.join(', ')} is here (apt-get install gcc libc6-dev)`,
  );
}

export function shimEnvironment(library: string, use: ShimUse): Record<string, string> {
  const { root, strike, log, bootId, step, noFsync } = use;
  return {
    LD_PRELOAD: library,
    // One thread for file operations, and no io_uring: the order of calls is then the same each time.
    UV_THREADPOOL_SIZE: '1',
    UV_USE_IO_URING: '0',
    ...(root !== undefined && { CRASH_ROOT: root }),
    ...(strike && { CRASH_AT: String(strike.at), CRASH_HOW: strike.how }),
    ...(strike?.lasting === true && { CRASH_ON: '1' }),
    ...(log !== undefined && { CRASH_LOG: log }),
    ...(bootId !== undefined && { CRASH_BOOT_ID: bootId }),
    ...(step === true && { CRASH_STEP: '1' }),
    ...(noFsync === true && { CRASH_NOFSYNC: '1' }),
  };
}

/** What the shim has written down: all calls, and where fate has struck. */
export async function readLog(log: string): Promise<{ calls: Call[]; hits: number[] }> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n').map((line) => line.split(' '));
  const marked = (mark: string): number[] =>
    lines.filter(([first]) => first === mark).map(([, at]) => Number(at));
  const [vain, talk] = [new Set(marked('vain')), new Set(marked('talk'))];
  const calls: Call[] = [];
  for (const [first = '', kind = '', ...paths] of lines) {
    if (!/^\d+$/.test(first)) continue;
    const at = Number(first);
    const before = calls.at(-1);
    const changed = before?.kind !== 'fsync' && !vain.has(at - 1);
    calls.push({ at, kind, paths, fresh: before === undefined || changed || talk.has(at - 1) });
  }
  return { calls, hits: marked('hit') };
}
