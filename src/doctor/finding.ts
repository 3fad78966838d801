/** What `doctor` finds: one thing looked at, how it stands, and what to do about it. */

/** Stable names, for machines (docs/operations.md). */
export type FindingName =
  | 'configuration'
  | 'kme-dns'
  | 'kme-tcp'
  | 'kme-tls'
  | 'kme-certificate'
  | 'kme-client-certificate'
  | 'kme-clock'
  | 'kme-status'
  | 'kme-stock'
  | 'kme-limits'
  | 'kme-key'
  | 'certificate-expiry'
  | 'file-mode'
  | 'file-system'
  | 'qkd-net-keys'
  | 'qkd-net-count'
  | 'qkd-net-size'
  | 'qkd-net-format'
  | 'qkd-net-naming'
  | 'qkd-net-owner'
  | 'qkd-net-index'
  | 'qkd-net-shape';

/** What kind of failure it is; an exchange would fail in the same way. */
export type Fault = 'configuration' | 'unreachable' | 'refused';

/** The order in which faults count where there are several. */
const FAULTS: readonly Fault[] = ['configuration', 'unreachable', 'refused'];

interface Looked {
  readonly name: FindingName;
  /** What was looked at: the URL of a KME, a peer, a setting, a file. */
  readonly about: string;
  /** One line, lower case, no full stop. */
  readonly text: string;
  readonly hint?: string | undefined;
}

export type Finding =
  | (Looked & { readonly standing: 'ok' | 'warning' | 'skipped' })
  | (Looked & { readonly standing: 'failed'; readonly fault: Fault });

export type Standing = Finding['standing'];

export function ok(name: FindingName, about: string, text: string): Finding {
  return { name, about, standing: 'ok', text };
}

export function warning(name: FindingName, about: string, text: string, hint?: string): Finding {
  return { name, about, standing: 'warning', text, hint };
}

export function skipped(name: FindingName, about: string, text: string): Finding {
  return { name, about, standing: 'skipped', text };
}

export function failed(
  name: FindingName,
  about: string,
  fault: Fault,
  { text, hint }: { readonly text: string; readonly hint?: string | undefined },
): Finding {
  return { name, about, standing: 'failed', fault, text, hint };
}

/** The fault that counts most; undefined where nothing has failed. */
export function worstFault(findings: readonly Finding[]): Fault | undefined {
  const faults = findings.flatMap((finding) => (finding.standing === 'failed' ? [finding.fault] : []));
  return FAULTS.find((fault) => faults.includes(fault));
}

/** `1 key`, `2 keys`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
