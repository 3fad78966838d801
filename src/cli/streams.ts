/** What the command line takes from the process and gives to it, so that tests can stand in for it. */

export interface OutputStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface Streams {
  /** Arguments after the command's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home folder of the user, absolute. */
  readonly home: string;
  /** The current folder, absolute. */
  readonly cwd: string;
  /** Where this command was started from, so that `demo` can start it again. */
  readonly program: string;
  readonly version: string;
  /** Data. */
  readonly stdout: OutputStream;
  /** Talk. */
  readonly stderr: OutputStream;
  /** The terminal that stderr is; undefined where it is none, or one without a width or a cursor that moves. */
  readonly terminal: NodeJS.WritableStream | undefined;
  /** Asks whoever sits at the terminal; undefined where nobody does. */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}
