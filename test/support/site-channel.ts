/** Two sites, A and B, that talk over a real socket on loopback. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/base/clock.js';
import { QkdSyncError } from '../../src/base/errors.js';
import { Secret } from '../../src/base/key.js';
import type { Channel, Listener } from '../../src/peer/channel.js';
import type { ChannelAuth, PeerIdentity } from '../../src/peer/credentials.js';
import { createDial, type DialSettings } from '../../src/peer/dial.js';
import { createListen, type ListenSettings } from '../../src/peer/listen.js';
import { makeTestCa, type Subject, type TestCa } from './certificates.js';
import { RecordingLog } from './recording-log.js';

/** What a channel's owner hears. */
export class Ears {
  readonly frames: string[] = [];
  /** Every `closed`, to show that there is one only. */
  readonly closings: (QkdSyncError | undefined)[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(channel: Channel) {
    channel.attach({
      frame: (text) => {
        this.frames.push(text);
        this.#wake();
      },
      closed: (error) => {
        this.closings.push(error);
        this.#wake();
      },
    });
  }

  async frame(count = 1): Promise<string> {
    return this.#until(() => this.frames[count - 1]);
  }

  async closed(): Promise<QkdSyncError | undefined> {
    const { error } = await this.#until(() =>
      this.closings.length === 0 ? undefined : { error: this.closings[0] },
    );
    return error;
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** B's listener with all that came of it. */
export interface TestListener {
  readonly port: number;
  readonly channels: Channel[];
  readonly log: RecordingLog;
  channel(count?: number): Promise<Channel>;
}

/** Everything that a test opened, closed at its end. */
export class Sites {
  readonly #listeners: Listener[] = [];

  async listen(settings: Partial<ListenSettings> & Pick<ListenSettings, 'auth'>): Promise<TestListener> {
    const log = new RecordingLog();
    const channels: Channel[] = [];
    const waiting = new Set<() => void>();
    const listener = await createListen({
      site: 'B',
      peers: [A],
      host: '127.0.0.1',
      port: 0,
      requireHybrid: false,
      maxPayloadBytes: 1_000_000,
      maxSendBytes: 1_000_000,
      clock: systemClock,
      log: log.log,
      ...settings,
    })((channel) => {
      channels.push(channel);
      for (const wake of waiting) wake();
    });
    this.#listeners.push(listener);
    const channel = async (count = 1): Promise<Channel> => {
      for (;;) {
        const found = channels[count - 1];
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    };
    return { port: listener.port, channels, log, channel };
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }
}

export const A: PeerIdentity = { site: 'A', name: 'A' };
export const B: PeerIdentity = { site: 'B', name: 'B' };

/** Dials B as A. */
export function dial(
  port: number,
  settings: Partial<DialSettings> & Pick<DialSettings, 'auth'>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Channel> {
  return createDial({
    site: 'A',
    peer: B,
    host: '127.0.0.1',
    port,
    requireHybrid: false,
    maxPayloadBytes: 1_000_000,
    maxSendBytes: 1_000_000,
    clock: systemClock,
    log: () => undefined,
    ...settings,
  })(signal);
}

/** The error that a promise rejects with, which must be ours. */
export async function failure(promise: Promise<unknown>): Promise<QkdSyncError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof QkdSyncError) return error;
  throw error;
}

export const PSK = { kind: 'psk' } as const;
export const NONE = { kind: 'none' } as const;

export function newPsk(bytes = 32): Secret {
  return new Secret(randomBytes(bytes));
}

/** Credentials from `ca` for one site, which trusts that CA, or `trusted` if it is given. */
export async function certificateAuth(
  ca: TestCa,
  subject: Subject,
  trusted: TestCa = ca,
): Promise<Extract<ChannelAuth, { kind: 'certificates' }>> {
  return { kind: 'certificates', ca: trusted.cert, ...(await ca.issue(subject)) };
}

/** The usual case: one CA, `A` and `B` by common name. */
export interface CertificatePair {
  readonly ca: TestCa;
  readonly a: Extract<ChannelAuth, { kind: 'certificates' }>;
  readonly b: Extract<ChannelAuth, { kind: 'certificates' }>;
}

export async function certificatePair(): Promise<CertificatePair> {
  const ca = await makeTestCa('sites');
  return {
    ca,
    a: await certificateAuth(ca, { commonName: 'A' }),
    b: await certificateAuth(ca, { commonName: 'B' }),
  };
}
