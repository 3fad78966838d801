/**
 * The kinds of values that settings have: each reads one from text and says in words what it expects.
 *
 * Flags, variables and the file all give text, so that one kind reads them all alike. Nothing throws: what does
 * not fit is undefined.
 */
import { isAbsolute, join, resolve } from 'node:path';
import { parseDuration } from '../base/duration.js';
import { isSiteId } from '../base/site.js';
import { parseDialAddress, parseListenAddress } from './address.js';
import type { DialAddress, ListenAddress } from './address.js';
import type { ListStyle } from './list-text.js';

/** What paths are relative to. */
export interface Place {
  /** Absolute: the current folder, or that of the file that holds the setting. */
  readonly folder: string;
  /** What `~` stands for. */
  readonly home: string;
}

export interface Shape<T> {
  /** Completes the sentence "expected …". */
  readonly expected: string;
  parse(text: string, place: Place): T | undefined;
  /** Where the file may have a list instead: how `parse` is given it. */
  readonly list?: ListStyle;
}

export const trueOrFalse: Shape<boolean> = {
  expected: 'true or false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

export function oneOf<const T extends string>(...choices: readonly [T, ...T[]]): Shape<T> {
  return {
    expected: choices.length === 1 ? `${choices[0]} (nothing else yet)` : choices.join(' or '),
    parse: (text) => choices.find((choice) => choice === text),
  };
}

/** Whole numbers from `lowest` to `highest` that `step` divides. */
export function integer(lowest: number, highest: number, step = 1): Shape<number> {
  const kind = step === 1 ? 'an integer' : `a multiple of ${step}`;
  return {
    expected: `${kind} from ${lowest} to ${highest}`,
    parse: (text) => {
      const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      return value >= lowest && value <= highest && value % step === 0 ? value : undefined;
    },
  };
}

/** In milliseconds; the bounds as text, for the words. */
export function duration(lowest: string, highest: string): Shape<number> {
  const [lowestMs, highestMs] = [parseDuration(lowest) ?? 0, parseDuration(highest) ?? 0];
  return {
    expected: `a duration such as 10s, from ${lowest} to ${highest}`,
    parse: (text) => {
      const ms = parseDuration(text);
      return ms !== undefined && ms >= lowestMs && ms <= highestMs ? ms : undefined;
    },
  };
}

/** An absolute path. */
function path(expected: string): Shape<string> {
  return {
    expected,
    parse: (text, { folder, home }) => {
      // A line break or a NUL is in no name that anybody means: rather, the content of the file was pasted in.
      if (text === '' || /[\0\r\n]/.test(text)) return undefined;
      if (text === '~' || text.startsWith('~/')) return join(home, text.slice(1));
      return isAbsolute(text) ? resolve(text) : resolve(folder, text);
    },
  };
}

export const file = path('the name of a file');
export const folder = path('the name of a folder');

export const siteId: Shape<string> = {
  expected: 'an ID of 1 to 64 characters, none of them a control character, no space at either end',
  parse: (text) => (isSiteId(text) ? text : undefined),
};

export const peerOrHost: Shape<string> = {
  expected: 'a site that peers: names, or HOST[:PORT]',
  parse: (text) => (text === '' ? undefined : text),
};

/** The name in a certificate, which need not be a host's. */
export const certificateName: Shape<string> = {
  expected: 'a name as in a certificate, of 1 to 64 characters',
  parse: (text) => (isSiteId(text) ? text : undefined),
};

export const dialAddress: Shape<DialAddress> = {
  expected: 'HOST[:PORT], such as b.example:7000 or [2001:db8::1]:7000',
  parse: parseDialAddress,
};

export const listenAddress: Shape<ListenAddress> = {
  expected: '[HOST:]PORT, such as 7000, 127.0.0.1:7000 or [::1]:7000',
  parse: parseListenAddress,
};

/** The URLs as written. */
export const kmeUrls: Shape<readonly string[]> = {
  expected:
    'one URL or several, such as https://kme.example:8443 (no user, query or fragment), with commas between them or a list in the file',
  list: 'commas',
  parse: (text) => {
    const urls = text.split(',').map((url) => url.trim());
    return urls.length <= MAX_URLS && urls.every(isKmeUrl) && new Set(urls).size === urls.length
      ? urls
      : undefined;
  },
};

/** More than any site has KMEs; each is tried in turn. */
const MAX_URLS = 16;

function isKmeUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((extra) => extra === '');
}

/** Extension parameters of ETSI GS QKD 014: names with any values. */
export const extensions: Shape<readonly Readonly<Record<string, unknown>>[]> = {
  expected: 'mappings of names to values, as JSON text such as [{"name":"value"}] or a list in the file',
  list: 'json',
  parse: (text) => {
    const list = parseJson(text);
    return Array.isArray(list) && list.length > 0 && list.every(isMapping) ? list : undefined;
  },
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  );
}

/** `text` as a message shows it: in quotes and on one line, but nothing that may be a credential. */
export function quote(text: string): string {
  if (text === '') return 'empty';
  if (text.includes('-----BEGIN')) return 'PEM text (not shown)';
  if (/^\w+:\/\/[^/]*@/.test(text)) return 'a URL with a user name (not shown)';
  const line = JSON.stringify(text.toWellFormed());
  return line.length > 80 ? `${line.slice(0, 79)}…"` : line;
}
