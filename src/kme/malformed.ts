/**
 * What a 200 answer looks like that is no key container, in words fit for a log: it may hold keys all the same.
 *
 * JSON, whole or not, is told by its shape: names of fields, kinds and lengths. Any other text is quoted, but only
 * what is plainly words: anything else is replaced by its length, and where there is much of it nothing is quoted at
 * all, since a key may be spelled in any alphabet and split by anything.
 */
import { clean } from '../base/errors.js';
import { isObject } from './json.js';
import { hidden, isWords, RUN } from './words.js';

/** How much of a text is quoted, in characters. */
const QUOTED_MAX = 200;
/** Runs that are no words, of which a page of a proxy has few and a key that is split has many. */
const STRANGE_RUNS_MAX = 3;
const FIELDS_MAX = 8;
const DEPTH_MAX = 2;

export function describeAnswer(body: Uint8Array): string {
  if (body.byteLength === 0) return 'the answer is empty';
  const text = new TextDecoder().decode(body).trim();
  return /^[{[]/.test(text)
    ? describeJson(text, body.byteLength)
    : `the answer is ${quoteText(text, body.byteLength)}`;
}

function describeJson(text: string, length: number): string {
  try {
    return `the answer is ${shapeOf(JSON.parse(text), DEPTH_MAX)}`;
  } catch {
    return `the answer is ${isCutOff(text) ? 'JSON cut off after' : 'malformed JSON of'} ${length} bytes`;
  }
}

/** Whether text in JSON's brackets ends before they do. */
function isCutOff(text: string): boolean {
  const open: string[] = [];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') open.push(char);
    else if (char === '}' || char === ']') open.pop();
  }
  return quoted || open.length > 0;
}

function shapeOf(value: unknown, depth: number): string {
  if (typeof value === 'string') return `text of ${value.length}`;
  if (typeof value === 'number') return 'a number';
  if (typeof value === 'boolean') return 'true or false';
  if (Array.isArray(value)) return shapeOfArray(value, depth);
  if (!isObject(value)) return 'null';
  const fields = Object.entries(value);
  if (fields.length === 0) return 'an empty object';
  if (depth === 0) return `an object of ${fields.length}`;
  const shown = fields
    .slice(0, FIELDS_MAX)
    .map(
      ([name, field]) =>
        `${isWords(name) && name.length <= 40 ? name : hidden(name)}: ${shapeOf(field, depth - 1)}`,
    );
  const more = fields.length > FIELDS_MAX ? `, and ${fields.length - FIELDS_MAX} more` : '';
  return `an object { ${shown.join(', ')}${more} }`;
}

/** An array is as deep as its entries, but for arrays in arrays: a hostile one would go on like that. */
function shapeOfArray(values: readonly unknown[], depth: number): string {
  const [first] = values;
  if (values.length === 0) return 'an empty array';
  const kind = Array.isArray(first) ? 'another array' : shapeOf(first, depth);
  return `an array of ${values.length}, the first ${kind}`;
}

function quoteText(text: string, length: number): string {
  const flat = clean(text, Number.POSITIVE_INFINITY);
  let strange = 0;
  // Replaced before it is cut, so that no part of a run is left over.
  const shown = flat.slice(0, QUOTED_MAX * 10).replace(RUN, (run) => {
    if (isWords(run)) return run;
    strange += 1;
    return hidden(run);
  });
  const readable = strange <= STRANGE_RUNS_MAX && /^[\x20-\x7e]*$/.test(shown);
  return readable
    ? `no JSON: "${clean(shown, QUOTED_MAX)}"`
    : `no JSON, but ${length} bytes that are not shown`;
}
