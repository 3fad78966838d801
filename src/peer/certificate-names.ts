/** The names that a certificate gives its owner, and whose they are. */
import type { PeerCertificate } from 'node:tls';
import type { PeerIdentity } from './credentials.js';

/** One entry of Node's text of a subjectAltName: values with special characters are quoted as in JSON. */
const ENTRY = /(?:"(?:[^"\\]|\\.)*"|[^",])+/g;

/** The DNS names in Node's text of a subjectAltName (`DNS:a, IP Address:192.0.2.1, DNS:"x, DNS:y"`). */
function dnsNames(subjectAltName: string): string[] {
  return (subjectAltName.match(ENTRY) ?? []).flatMap((raw) => {
    const entry = raw.trim();
    if (!entry.startsWith('DNS:')) return [];
    const value = entry.slice('DNS:'.length);
    if (!value.startsWith('"')) return [value];
    try {
      const unquoted: unknown = JSON.parse(value);
      return typeof unquoted === 'string' ? [unquoted] : [];
    } catch {
      return [];
    }
  });
}

/** Every DNS SAN and common name of a certificate, as they are. */
export function certificateNames(certificate: Partial<PeerCertificate>): string[] {
  // Node gives an array where a subject has several common names, which its types do not say.
  const common: unknown = certificate.subject?.CN;
  const commons = Array.isArray(common) ? common : [common];
  return [
    ...dnsNames(certificate.subjectaltname ?? ''),
    ...commons.filter((name): name is string => typeof name === 'string'),
  ];
}

/** Exact but for case: no wildcards, no patterns. */
export function carriesName(names: readonly string[], name: string): boolean {
  return names.some((candidate) => candidate.toLowerCase() === name.toLowerCase());
}

/** The one peer whom a certificate with these names can be; undefined where it is nobody or could be several. */
export function peerNamed(
  names: readonly string[],
  peers: readonly PeerIdentity[],
): PeerIdentity | undefined {
  const matching = peers.filter((peer) => carriesName(names, peer.name));
  return matching.length === 1 ? matching[0] : undefined;
}
