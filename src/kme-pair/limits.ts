/** What one KME of the pair offers; sizes in bits. Names as in ETSI GS QKD 014's status (section 6.1). */
export interface Limits {
  readonly keySize: number;
  readonly maxKeyCount: number;
  readonly maxKeyPerRequest: number;
  readonly maxKeySize: number;
  readonly minKeySize: number;
}

export const DEFAULT_LIMITS: Limits = {
  keySize: 256,
  maxKeyCount: 100_000,
  maxKeyPerRequest: 128,
  maxKeySize: 1_024,
  minKeySize: 64,
};

/** No request body that is legal under `limits` is longer, in bytes: 512 for each key ID with all that goes around it. */
export function maxBodyBytes(limits: Limits): number {
  return 16_384 + 512 * limits.maxKeyPerRequest;
}
