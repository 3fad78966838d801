/**
 * Where a KME's three methods are (ETSI GS QKD 014, section 5): its base URL, a path prefix included, and the SAE.
 *
 * Errors: QkdSyncError `config`, for a URL or an SAE ID that cannot be used.
 */
import { isIPv4 } from 'node:net';
import { clean, QkdSyncError } from '../base/errors.js';

/** The last segment of a method's path; also its name in messages. */
export type KmeCall = 'status' | 'enc_keys' | 'dec_keys';

/**
 * `text` as the base of every address: without a slash at the end.
 * Plain http is taken on loopback only: keys in the clear leave no host.
 */
export function parseKmeUrl(text: string): URL {
  // The text itself is never shown: it may hold a password.
  if (!URL.canParse(text)) throw wrongUrl('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrongUrl('is not an http or https URL');
  if (url.username !== '' || url.password !== '') throw wrongUrl('holds a user name or password');
  if (url.search !== '' || url.hash !== '') throw wrongUrl('holds a query or a fragment');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw wrongUrl(`is plain http to ${url.host}, which is not a loopback address`);
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** The address of one method for one SAE, without a query. */
export function callUrl(base: URL, call: KmeCall, sae: string): URL {
  // A URL loses such a segment however it is encoded, and the request would go elsewhere.
  if (sae === '' || sae === '.' || sae === '..' || !sae.isWellFormed()) {
    throw new QkdSyncError('config', `the SAE ID "${clean(sae)}" cannot be part of a KME's address`);
  }
  const url = new URL(base);
  const prefix = base.pathname.replace(/\/+$/, '');
  url.pathname = `${prefix}/api/v1/keys/${encodeURIComponent(sae)}/${call}`;
  return url;
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

function wrongUrl(why: string): QkdSyncError {
  return new QkdSyncError('config', `kme.url ${why}`, { hint: 'set kme.url, for example https://kme:8443' });
}
