/**
 * The error body of ETSI GS QKD 014 (section 6.5), `message` and `details`, as one line for people.
 *
 * Only for answers that are errors by their HTTP status: a body of 200 may hold key bytes and is never quoted. An
 * error may hold some too, from a KME that gives the wrong status or says too much: whatever looks like it is not shown.
 * Nothing throws: whatever else a KME, or a proxy before it, sends is shown as well as it can be.
 */
import { clean } from '../base/errors.js';
import { wordsOf } from './dialect.js';
import { parseObject } from './json.js';
import { withoutSecrets } from './words.js';

/** What the KME says for itself, cleaned and short; undefined where it says nothing fit to show. */
export function readErrorBody(body: Uint8Array): string | undefined {
  const answer = parseObject(body);
  const words = answer && wordsOf(answer);
  const message = words === undefined ? undefined : fit(words, CONTAINER);
  if (message === undefined) return fit(new TextDecoder().decode(body), KEYS);
  const details = textOf(answer?.['details']);
  const more = details === undefined ? undefined : fit(details, KEYS);
  return more === undefined ? message : `${message} ${more}`;
}

/** A key container, or the names of its fields in text of any kind. */
const KEYS = /\bkeys?\\*["']?\s*:/i;
/** In a message `unknown key: …` are words as well. */
const CONTAINER = /\bkeys?\\*["']\s*:/i;

/** `text` as it may be shown; undefined where it is empty, holds `secrets`, or is no text in UTF-8 at all. */
function fit(text: string, secrets: RegExp): string | undefined {
  if (secrets.test(text) || text.includes('\0')) return undefined;
  // Before it is cut, so that no part of a key is left over.
  const shown = clean(withoutSecrets(clean(text, Number.POSITIVE_INFINITY)));
  return shown === '' ? undefined : shown;
}

/** `details` as text; undefined where they say nothing, or are nested deeper than the stack. */
function textOf(details: unknown): string | undefined {
  if (details === undefined || details === null) return undefined;
  try {
    const text = JSON.stringify(details);
    return text.length <= 2 ? undefined : text;
  } catch {
    return undefined;
  }
}
