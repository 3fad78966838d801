/** What an error of a connection says, for one line of a log. */
import { clean, describe, systemCode } from '../base/errors.js';

/** OpenSSL's short reason where there is one: its message has file names and addresses. */
export function reasonOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'reason' in error && typeof error.reason === 'string') {
    return clean(error.reason);
  }
  return systemCode(error) === 'ECONNRESET' ? 'it hung up' : describe(error);
}
