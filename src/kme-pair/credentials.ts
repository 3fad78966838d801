/**
 * All credentials of the KME pair: one CA for KMEs and SAEs, another for the channel between the sites, so that
 * no SAE's certificate opens a channel and no site's certificate draws a key.
 *
 * Loads the X.509 library (certificates.ts): import it only where credentials are made.
 */
import {
  makeAuthority,
  type Authority,
  type CertificateSources,
  type Credential,
  type Holder,
} from './certificates.js';
import { SIDE_A, SIDE_B, type CredentialFile, type Side } from './names.js';

/** The PEM text of every credential file. */
export async function makeCredentials(sources: CertificateSources): Promise<Record<CredentialFile, string>> {
  const kmeCa = await makeAuthority('qkd-sync try-out KME CA', sources);
  const sitesCa = await makeAuthority('qkd-sync try-out sites CA', sources);
  const [a, b] = await Promise.all([issueSide(SIDE_A, kmeCa, sitesCa), issueSide(SIDE_B, kmeCa, sitesCa)]);
  return {
    'kme-ca.pem': kmeCa.cert,
    'kme-a.pem': a.kme.cert,
    'kme-a.key': a.kme.key,
    'kme-a.no-san.pem': a.noSan,
    'kme-a.ip-only.pem': a.ipOnly,
    'kme-a.wrong-name.pem': a.wrongName,
    'kme-a.expired.pem': a.expired,
    'kme-b.pem': b.kme.cert,
    'kme-b.key': b.kme.key,
    'kme-b.no-san.pem': b.noSan,
    'kme-b.ip-only.pem': b.ipOnly,
    'kme-b.wrong-name.pem': b.wrongName,
    'kme-b.expired.pem': b.expired,
    'sae-a.pem': a.sae.cert,
    'sae-a.key': a.sae.key,
    'sae-b.pem': b.sae.cert,
    'sae-b.key': b.sae.key,
    'sites-ca.pem': sitesCa.cert,
    'a.pem': a.channel.cert,
    'a.key': a.channel.key,
    'b.pem': b.channel.cert,
    'b.key': b.channel.key,
  };
}

/** What one side presents: its KME with several certificates, its SAE and its site with one each. */
interface SideCredentials {
  readonly kme: Credential;
  readonly noSan: string;
  readonly ipOnly: string;
  readonly wrongName: string;
  readonly expired: string;
  readonly sae: Credential;
  readonly channel: Credential;
}

async function issueSide(side: Side, kmeCa: Authority, sitesCa: Authority): Promise<SideCredentials> {
  const server = { commonName: side.kme, usages: ['server'] } as const;
  const addresses = { ipAddresses: ['127.0.0.1', '::1'] };
  const proper: Holder = { ...server, ...addresses, dnsNames: ['localhost', side.kme] };
  const { others, ...kme } = await kmeCa.issueKinds(proper, [
    server,
    { ...server, ...addresses },
    { ...server, commonName: 'another-kme', dnsNames: ['another-kme'] },
    { ...proper, expired: true },
  ]);
  const [noSan = '', ipOnly = '', wrongName = '', expired = ''] = others;
  return {
    kme,
    noSan,
    ipOnly,
    wrongName,
    expired,
    sae: await kmeCa.issue({ commonName: side.sae, usages: ['client'] }),
    // Either site may dial or listen, depending on the command that it runs.
    channel: await sitesCa.issue({
      commonName: side.site,
      dnsNames: [side.site],
      usages: ['server', 'client'],
    }),
  };
}
