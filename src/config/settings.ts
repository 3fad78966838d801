/** Validated settings, as the commands take them. Paths are absolute, durations in milliseconds. */
import type { Secret } from '../base/key.js';
import type { ListenAddress } from './address.js';

/** A site that this one exchanges keys with. */
export interface Peer {
  readonly site: string;
  readonly sae: string;
  /** The name in its certificate. */
  readonly name: string;
  /** Where sites authenticate by pre-shared keys. */
  readonly psk?: Secret;
}

/** A peer to call. */
export interface DialledPeer extends Peer {
  readonly host: string;
  readonly port: number;
}

/** How the sites authenticate: one way for all of them. PEM texts, not names of files. */
export type Auth =
  | { readonly kind: 'certificates'; readonly ca: string; readonly cert: string; readonly key: string }
  | { readonly kind: 'psk' }
  | { readonly kind: 'none' };

/** What is in the files, not their names; `cert` and `key`, or `pkcs12`, or neither. */
export interface KmeSettings {
  /** In the order in which they are tried. */
  readonly urls: readonly string[];
  readonly insecure: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly pkcs12?: Uint8Array;
  readonly passphrase?: Secret;
  readonly serverName?: string;
  readonly encMethod: 'post' | 'get';
  readonly decMethod: 'post' | 'get';
  readonly extensions: {
    readonly mandatory?: readonly Readonly<Record<string, unknown>>[];
    readonly optional?: readonly Readonly<Record<string, unknown>>[];
  };
  readonly timeoutMs: number;
  readonly waitMs: number;
  readonly maxPerRequest?: number;
  readonly parallel: number;
}

export interface ExchangeSettings {
  /** Keys in a file. */
  readonly count: number;
  /** Bits of each key. */
  readonly size: number;
  readonly format: 'hex';
  readonly naming: 'index' | 'key-id';
  readonly ackTimeoutMs: number;
  readonly deadlineMs: number;
}

export interface StatusSettings {
  readonly site?: string;
  readonly keys: string;
  readonly state: string;
}

export interface ResolveSettings extends StatusSettings {
  readonly lockWaitMs: number;
}

/** What every contact with a peer needs. */
export interface ContactSettings extends StatusSettings {
  readonly site: string;
  readonly sae: string;
  readonly auth: Auth;
  readonly requireHybrid: boolean;
  /** The peers that this run has to do with: one to call, all to answer. Their site IDs differ even ignoring case. */
  readonly peers: readonly Peer[];
  readonly exchange: ExchangeSettings;
  readonly lockWaitMs: number;
  readonly connectWaitMs: number;
  /** The same as `auth` being `none`. */
  readonly insecure: boolean;
  readonly anyRole: boolean;
}

export interface RecoverSettings extends ContactSettings {
  readonly peer: DialledPeer;
}

export interface InitiateSettings extends RecoverSettings {
  readonly kme: KmeSettings;
  readonly index?: number;
}

export interface RespondSettings extends ContactSettings {
  readonly kme: KmeSettings;
  readonly index?: number;
  readonly listen: ListenAddress;
  readonly timeoutMs: number;
}

/** The commands that need settings, with what they get. */
export interface SettingsOf {
  initiate: InitiateSettings;
  respond: RespondSettings;
  recover: RecoverSettings;
  status: StatusSettings;
  resolve: ResolveSettings;
}
