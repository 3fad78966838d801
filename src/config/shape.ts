/**
 * The kinds of values that settings have: each reads one from text and says in words what it expects.
 *
 * Flags, variables and the file all give text, so that one kind reads them all alike. Nothing throws: what does
 * not fit is undefined.
 */
import { isIPv4 } from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import { parseDuration } from '../base/duration.js';
import { isSiteId } from '../base/site.js';
import { isHostName, parseDialAddress, parseListenAddress } from './address.js';
import type { DialAddress, ListenAddress } from './address.js';

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
}

export const trueOrFalse: Shape<boolean> = {
  expected: 'true or false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

export function oneOf<const T extends string>(...choices: readonly [T, ...T[]]): Shape<T> {
  return {
    expected: choices.join(' or '),
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

export const shellCommand: Shape<string> = {
  expected: 'a command for /bin/sh',
  parse: (text) => (text.trim() === '' || text.includes('\0') ? undefined : text),
};

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

export const hostName: Shape<string> = {
  expected: 'a host name',
  parse: (text) => (isHostName(text) ? text : undefined),
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

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

/** The URL as written. */
export const kmeUrl: Shape<string> = {
  expected:
    'one URL, such as https://kme.example:8443 (http:// on loopback only; no user, query or fragment)',
  parse: (text) => {
    if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
    const url = new URL(text);
    const extras = [url.username, url.password, url.search, url.hash];
    if (extras.some((extra) => extra !== '')) return undefined;
    return url.protocol === 'https:' || isLoopback(url.hostname) ? text : undefined;
  },
};

/** `text` as a message shows it: in quotes and on one line, but nothing that may be a credential. */
export function quote(text: string): string {
  if (text === '') return 'empty';
  if (text.includes('-----BEGIN')) return 'PEM text (not shown)';
  if (/^\w+:\/\/[^/]*@/.test(text)) return 'a URL with a user name (not shown)';
  const line = JSON.stringify(text.toWellFormed());
  return line.length > 80 ? `${line.slice(0, 79)}…"` : line;
}
