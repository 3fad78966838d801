/** The names that a certificate bears, for people. */
import type { X509Certificate } from 'node:crypto';
import { clean } from '../base/errors.js';

/** More than that helps nobody. */
const SHOWN = 8;

/** `DNS:kme-a.example, IP Address:192.0.2.1, CN=kme-a`. */
export function namesOf({ subjectAltName, subject }: X509Certificate): string {
  const common = subject.split('\n').filter((part) => part.startsWith('CN='));
  const alternative = subjectAltName?.split(', ') ?? [];
  const names = [...alternative, ...common].map((name) => clean(name, 80));
  if (names.length === 0) return 'no name';
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return names.slice(0, SHOWN).join(', ') + more;
}
