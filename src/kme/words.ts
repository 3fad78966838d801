/**
 * What is plainly words in a text from outside, and what may be key bytes: those are replaced by their length.
 *
 * Pure; nothing throws.
 */

/** All that base64, hex and names are made of. */
export const RUN = /[A-Za-z0-9+/=_-]+/g;

/** Shorter runs are no keys: 20 characters of base64 are 120 bits. */
const SECRET_MIN = 20;
/** Parts of a run as long as this are taken for names and numbers. */
const NAME_MAX = 4;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** `text` without the runs that are long enough for a key and are neither words, a path of words nor UUIDs. */
export function withoutSecrets(text: string): string {
  return text.replace(RUN, (run) => {
    const rest = run.replace(UUID, '');
    const isHarmless = rest.length < SECRET_MIN || partsOf(rest).every(isName);
    return isHarmless ? run : hidden(run);
  });
}

export function hidden(text: string): string {
  return `[${text.length} characters]`;
}

/** Whether all parts of a run are what people write: `Gateway`, `502`, `utf-8`, `/title`, `key_ID`. */
export function isWords(run: string): boolean {
  const parts = partsOf(run);
  return parts.length <= 4 && parts.every(isWord);
}

function partsOf(run: string): string[] {
  return run.split(/[+/=_-]+/).filter((part) => part !== '');
}

function isName(part: string): boolean {
  return part.length <= NAME_MAX || isWord(part);
}

function isWord(part: string): boolean {
  if (part.length <= 2) return SHORT_WORDS.has(part.toLowerCase());
  if (/^[1-5]\d\d$/.test(part)) return true;
  // With a vowel and few consonants in a row, as words have them, and chance seldom.
  const isCased = /^(?:[A-Z]?[a-z]+|[A-Z]+)$/.test(part);
  return part.length <= 16 && isCased && (HTML_WORDS.has(part.toLowerCase()) || isPronounceable(part));
}

function isPronounceable(part: string): boolean {
  return /[aeiouy]/i.test(part) && !/[^aeiouy]{5}|[aeiouy]{4}/i.test(part);
}

const HTML_WORDS = new Set(['html', 'http', 'https', 'nginx', 'utf', 'css', 'div']);
const SHORT_WORDS = new Set(
  'a i an as at be br by do go h1 h2 hr id if in is it li me my no of ok on or so td to tr ul up us we 8'.split(
    ' ',
  ),
);
