/** Certificates that have expired, or will soon. Nothing throws. */
import { X509Certificate } from 'node:crypto';
import { counted, failed, ok, warning, type Fault, type Finding } from './finding.js';
import { dayOf } from './tls.js';

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** Certificates that stand together: those of one file, or those that a KME shows. */
export interface Certificates {
  /** The setting that names the file, or the KME's URL. */
  readonly about: string;
  /** What an exchange meets where they have expired. */
  readonly fault: Fault;
  /** Whether any one of them is enough, as in a file of CAs. */
  readonly isChoice: boolean;
  readonly all: readonly X509Certificate[];
}

/** The certificates in PEM text. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

export function examineExpiry({ about, fault, isChoice, all }: Certificates, now: number): Finding {
  const name = 'certificate-expiry';
  const ends = all.map(({ validTo }) => Date.parse(validTo));
  const starts = all.map(({ validFrom }) => Date.parse(validFrom));
  // Of several CAs the old ones may go, as long as one is left.
  const end = isChoice ? Math.max(...ends) : Math.min(...ends);
  const start = isChoice ? Math.min(...starts) : Math.max(...starts);
  const hint = 'have it renewed';
  if (start > now) {
    const text = `not valid before ${dayOf(start)}`;
    return failed(name, about, fault, { text, hint: "check this machine's clock" });
  }
  if (end <= now) return failed(name, about, fault, { text: `expired on ${dayOf(end)}`, hint });
  const days = Math.floor((end - now) / DAY_MS);
  if (days < SOON_DAYS)
    return warning(name, about, `expires in ${counted(days, 'day')}, on ${dayOf(end)}`, hint);
  return ok(name, about, `valid until ${dayOf(end)}`);
}
