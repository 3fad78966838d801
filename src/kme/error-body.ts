/**
 * The error body of ETSI GS QKD 014 (section 6.5), `message` and `details`, as one line for people.
 *
 * Only for answers that are errors by their HTTP status: a body of 200 may hold key bytes and is never quoted.
 * Nothing throws: whatever a KME, or a proxy before it, sends is shown as well as it can be.
 */
import { clean } from '../base/errors.js';
import { wordsOf } from './dialect.js';
import { parseObject } from './json.js';

/** What the KME says for itself, cleaned and short; undefined where it says nothing fit to show. */
export function readErrorBody(body: Uint8Array): string | undefined {
  const text = clean(new TextDecoder().decode(body));
  const answer = parseObject(body);
  const words = answer && wordsOf(answer);
  const message = clean(words ?? '');
  if (message === '') return showable(text);
  const details = answer?.['details'];
  const more = isEmpty(details) ? undefined : showable(clean(JSON.stringify(details)));
  return more === undefined ? message : `${message} ${more}`;
}

/** Even an error may carry a key container, from a KME that gives the wrong status: its text is not shown. */
function showable(text: string): string | undefined {
  return text === '' || /\bkeys?\\*["']?\s*:/i.test(text) ? undefined : text;
}

function isEmpty(details: unknown): boolean {
  return details === undefined || details === null || JSON.stringify(details).length <= 2;
}
