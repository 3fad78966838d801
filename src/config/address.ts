/**
 * Network addresses as people write them: `HOST[:PORT]` to dial, `[HOST:]PORT` to listen on; IPv6 in brackets.
 *
 * Nothing throws: what is no address is undefined.
 */
import { isIPv6 } from 'node:net';

/** Where a responder listens unless told otherwise. */
export const DEFAULT_PORT = 7000;

export interface DialAddress {
  /** A name or an address; IPv6 without its brackets. */
  readonly host: string;
  readonly port?: number;
}

export interface ListenAddress {
  /** Undefined for all addresses of this machine. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** `text` without a `:PORT` at its end, and that port as written. */
function split(text: string): { name: string; port: string | undefined } {
  const match = /^(.*):(\d{1,5})$/s.exec(text);
  return match === null ? { name: text, port: undefined } : { name: match[1] ?? '', port: match[2] };
}

function portIn(text: string | undefined, lowest: number): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= lowest && port <= 65_535 ? port : undefined;
}

/** Whether `text` can be the name of a host, or an IPv4 address. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$/.test(text);
}

function hostIn(text: string): string | undefined {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined;
  return isHostName(text) ? text : undefined;
}

/** `HOST[:PORT]`. */
export function parseDialAddress(text: string): DialAddress | undefined {
  const { name, port: portText } = split(text);
  const host = hostIn(name);
  if (host === undefined) return undefined;
  if (portText === undefined) return { host };
  const port = portIn(portText, 1);
  return port === undefined ? undefined : { host, port };
}

/** `[HOST:]PORT`. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const alone = portIn(text, 0);
  if (alone !== undefined) return { port: alone };
  const { name, port: portText } = split(text);
  const [host, port] = [hostIn(name), portIn(portText, 0)];
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** A peer's name and the port behind it, where `name` may be any text: `B:7000` is `B` and 7000. */
export function splitPeer(text: string): { readonly name: string; readonly port?: number } {
  const { name, port: portText } = split(text);
  const port = portIn(portText, 1);
  return port === undefined ? { name: text } : { name, port };
}
