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

/**
 * Errors of every method: QkdSyncError with the code `kme-unreachable` (no connection, TLS failure, no answer in
 * time, connection lost), `kme-refused` (401, 403), `kme-empty` (503 for all of `wait`), `kme-answer` (any other
 * HTTP error, or an unusable body), or `interrupted` (the signal).
 */
export interface Kme {
  /** *Get status* for the peer's SAE (section 5.1). */
  status(peerSae: string, signal: AbortSignal): Promise<KmeStatus>;
  /** *Get key* (section 5.2): exactly `number` keys of exactly `size` bits, in the KME's order. */
  getKey(slaveSae: string, request: KeyRequest, signal: AbortSignal): Promise<Key[]>;
  /** *Get key with key IDs* (section 5.3): exactly these keys of `size` bits, in the order of `keyIds`. */
  getKeyWithKeyIds(
    masterSae: string,
    keyIds: readonly KeyId[],
    size: number,
    signal: AbortSignal,
  ): Promise<Key[]>;
  /** Closes idle connections. */
  close(): Promise<void>;
}
