/**
 * `doctor`: everything that an exchange needs of this site and its KME, looked at in the order in which it needs it.
 *
 * Calling sequence: `examine` once. It changes nothing, and takes no key unless told to. Every wait is bounded by the
 * KME's time-out. Error: `interrupted`; whatever else is wrong is a finding.
 */
import { QkdSyncError } from '../base/errors.js';
import { parseKmeUrl } from '../kme/address.js';
import type { KmeTls } from '../kme/tls.js';
import { examineBlocks } from './blocks.js';
import { certificatesIn, examineExpiry, type Certificates } from './expiry.js';
import { examineFileSystem } from './file-system.js';
import { examineFileMode, type SecretFile } from './file-mode.js';
import { failed, skipped, type Finding, type FindingName } from './finding.js';
import type { DoctorPorts, ProbedKme } from './ports.js';
import { examineDns, examineTcp, nameOf } from './reach.js';
import { examineRouter, type Router } from './router.js';
import { examineService, type AskedFor } from './service.js';
import { examineTls } from './tls.js';

export interface DoctorSettings {
  /** Undefined where its settings are wrong. */
  readonly kme?: KmeAccess;
  readonly auth?: { readonly kind: string; readonly ca?: string; readonly cert?: string };
  readonly peers: readonly { readonly site: string; readonly sae: string }[];
  readonly exchange: {
    readonly count: number;
    readonly size: number;
    readonly format: string;
    readonly naming: string;
  };
  readonly keys: string;
  readonly state: string;
  readonly secretFiles: readonly SecretFile[];
  /** Where qkd-net's key router is set up. */
  readonly qkdNet?: Router;
  readonly takeKey: boolean;
}

/** One KME or several, and how they are asked. */
export interface KmeAccess extends KmeTls, Omit<ProbedKme, 'url' | 'tls'> {
  readonly urls: readonly string[];
}

export async function examine(settings: DoctorSettings, ports: DoctorPorts): Promise<Finding[]> {
  const { kme, secretFiles, keys, state, qkdNet } = settings;
  const findings: Finding[] = [];
  if (kme === undefined) findings.push(skipped('kme-dns', 'kme', 'what is set for the KME cannot be used'));
  for (const one of kme === undefined ? [] : eachOf(kme)) {
    findings.push(...(await examineKme(one, settings, ports)));
  }
  for (const certificates of ownCertificates(settings)) {
    findings.push(examineExpiry(certificates, ports.clock.now()));
  }
  for (const file of secretFiles) findings.push(await examineFileMode(file, ports.disk));
  for (const [setting, path] of Object.entries({ keys, state }))
    findings.push(await examineFileSystem({ setting, path }, ports.disk));
  if (qkdNet !== undefined) findings.push(...(await examineQkdNet(qkdNet, settings, ports)));
  return findings;
}

/** What cannot be looked at before the KME can be talked to. */
const TALK: readonly FindingName[] = [
  'kme-client-certificate',
  'kme-clock',
  'kme-status',
  'kme-stock',
  'kme-limits',
];

function eachOf({ urls, ca, cert, key, pkcs12, passphrase, serverName, ...how }: KmeAccess): ProbedKme[] {
  const tls = { ca, cert, key, pkcs12, passphrase, serverName };
  return urls.map((url) => ({ ...how, url, tls }));
}

async function examineKme(
  probed: ProbedKme,
  settings: DoctorSettings,
  ports: DoctorPorts,
): Promise<Finding[]> {
  const { network, clock, signal } = ports;
  const bound = { clock, timeoutMs: probed.timeoutMs, signal };
  let url: URL;
  try {
    url = parseKmeUrl(probed.url, probed.insecure);
  } catch (error) {
    if (!(error instanceof QkdSyncError)) throw error;
    const { message, hint } = error;
    return [failed('configuration', 'kme', 'configuration', { text: message, hint })];
  }
  const findings: Finding[] = [];
  const about = nameOf(url);
  const stop = (names: readonly FindingName[], why: string): Finding[] => {
    const open = names.filter((name) => !findings.some((finding) => finding.name === name));
    return [...findings, ...open.map((name) => skipped(name, about, why))];
  };

  findings.push(await examineDns(url, network, bound));
  if (hasFailed(findings))
    return stop(['kme-tcp', 'kme-tls', 'kme-certificate', ...TALK], 'the host has no address');
  findings.push(await examineTcp(url, network, bound));
  if (hasFailed(findings))
    return stop(['kme-tls', 'kme-certificate', ...TALK], 'nothing takes connections there');
  const tlsSeen = await examineTls(url, probed, network, bound);
  findings.push(...tlsSeen.findings);
  if (tlsSeen.chain.length > 0) {
    const shown = { about, fault: 'unreachable', isChoice: false, all: tlsSeen.chain } as const;
    findings.push(examineExpiry(shown, clock.now()));
  }
  if (tlsSeen.own !== undefined && probed.tls.pkcs12 !== undefined) {
    const ours = {
      about: 'kme.pkcs12',
      fault: 'configuration',
      isChoice: false,
      all: [tlsSeen.own],
    } as const;
    findings.push(examineExpiry(ours, clock.now()));
  }
  if (!tlsSeen.isTrusted)
    return stop(['kme-tls', 'kme-certificate', ...TALK], 'an exchange would stop before this');
  if (settings.peers.length === 0)
    return stop(TALK, 'no peer is configured to ask for: name one with --peer');

  const probe = ports.openKme(probed);
  try {
    findings.push(...(await examineService(url, askedFor(settings, probed), probe)));
  } finally {
    await probe.close();
  }
  return findings;
}

function askedFor({ peers, exchange, takeKey }: DoctorSettings, { tls, maxPerRequest }: ProbedKme): AskedFor {
  const { count, size } = exchange;
  const hasCertificate = tls.cert !== undefined || tls.pkcs12 !== undefined;
  return { peers, count, size, maxPerRequest, hasCertificate, takeKey };
}

function hasFailed(findings: readonly Finding[]): boolean {
  return findings.at(-1)?.standing === 'failed';
}

function ownCertificates({ kme, auth }: DoctorSettings): Certificates[] {
  const files = [
    { about: 'kme.ca', pem: kme?.ca, isChoice: true },
    { about: 'kme.cert', pem: kme?.cert, isChoice: false },
    { about: 'channel.ca', pem: auth?.ca, isChoice: true },
    { about: 'channel.cert', pem: auth?.cert, isChoice: false },
  ];
  return files.flatMap(({ about, pem, isChoice }) =>
    pem === undefined ? [] : [{ about, fault: 'configuration' as const, isChoice, all: certificatesIn(pem) }],
  );
}

async function examineQkdNet(
  router: Router,
  { peers, keys, exchange }: DoctorSettings,
  ports: DoctorPorts,
): Promise<Finding[]> {
  const findings = examineRouter(router, { keys, ...exchange });
  for (const { site } of peers) findings.push(...(await examineBlocks(site, keys, router, ports)));
  return findings;
}
