/** Who and what the KME pair consists of: two sites, each with a KME and an SAE, and the files that identify them. */

/** One side of the pair. `site`, `sae` and `kme` are the IDs; files are named after them. */
export interface Side {
  readonly letter: 'a' | 'b';
  readonly site: string;
  readonly sae: string;
  readonly kme: string;
}

export const SIDE_A: Side = { letter: 'a', site: 'A', sae: 'sae-a', kme: 'kme-a' };
export const SIDE_B: Side = { letter: 'b', site: 'B', sae: 'sae-b', kme: 'kme-b' };

/** The certificates (`.pem`) and private keys (`.key`) below DIR. */
export const CREDENTIAL_FILES = [
  'kme-ca.pem',
  'kme-a.pem',
  'kme-a.key',
  'kme-a.no-san.pem',
  'kme-a.ip-only.pem',
  'kme-a.wrong-name.pem',
  'kme-a.expired.pem',
  'kme-b.pem',
  'kme-b.key',
  'kme-b.no-san.pem',
  'kme-b.ip-only.pem',
  'kme-b.wrong-name.pem',
  'kme-b.expired.pem',
  'sae-a.pem',
  'sae-a.key',
  'sae-b.pem',
  'sae-b.key',
  'sites-ca.pem',
  'a.pem',
  'a.key',
  'b.pem',
  'b.key',
] as const;

export type CredentialFile = (typeof CREDENTIAL_FILES)[number];
