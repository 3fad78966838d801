/**
 * What an HTTP status other than 200 means (ETSI GS QKD 014, section 5), with the KME's own words, and what is to be
 * done about it: docs/kme.md.
 */
import { clean, QkdSyncError } from '../base/errors.js';
import type { ErrorCode } from '../base/errors.js';
import { refusedCertificate } from './connection-error.js';
import {
  isCertificateRefusal,
  isNo,
  isRedirect,
  isUnknownSae,
  isWrongMethod,
  mayDifferElsewhere,
} from './dialect.js';
import type { KmeCall } from './dialect.js';
import { readErrorBody } from './error-body.js';
import type { HttpAnswer } from './http.js';

/** A definite no: nothing was handed out. */
export interface No {
  readonly error: QkdSyncError;
  /** Whether the same KME may say yes later. */
  readonly again: boolean;
  /** Whether another KME may say yes. */
  readonly elsewhere: boolean;
}

const NEVER = { again: false, elsewhere: false };

/** An answer that is not 200: a no, or an error alone where keys may have been handed out all the same. */
export function readNo(
  call: KmeCall,
  { status, location, body }: HttpAnswer,
  origin: string,
): No | QkdSyncError {
  if (isRedirect(status) && location !== undefined) return { error: redirected(call, location), ...NEVER };
  const said = isNo(status) ? readErrorBody(body) : undefined;
  const words = said ?? '';
  const message = `the KME answered ${call} with HTTP ${status}${said === undefined ? '' : `: ${said}`}`;
  const no = (code: ErrorCode, hint?: string): QkdSyncError => new QkdSyncError(code, message, { hint });

  if (!isNo(status)) return isRedirect(status) ? { error: no('kme-answer'), ...NEVER } : no('kme-answer');
  if (isCertificateRefusal(status, words)) {
    return { error: refusedCertificate(origin, new Error(message)), again: false, elsewhere: true };
  }
  if (isWrongMethod(status) && call !== 'status') return { error: no('config', methodHint(call)), ...NEVER };
  const elsewhere = mayDifferElsewhere(call, status, words);
  return { error: no(codeOf(call, status, words), hintOf(call, status, words)), again: true, elsewhere };
}

/** 200 without any key is a no as well. */
export function noKeys(call: KmeCall): No {
  const [message, hint] =
    call === 'enc_keys'
      ? ['the KME is out of keys: it answered enc_keys with none', HINT_WAIT]
      : ['the KME does not know the key (yet): it answered dec_keys with none', HINT_STEP];
  return { error: new QkdSyncError('kme-empty', message, { hint }), again: true, elsewhere: true };
}

function codeOf(call: KmeCall, status: number, words: string): ErrorCode {
  if (status === 401 || status === 403) return 'kme-refused';
  if (call === 'enc_keys' && isUnknownSae(status, words)) return 'kme-refused';
  const busy = status === 503 || status === 429;
  return call === 'status' && !busy ? 'kme-answer' : 'kme-empty';
}

const HINT_SAE = 'check sae here and sae of the peer (peers.<site>.sae): the KME must know both';
const HINT_WAIT = 'try again later, or raise kme.wait';
const HINT_STEP = 'check that both KMEs belong to one link and are in step, or raise kme.wait';

function hintOf(call: KmeCall, status: number, words: string): string | undefined {
  if (status === 401 || status === 403) return 'check sae and kme.cert, and that the KME knows both SAEs';
  if (isUnknownSae(status, words)) return HINT_SAE;
  if (status === 503 || status === 429) return HINT_WAIT;
  if (call === 'dec_keys') return HINT_STEP;
  if (status === 404) return 'check kme.url, a path prefix included, and the SAE IDs, or raise kme.wait';
  // All that status is asked with is the peer's SAE.
  if (call === 'status') return status < 500 ? HINT_SAE : undefined;
  if (/size|number|limit|large|max/i.test(words)) {
    return "check exchange.size and kme.maxPerRequest against the KME's limits";
  }
  return HINT_WAIT;
}

function methodHint(call: KmeCall): string {
  const own = call === 'enc_keys' ? 'kme.encMethod' : 'kme.decMethod';
  return `set kme.method, or ${own} for this call alone, to the other of post and get`;
}

function redirected(call: KmeCall, location: string): QkdSyncError {
  return new QkdSyncError(
    'kme-answer',
    `the KME redirects ${call} to ${clean(location)}, which is not followed`,
    {
      hint: 'set kme.url to where the KME really is',
    },
  );
}
