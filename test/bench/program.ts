/** One program of the bench: runs to its end within a deadline, and may be told something on the way. */
import { spawn, type ChildProcess } from 'node:child_process';

export interface ProgramOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/** A block of 65,536 keys takes some seconds; a machine that does much else may need far longer. */
const DEADLINE_MS = 240_000;

export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #name: string;
  #stdout = '';
  #stderr = '';
  #wake: () => void = () => undefined;

  constructor({ args, env = {}, deadlineMs = DEADLINE_MS }: ProgramOptions) {
    this.#name = args.join(' ');
    this.#child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    });
    const { stdout, stderr } = this.#child;
    stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#wake();
    });
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#wake();
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
  }

  /** Waits until it says something on either stream. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (match !== null) return match;
      if (this.#child.exitCode !== null) throw this.#failure(`has not said ${String(pattern)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  tell(text: string): void {
    this.#child.stdin?.end(text);
  }

  /** What it said on stdout, once it has ended well. */
  async output(): Promise<string> {
    const code = await this.#ended;
    if (code !== 0) throw this.#failure(`has ended with ${code ?? 'a signal'}`);
    return this.#stdout;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }

  #failure(what: string): Error {
    return new Error(`${this.#name} ${what}:\n${this.#stderr.slice(-2_000)}`);
  }
}
