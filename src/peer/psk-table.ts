/** The pre-shared keys that a listening site knows, by the identity that a dialler claims. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { pskCredential, type PeerIdentity } from './credentials.js';

export interface PskEntry {
  readonly peer: PeerIdentity;
  readonly psk: Uint8Array;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export class PskTable {
  readonly #entries: readonly (PskEntry & { readonly digest: Buffer })[];

  /** The keys of all `peers` that have one; the dialler is the initiator. Throws `config` for one that cannot be used. */
  constructor(site: string, peers: readonly PeerIdentity[]) {
    this.#entries = peers.flatMap((peer) => {
      const credential = pskCredential(peer, peer.site, site);
      if (credential === undefined) return [];
      return [{ peer, psk: credential.psk, digest: digest(credential.identity) }];
    });
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Whose identity this is. Takes as long for each peer and for nobody, so that time does not tell who is configured. */
  find(identity: string): PskEntry | undefined {
    const claimed = digest(identity);
    let found: PskEntry | undefined;
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.digest, claimed)) found = entry;
    }
    return found;
  }
}
