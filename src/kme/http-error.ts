/** What an HTTP status other than 200 means (ETSI GS QKD 014, section 5), with the KME's own words. */
import { clean, QkdSyncError } from '../base/errors.js';
import type { ErrorCode } from '../base/errors.js';
import type { KmeCall } from './address.js';
import { readErrorBody } from './error-body.js';
import type { HttpAnswer } from './http.js';

/** Whether the KME asks us to come again: 503 by the standard, 429 by HTTP. */
export function isBusy({ status }: HttpAnswer): boolean {
  return status === 503 || status === 429;
}

/** The answer as an error: `kme-refused`, `kme-empty` for a busy KME, `kme-answer` for all else. */
export function httpError(call: KmeCall, answer: HttpAnswer): QkdSyncError {
  const { status, location } = answer;
  if (status >= 300 && status < 400 && location !== undefined) {
    return new QkdSyncError(
      'kme-answer',
      `the KME redirects ${call} to ${clean(location)}, which is not followed`,
      {
        hint: 'set kme.url to where the KME really is',
      },
    );
  }
  const said = status >= 400 ? readErrorBody(answer.body) : undefined;
  const message = `the KME answered ${call} with HTTP ${status}${said === undefined ? '' : `: ${said}`}`;
  return new QkdSyncError(codeOf(answer), message, { hint: hintOf(status) });
}

function codeOf(answer: HttpAnswer): ErrorCode {
  if (isBusy(answer)) return 'kme-empty';
  return answer.status === 401 || answer.status === 403 ? 'kme-refused' : 'kme-answer';
}

function hintOf(status: number): string | undefined {
  if (status === 401 || status === 403) return 'check sae and kme.cert, and that the KME knows both SAEs';
  if (status === 404) return 'check kme.url, a path prefix included, and the SAE IDs';
  if (status === 405) return 'try the other kme.method';
  if (status === 503 || status === 429) return 'try again later, or raise kme.wait';
  return undefined;
}
