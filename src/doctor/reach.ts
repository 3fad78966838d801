/**
 * Whether the KME can be reached: its host's addresses, and whether one of them takes a connection.
 *
 * Nothing throws but `interrupted`.
 */
import { isIP } from 'node:net';
import { clean, QkdSyncError } from '../base/errors.js';
import { translateConnectionError } from '../kme/connection-error.js';
import { failed, ok, type Fault, type Finding, type FindingName } from './finding.js';
import type { Network, Target } from './ports.js';
import { within, type Bound } from './within.js';

/** Where the KME of `url` listens. */
export function targetOf(url: URL): Target {
  const port = url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** How findings name the KME of `url`. */
export function nameOf(url: URL): string {
  return url.href.replace(/\/$/, '');
}

export async function examineDns(url: URL, network: Network, bound: Bound): Promise<Finding> {
  const { host } = targetOf(url);
  if (isIP(host) !== 0) return ok('kme-dns', nameOf(url), `${host} is an address`);
  try {
    const addresses = await within(bound, () => network.lookup(host));
    return ok('kme-dns', nameOf(url), `${host} is ${clean(addresses.join(', '))}`);
  } catch (error) {
    return unreachable('kme-dns', url, error);
  }
}

export async function examineTcp(url: URL, network: Network, bound: Bound): Promise<Finding> {
  const target = targetOf(url);
  try {
    const address = await within(bound, (signal) => network.connect(target, signal));
    return ok('kme-tcp', nameOf(url), `${address} takes connections on port ${target.port}`);
  } catch (error) {
    return unreachable('kme-tcp', url, error);
  }
}

/** A failed connection as a finding. Error: `interrupted`, which is none. */
export function unreachable(
  name: FindingName,
  url: URL,
  error: unknown,
  fault: Fault = 'unreachable',
): Finding {
  const known = error instanceof QkdSyncError ? error : translateConnectionError(error, 'asking', url.origin);
  if (known.code === 'interrupted') throw known;
  return failed(name, nameOf(url), fault, { text: known.message, hint: known.hint });
}
