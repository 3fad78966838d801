/**
 * What the KME shows of itself in a TLS handshake: the version, and whether its certificate is one that the client
 * takes, by CA, name and dates. The handshake looks at whatever certificate comes; nothing is said on it.
 *
 * Nothing throws but `interrupted`.
 */
import type { X509Certificate } from 'node:crypto';
import { checkServerIdentity } from 'node:tls';
import { QkdSyncError } from '../base/errors.js';
import { isRefusedCertificate, translateConnectionError } from '../kme/connection-error.js';
import { checkName } from '../kme/tls.js';
import { failed, ok, skipped, type Finding } from './finding.js';
import { namesOf } from './names.js';
import type { Network, ProbedKme, TlsSight } from './ports.js';
import { nameOf, targetOf, unreachable } from './reach.js';
import { within, type Bound } from './within.js';

export interface TlsExamination {
  readonly findings: readonly Finding[];
  /** The certificates that were shown, the KME's own first. */
  readonly chain: readonly X509Certificate[];
  /** What was shown of ourselves. */
  readonly own: X509Certificate | undefined;
  /** Whether the client would go on. */
  readonly isTrusted: boolean;
}

export async function examineTls(
  url: URL,
  { tls }: ProbedKme,
  network: Network,
  bound: Bound,
): Promise<TlsExamination> {
  if (url.protocol === 'http:') {
    const finding = skipped(
      'kme-tls',
      nameOf(url),
      'plain http: nothing is encrypted and nobody authenticated',
    );
    return { findings: [finding], chain: [], own: undefined, isTrusted: true };
  }
  let sight: TlsSight;
  try {
    sight = await within(bound, (signal) => network.connectTls(targetOf(url), tls, signal));
  } catch (error) {
    const known =
      error instanceof QkdSyncError ? error : translateConnectionError(error, 'asking', url.origin);
    // TLS 1.2 turns a client certificate down in the handshake already.
    const finding = isRefusedCertificate(known)
      ? unreachable('kme-client-certificate', url, known, 'refused')
      : unreachable('kme-tls', url, known);
    return { findings: [finding], chain: [], own: undefined, isTrusted: false };
  }
  const certificate = examineCertificate(url, tls.serverName, sight);
  return {
    findings: [ok('kme-tls', nameOf(url), sight.protocol), certificate],
    chain: sight.chain,
    own: sight.own,
    isTrusted: certificate.standing === 'ok',
  };
}

function examineCertificate(
  url: URL,
  serverName: string | undefined,
  { chain, distrust }: TlsSight,
): Finding {
  const [certificate] = chain;
  if (certificate === undefined) {
    return failed('kme-certificate', nameOf(url), 'unreachable', { text: 'the KME shows no certificate' });
  }
  const shown = certificate.toLegacyObject();
  const wrongName =
    serverName === undefined ? checkServerIdentity(targetOf(url).host, shown) : checkName(serverName, shown);
  const mistakes = [
    ...(distrust === undefined ? [] : [Object.assign(new Error(distrust), { code: distrust })]),
    ...(wrongName === undefined ? [] : [wrongName]),
  ].map((error) => translateConnectionError(error, 'asking', url.origin));
  const dates = `valid until ${dayOf(Date.parse(certificate.validTo))}`;
  const bears = `it bears ${namesOf(certificate)}`;
  if (mistakes.length === 0) return ok('kme-certificate', nameOf(url), `trusted, ${dates}; ${bears}`);
  return failed('kme-certificate', nameOf(url), 'unreachable', {
    text: [...mistakes.map(({ message }) => message), bears, dates].join('; '),
    hint: mistakes.flatMap(({ hint }) => hint ?? []).join('; '),
  });
}

/** `2026-11-25`. */
export function dayOf(time: number): string {
  return Number.isNaN(time) ? 'an unreadable date' : new Date(time).toISOString().slice(0, 10);
}
