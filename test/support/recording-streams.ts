/** The command line's streams in memory. */
import type { Streams } from '../../src/cli/streams.js';

export interface RecordingStreams extends Streams {
  readonly said: { readonly stdout: () => string; readonly stderr: () => string };
}

/** @param answer what the operator types when asked; undefined where nobody sits at a terminal */
export function recordingStreams(
  argv: readonly string[] = [],
  isTTY = false,
  answer?: string,
): RecordingStreams {
  let stdout = '';
  let stderr = '';
  return {
    argv,
    env: {},
    home: '/nowhere',
    cwd: '/nowhere',
    program: '/nowhere/qkd-sync.js',
    version: '1.2.3',
    stdout: {
      isTTY,
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      isTTY,
      write: (text) => {
        stderr += text;
      },
    },
    terminal: undefined,
    ask: () => Promise.resolve(answer),
    signal: new AbortController().signal,
    said: { stdout: () => stdout, stderr: () => stderr },
  };
}
