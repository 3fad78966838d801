/** What can go wrong with an operation or a message, and who decides when. */
import type { MessageType } from '../../src/handshake/message.js';

export type OperationKind =
  | 'mkdir'
  | 'create'
  | 'write'
  | 'sync'
  | 'syncFolder'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'rmdir'
  | 'read'
  | 'list'
  | 'stat'
  | 'statfs'
  | 'kme';

/** Those that change nothing. */
export const READS: ReadonlySet<OperationKind> = new Set(['read', 'list', 'stat', 'statfs']);

/** One operation of a process, about to be done. */
export interface Operation {
  readonly kind: OperationKind;
  readonly path: string;
  /** The second path of rename and link. */
  readonly to: string | undefined;
}

export type Errno = 'EIO' | 'ENOSPC' | 'EROFS' | 'EACCES';

/**
 * What strikes an operation. `torn`: it was done by half (a write) when the process was killed or the power failed;
 * `lasting`: the disk goes on like this until it is mended; `freeze`: the process sleeps until somebody wakes it up.
 */
export type Stroke =
  | { readonly do: 'kill' | 'power'; readonly when: 'before' | 'torn' | 'after' }
  | { readonly do: 'freeze'; readonly when: 'before' | 'after' }
  | { readonly do: 'fail'; readonly code: Errno; readonly lasting: boolean }
  | { readonly do: 'signal' };

/**
 * `cut`: the message is lost with the connection; `deliver-and-cut`: the connection breaks right after it has arrived;
 * `hang`: nothing passes any more, and both ends find out by silence; `vanish`: its sender loses the connection, and
 * the other end finds out by silence; `late`: it takes seconds. The others strike a process between a message and what
 * follows from it: `sender` right after it has been sent, `receiver` right before it is acted on.
 */
export type Fate = 'deliver' | BadFate;
export type BadFate = 'cut' | 'deliver-and-cut' | 'hang' | 'vanish' | 'late' | StrikingFate;
export type StrikingFate = `${'kill' | 'power' | 'freeze'}-${'sender' | 'receiver'}`;

export const FATES: readonly BadFate[] = [
  'cut',
  'deliver-and-cut',
  'hang',
  'vanish',
  'late',
  'kill-sender',
  'kill-receiver',
  'power-sender',
  'power-receiver',
  'freeze-sender',
  'freeze-receiver',
];

/** What of a KME's answer can go wrong. */
export type KmeFate = 'kme-unreachable' | 'kme-refused' | 'kme-empty' | 'kme-answer' | 'hang';

/** Whoever decides what goes wrong. */
export interface Nemesis {
  /** Before an operation of this host; undefined where nothing is wrong. */
  strike(host: string, operation: Operation): Stroke | undefined;
  pass(type: MessageType): Fate;
  kme(host: string): KmeFate | undefined;
  /** Told of a process that a stroke has frozen: somebody must wake it up. */
  froze(process: Sleeper): void;
}

/** A frozen process, as far as it can be woken up. */
export interface Sleeper {
  readonly name: string;
  readonly host: { readonly id: string };
  thaw(): void;
}
