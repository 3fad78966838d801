/**
 * One run of the command as a real process, bounded by a deadline.
 *
 * Calling sequence: `startCli`, then `said` for what it must come to say, `kill` at will, `ended` at last; `destroy`
 * in any case, after which the process is gone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { CliCommand } from './packed-cli.js';

export interface CliEnd {
  /** The exit code; the signal where one has ended the process. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly command: CliCommand;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of it. */
  readonly env: Readonly<Record<string, string>>;
  /** In octal, `077`. */
  readonly umask?: string | undefined;
}

/** Far more than any run takes here, that of a whole block of keys too. */
const DEADLINE_MS = 120_000;

export class CliProcess {
  readonly args: readonly string[];
  readonly ended: Promise<CliEnd>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #arguments = new Set<string>();
  #stdout = '';
  #stderr = '';
  #end: CliEnd | undefined;

  constructor({ command, args, cwd, env, umask }: CliOptions) {
    this.args = args;
    const words = [command.node, command.bin, ...args];
    const [program = '', ...rest] =
      umask === undefined ? words : ['sh', '-c', `umask ${umask}; exec "$0" "$@"`, ...words];
    this.#child = spawn(program, rest, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#hear();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#hear();
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#end = { code: code ?? signal ?? 'SIGKILL', stdout: this.#stdout, stderr: this.#stderr };
        resolve(this.#end);
        this.#hear();
      });
    });
  }

  /** Everything that it has said so far. */
  get output(): string {
    return `${this.#stdout}${this.#stderr}`;
  }

  /** The arguments of the process and of those that it started, as `ps` shows them. */
  get visibleArguments(): readonly string[] {
    return [...this.#arguments];
  }

  /** Waits until stdout or stderr matches. Rejects where the process ends without having said it. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (match !== null) return match;
      if (this.#end !== undefined) {
        throw new Error(
          `it never said ${String(pattern)}, but ended with ${this.#end.code}:\n${this.output}`,
        );
      }
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it, if it has not ended by itself. */
  async destroy(): Promise<void> {
    if (this.#end === undefined) this.#child.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }

  #hear(): void {
    this.#look(this.#child.pid);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #look(pid: number | string | undefined): void {
    try {
      this.#arguments.add(readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8'));
      const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
      for (const child of children.split(' ')) if (child !== '') this.#look(child);
    } catch {
      // It has gone, or this system has no /proc.
    }
  }
}
