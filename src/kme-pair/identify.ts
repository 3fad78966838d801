/** Which SAE it is that asks, by its certificate. */
import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { Side } from './names.js';
import type { Transport } from './transport.js';

/** Undefined where the certificate names nobody, or nobody has shown one. */
export type Identify = (certificate: PeerCertificate | undefined) => string | undefined;

/** @param saePem the certificate of the SAE of this side */
export function identifyBy(transport: Transport, { sae }: Side, saePem: string): Identify {
  if (transport.scheme === 'http') return () => sae;
  switch (transport.knows) {
    case 'common-name':
    case 'no-certificate':
      return commonName;
    case 'serial': {
      const { serialNumber } = new X509Certificate(saePem);
      return (certificate) => (certificate?.serialNumber === serialNumber ? sae : undefined);
    }
  }
}

/** The CN, where the certificate has exactly one. */
function commonName(certificate: PeerCertificate | undefined): string | undefined {
  // A certificate with several CNs has an array here, whatever the type says.
  const names: unknown = certificate?.subject.CN;
  return typeof names === 'string' ? names : undefined;
}
