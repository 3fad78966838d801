/** What the exchange needs from a KME, whatever stands behind it: the real client, or a simulated one. */
import type { Key, KeyId } from '../base/key.js';

/** What to ask for. `size` in bits, as ETSI GS QKD 014 has it. */
export interface KeyRequest {
  readonly number: number;
  readonly size: number;
}

/** The part of ETSI GS QKD 014's status data format that is worth showing; a KME may leave out any of it. */
export interface KmeStatus {
  readonly storedKeyCount?: number;
  readonly maxKeyCount?: number;
  readonly maxKeyPerRequest?: number;
  readonly keySize?: number;
  readonly minKeySize?: number;
  readonly maxKeySize?: number;
}

/** Told each time how many of the keys have come. */
export type KeyProgress = (done: number) => void;

/**
 * Errors of every method: QkdSyncError with the code
 * - `kme-unreachable`: no connection, TLS failure, no answer in time, connection lost
 * - `kme-refused`: our certificate is refused, and only then the error has a cause; or, for all of `wait`, 401, 403
 *   or an SAE that the KME does not know
 * - `kme-empty`: any other HTTP error, or no keys, for all of `wait`
 * - `kme-answer`: an unusable body, a redirect, or an HTTP error of `status`
 * - `config`: the KME does not take the method, or the SAE ID cannot be part of an address
 * - `interrupted`: the signal.
 */
export interface Kme {
  /** *Get status* for the peer's SAE (section 5.1). Asked once: what it says is advice. */
  status(peerSae: string, signal: AbortSignal): Promise<KmeStatus>;
  /** *Get key* (section 5.2): exactly `number` keys of exactly `size` bits, in the KME's order. */
  getKey(
    slaveSae: string,
    request: KeyRequest,
    signal: AbortSignal,
    onProgress?: KeyProgress,
  ): Promise<Key[]>;
  /** *Get key with key IDs* (section 5.3): exactly these keys of `size` bits, in the order of `keyIds`. */
  getKeyWithKeyIds(
    masterSae: string,
    keyIds: readonly KeyId[],
    size: number,
    signal: AbortSignal,
    onProgress?: KeyProgress,
  ): Promise<Key[]>;
  /** The origin of the KME that delivered keys last, of several; undefined before. */
  readonly servedBy: string | undefined;
  /** Closes idle connections. */
  close(): Promise<void>;
}
