/**
 * Where a KME's three methods are (ETSI GS QKD 014, section 5): its base URL, a path prefix included, and the SAE.
 *
 * Errors: QkdSyncError `config`, for a URL or an SAE ID that cannot be used.
 */
import { clean, QkdSyncError } from '../base/errors.js';
import { isPlainBeyondLoopback, saeSegment, withoutSlash } from './dialect.js';
import type { KmeCall } from './dialect.js';

/**
 * `text` as the base of every address: without a slash at the end.
 * Plain http is taken on loopback only, unless `insecure`: keys in the clear leave no host.
 */
export function parseKmeUrl(text: string, insecure: boolean): URL {
  // The text itself is never shown: it may hold a password.
  if (!URL.canParse(text)) throw wrongUrl('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrongUrl('is not an http or https URL');
  if (url.username !== '' || url.password !== '') throw wrongUrl('holds a user name or password');
  if (url.search !== '' || url.hash !== '') throw wrongUrl('holds a query or a fragment');
  if (!insecure && isPlainBeyondLoopback(url)) {
    throw wrongUrl(`is plain http to ${url.host}, which is not a loopback address`);
  }
  url.pathname = withoutSlash(url.pathname);
  return url;
}

/** The address of one method for one SAE, without a query. */
export function callUrl(base: URL, call: KmeCall, sae: string): URL {
  // A URL loses such a segment however it is encoded, and the request would go elsewhere.
  if (sae === '' || sae === '.' || sae === '..' || !sae.isWellFormed()) {
    throw new QkdSyncError('config', `the SAE ID "${clean(sae)}" cannot be part of a KME's address`);
  }
  const url = new URL(base);
  url.pathname = `${withoutSlash(base.pathname)}/api/v1/keys/${saeSegment(sae)}/${call}`;
  return url;
}

function wrongUrl(why: string): QkdSyncError {
  return new QkdSyncError('config', `kme.url ${why}`, { hint: 'set kme.url, for example https://kme:8443' });
}
