/**
 * The one error class of qkd-sync and its closed union of codes.
 *
 * A message is lower case, has no full stop and never holds key bytes; the hint says what to do and is
 * printed on a line of its own. Whoever catches a foreign error (Node, undici, ws, a lock) translates it at
 * the edge with `cause`, so that everything above speaks only in these codes.
 */

/** What kind of trouble it is. The command line maps each to an exit code (docs/operations.md). */
export type ErrorCode =
  | 'usage' // a wrong flag or argument
  | 'role' // this site answers in this pair of sites, or asks
  | 'kme-answer' // the KME's answer is unusable
  | 'kme-unreachable' // no connection, TLS failure or no answer in time from the own KME
  | 'kme-refused' // the KME does not know or allow this SAE
  | 'kme-empty' // the KME has no key for us now
  | 'peer-unreachable' // nobody answers at the peer's address
  | 'peer-lost' // the connection to the peer broke or fell silent
  | 'peer-refused' // authentication or authorisation between the sites failed
  | 'peer-aborted' // the peer said no, or gave up
  | 'protocol' // the peer broke the protocol
  | 'disagreement' // the two sites' configurations do not agree
  | 'storage' // a file operation failed
  | 'name-taken' // the key file's name belongs to another exchange or file
  | 'suspect' // a decision's fsync failed: docs/protocol.md, rule 13
  | 'busy' // another run holds the lock
  | 'timeout' // nobody came in time
  | 'interrupted' // a signal
  | 'alarm' // records contradict each other
  | 'config'; // a setting is wrong or missing

export interface ErrorDetails {
  /** What the reader can do about it; a sentence without full stop. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

export class QkdSyncError extends Error {
  override readonly name = 'QkdSyncError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
}

/** The POSIX code (`ENOSPC`) or Node code (`ERR_TLS_CERT_ALTNAME_INVALID`) of a thrown value, if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Text from outside made fit for one line of a log: all that is not seen goes, and no more than `limit` characters stay. */
export function clean(text: string, limit = 200): string {
  // Control characters, separators of lines and paragraphs, the characters of format, which turn what stands around them
  // the other way, and all else that has no shape of its own: with these a text could pass for another one.
  const flat = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]+/gu, ' ').trim();
  return flat.length > limit ? `${flat.slice(0, limit)}…` : flat;
}

/** The message of any thrown value, fit for one line of a log. */
export function describe(error: unknown): string {
  return clean(error instanceof Error ? error.message : String(error));
}

/** Does something that one error of its kind must not stop, such as one damaged record among others: then it is undefined. */
export async function passingOver<T>(code: ErrorCode, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof QkdSyncError && error.code === code) return undefined;
    throw error;
  }
}
