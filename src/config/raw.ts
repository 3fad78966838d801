/** A value as it was written, and where. */

export interface Origin {
  readonly kind: 'flag' | 'environment' | 'file' | 'default';
  /** How a message names it: `--kme`, `QKD_SYNC_KME_URL`, `/etc/qkd-sync/config.yaml:7: kme.url`. */
  readonly subject: string;
  /** What a relative path is relative to. */
  readonly folder: string;
}

export interface Raw {
  readonly text: string;
  readonly origin: Origin;
}

/** One source of settings: what it says, by key. */
export type Layer = ReadonlyMap<string, Raw>;
