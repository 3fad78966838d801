/** What `doctor` needs of the world, so that tests can stand in for it. */
import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { QkdSyncError } from '../base/errors.js';
import type { KmeClientOptions } from '../kme/client.js';
import type { KmeStatus } from '../kme/kme.js';
import type { KmeTls } from '../kme/tls.js';

export interface DoctorPorts {
  readonly network: Network;
  readonly openKme: (access: ProbedKme) => KmeProbe;
  readonly disk: Disk;
  /** The number of the next key file for a peer. Errors: `storage`, `suspect`. */
  readonly nextIndex: (peer: string) => Promise<number>;
  /** The user that we run as. */
  readonly uid: number;
  readonly clock: Clock;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
}

/** One KME, and how it is asked: as the client takes it. */
export interface ProbedKme extends Pick<
  KmeClientOptions,
  'insecure' | 'encMethod' | 'decMethod' | 'extensions' | 'timeoutMs' | 'maxPerRequest' | 'parallel' | 'tls'
> {
  readonly url: string;
}

/** Errors of all three: Node's, with their code. Each lets go at once when the signal aborts. */
export interface Network {
  /** The addresses of a host. */
  lookup(host: string): Promise<readonly string[]>;
  /** Makes a connection and ends it; answers the address that took it. */
  connect(target: Target, signal: AbortSignal): Promise<string>;
  /** Makes a TLS handshake, whatever certificate the other side shows, and ends it without a word. */
  connectTls(target: Target, tls: KmeTls, signal: AbortSignal): Promise<TlsSight>;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** What a TLS handshake has shown. */
export interface TlsSight {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** Its own first, the CA's last. */
  readonly chain: readonly X509Certificate[];
  /** What we have shown of ourselves; undefined for nothing. */
  readonly own: X509Certificate | undefined;
  /** Why the chain is not trusted, as a code of Node's; undefined where it is. */
  readonly distrust: string | undefined;
}

/** The KME client, and what its last answer was like. */
export interface KmeProbe {
  status(peerSae: string): Promise<Answer<KmeStatus>>;
  /** Draws one key and overwrites it: how many bytes it had. The key is lost, and the log says so. */
  drawKey(peerSae: string, size: number): Promise<Answer<number>>;
  close(): Promise<void>;
}

export type Answer<T> =
  | { readonly value: T; readonly http: HttpSight | undefined }
  | {
      readonly error: QkdSyncError;
      readonly http: HttpSight | undefined;
      /** The KME has turned our certificate down, or broken the connection without a word, which may mean the same. */
      readonly ended?: 'refused' | 'broken' | undefined;
    };

/** How an answer came, if one came at all. Wall-clock times in milliseconds. */
export interface HttpSight {
  readonly status: number;
  /** The `Date` header. */
  readonly date: string | undefined;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** Errors: Node's, with their code. Nothing of a file's content leaves `scan`'s caller. */
export interface Disk {
  /** What lies there, links followed; undefined for nothing. */
  stat(path: string): Promise<DiskFacts | undefined>;
  list(path: string): Promise<readonly string[]>;
  /** What kind of file system a folder lies on: `f_type` of statfs(2). */
  fileSystem(folder: string): Promise<number>;
  /** Shows a file piece by piece; each piece is overwritten as soon as `look` returns. */
  scan(path: string, look: (piece: Uint8Array) => void): Promise<void>;
}

export interface DiskFacts {
  readonly kind: 'file' | 'folder' | 'other';
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
}
