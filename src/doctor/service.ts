/**
 * What the KME answers for the SAE of each peer: whether it takes our certificate, knows the SAEs, has keys, and
 * delivers them as they are configured; and, only where it was asked for, whether it hands one out.
 *
 * Nothing throws but `interrupted`.
 */
import type { ErrorCode } from '../base/errors.js';
import { keysPerRequest } from '../kme/dialect.js';
import type { KmeStatus } from '../kme/kme.js';
import { counted, failed, ok, skipped, warning, type Fault, type Finding } from './finding.js';
import { examineKmeClock } from './kme-clock.js';
import type { Answer, HttpSight, KmeProbe } from './ports.js';
import { nameOf } from './reach.js';

export interface AskedFor {
  readonly peers: readonly { readonly site: string; readonly sae: string }[];
  readonly count: number;
  readonly size: number;
  /** The most keys that we ask for at once. */
  readonly maxPerRequest: number | undefined;
  /** Whether a certificate of ours is configured. */
  readonly hasCertificate: boolean;
  readonly takeKey: boolean;
}

export async function examineService(url: URL, asked: AskedFor, probe: KmeProbe): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [at, { site, sae }] of asked.peers.entries()) {
    const about = `${nameOf(url)} for ${site} (SAE ${sae})`;
    const answer = await probe.status(sae);
    // All peers are asked for by one client: what it is to the KME shows at the first.
    if (at === 0)
      findings.push(examineClientCertificate(url, asked, answer), examineKmeClock(url, answer.http));
    if ('error' in answer) {
      findings.push(refusedOf('kme-status', about, answer));
      continue;
    }
    findings.push(
      ok('kme-status', about, 'the KME answers for this SAE'),
      examineStock(about, asked, answer.value),
      examineLimits(about, asked, answer.value),
    );
    if (asked.takeKey) findings.push(await examineKey(about, sae, asked, probe));
  }
  return findings;
}

function examineClientCertificate(
  url: URL,
  { hasCertificate }: AskedFor,
  answer: Answer<KmeStatus>,
): Finding {
  const name = 'kme-client-certificate';
  const about = nameOf(url);
  const hint = hasCertificate
    ? "check kme.cert and kme.key (or kme.pkcs12), that the KME trusts their CA, and the KME's log"
    : 'set kme.cert and kme.key, or kme.pkcs12';
  if (url.protocol === 'http:') return skipped(name, about, 'plain http: none is shown');
  const refused = (text: string): Finding => failed(name, about, 'refused', { text, hint });
  if (!('error' in answer)) {
    const text = hasCertificate
      ? 'the KME takes our certificate'
      : 'the KME asks for none, and none is configured';
    return ok(name, about, text);
  }
  const { error, http, ended } = answer;
  // In words of TLS, or of a proxy that takes any client in the handshake and says so with a 400 afterwards.
  if (ended === 'refused') return refused(error.message);
  if (http === undefined) {
    if (ended === 'broken') return refused('the KME breaks the connection after the handshake');
    return skipped(name, about, 'the KME has not answered');
  }
  if (!hasCertificate && [400, 401, 403].includes(http.status)) return refused(error.message);
  return ok(name, about, 'the KME answers who shows our certificate');
}

/** An error as the answer to a request. */
function refusedOf(
  name: 'kme-status' | 'kme-key',
  about: string,
  { error, http, ended }: Extract<Answer<unknown>, { readonly error: unknown }>,
): Finding {
  const fault = ended === undefined ? faultOf(error.code, http) : 'refused';
  return failed(name, about, fault, { text: error.message, hint: error.hint });
}

function faultOf(code: ErrorCode, http: HttpSight | undefined): Fault {
  if (code === 'kme-refused') return 'refused';
  if (code === 'config') return 'configuration';
  if (code === 'kme-empty' || http === undefined || http.status >= 500 || http.status === 429) {
    return 'unreachable';
  }
  // What answers there is no KME, or not by this path, or not as configured.
  return http.status < 400 || http.status === 404 || http.status === 405 ? 'configuration' : 'refused';
}

function examineStock(about: string, { count }: AskedFor, { storedKeyCount }: KmeStatus): Finding {
  const name = 'kme-stock';
  if (storedKeyCount === undefined) return skipped(name, about, 'the KME does not say how many keys it has');
  const text = `${counted(storedKeyCount, 'key')} in stock, an exchange takes ${count}`;
  if (storedKeyCount >= count) return ok(name, about, text);
  return warning(name, about, text, 'wait until the QKD devices have made more, or lower exchange.count');
}

/** Zero means nothing here: some KMEs fill in no limits. */
function examineLimits(about: string, { count, size, maxPerRequest }: AskedFor, status: KmeStatus): Finding {
  const name = 'kme-limits';
  const { minKeySize = 0, maxKeySize = 0, maxKeyPerRequest = 0 } = status;
  const bounds = [
    ...(minKeySize > 0 ? [`from ${minKeySize} bits`] : []),
    ...(maxKeySize > 0 ? [`up to ${maxKeySize} bits`] : []),
    ...(maxKeyPerRequest > 0 ? [`${maxKeyPerRequest} a request`] : []),
  ];
  if (bounds.length === 0) return skipped(name, about, 'the KME says nothing of its limits');
  const text = `keys ${bounds.join(', ')}`;
  if (size < minKeySize || (maxKeySize > 0 && size > maxKeySize)) {
    const hint = 'set exchange.size on both sites to a size that both KMEs deliver';
    return warning(name, about, `${text}; exchange.size is ${size} bits`, hint);
  }
  const requests = Math.max(1, Math.ceil(count / keysPerRequest(maxPerRequest, maxKeyPerRequest)));
  return ok(name, about, requests === 1 ? text : `${text}; ${count} keys take ${requests} requests`);
}

async function examineKey(about: string, sae: string, { size }: AskedFor, probe: KmeProbe): Promise<Finding> {
  const answer = await probe.drawKey(sae, size);
  if ('error' in answer) return refusedOf('kme-key', about, answer);
  return ok('kme-key', about, `one key of ${answer.value * 8} bits drawn; it is lost`);
}
