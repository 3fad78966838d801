/** Why the responder says no to a HELLO: who asks, or what is wanted. */
import { clean } from '../base/errors.js';
import { roleOf } from '../base/site.js';
import { PROTOCOL_VERSION, REASON_MAX, type Hello, type NakCode, type Naming, type Want } from './message.js';

export interface Refusal {
  readonly code: NakCode;
  readonly reason: string;
}

/** What this site is configured to exchange. */
export interface AgreedTerms {
  readonly count: number;
  readonly size: number;
  readonly naming: Naming;
}

/** Who this site is, and whom it answers. */
export interface Doorkeeper {
  readonly site: string;
  /** Who may be at the other end: the one authenticated site, or all configured ones where nothing authenticates. */
  readonly peers: readonly { readonly site: string; readonly sae: string }[];
  readonly anyRole: boolean;
}

/** What is to be done about a refusal, for the refusals that say no more than what differs. */
export const REFUSAL_HINTS: Readonly<Partial<Record<NakCode, string>>> = {
  version: 'install the same version of qkd-sync on both sites',
  role: 'use --any-role on both sites, or on neither',
  identity: 'compare site and sae of each site with peers.<site> and peers.<site>.sae of the other',
  count: 'set exchange.count (--count) alike on both sites',
  size: 'set exchange.size (--size) alike on both sites',
  naming: 'set exchange.naming (--naming) alike on both sites',
};

/** A refusal fit for a NAK: one character is left for the mark of what has been cut off. */
export function refusal(code: NakCode, reason: string): Refusal {
  return { code, reason: clean(reason, REASON_MAX - 1) };
}

/** Why this initiator is not answered. @param before its HELLO earlier in this connection */
export function refusalOfHello(
  { site, peers, anyRole }: Doorkeeper,
  hello: Hello,
  before?: Hello,
): Refusal | undefined {
  const { version, sae } = hello;
  if (version !== PROTOCOL_VERSION) {
    return refusal('version', `this site speaks version ${PROTOCOL_VERSION}, not ${version}`);
  }
  // One connection is one initiator's: its state folder cannot change in the middle.
  const same = before === undefined || (before.site === hello.site && before.stateId === hello.stateId);
  if (!same || !peers.some((peer) => peer.site === hello.site && peer.sae === sae)) {
    return refusal(
      'identity',
      `site ${hello.site} with SAE ${sae} is not who is configured for this connection`,
    );
  }
  if (!anyRole && roleOf(site, hello.site) !== 'responder') {
    return refusal('role', `between ${site} and ${hello.site} it is ${site} that initiates`);
  }
  return undefined;
}

/**
 * Why this site cannot exchange what is wanted, as far as its configuration and its records say.
 * @param nextIndex the number of the next file here
 * @param alarms how many exchanges only an operator at the initiator can settle: the numbers that they hold are passed over
 */
export function refusalOfWant(
  { count, size, naming }: AgreedTerms,
  nextIndex: number,
  alarms: number,
  want: Want,
): Refusal | undefined {
  const differ = (code: NakCode, here: string, there: string): Refusal =>
    refusal(code, `the responder is configured for ${here}, the initiator for ${there}`);

  if (want.count !== count) return differ('count', `${count} keys a file`, `${want.count}`);
  if (want.size !== size) return differ('size', `keys of ${size} bits`, `${want.size}`);
  if (want.naming !== naming) return differ('naming', `naming by ${naming}`, want.naming);
  const passesOver = alarms > 0 && want.index !== undefined && want.index > nextIndex;
  if (want.index !== undefined && want.index !== nextIndex && !passesOver) {
    const together = Math.max(want.index, nextIndex);
    return refusal(
      'index',
      `the next file has number ${nextIndex} here, ${want.index} at the initiator; --index ${together} on both sites brings them together`,
    );
  }
  return undefined;
}
