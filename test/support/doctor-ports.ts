/** A world for `doctor` in memory, in which all is well; tests replace what is not to be. */
import { QkdSyncError } from '../../src/base/errors.js';
import type { DiskFacts, DoctorPorts, HttpSight, KmeProbe, ProbedKme } from '../../src/doctor/ports.js';
import { ManualClock } from './manual-clock.js';

export const HTTP_OK: HttpSight = { status: 200, date: undefined, askedAt: 0, answeredAt: 0 };

/** How a KME of no particular kind is asked. */
export const PLAIN_WAY: Omit<ProbedKme, 'url' | 'tls'> = {
  insecure: false,
  encMethod: 'post',
  decMethod: 'post',
  extensions: {},
  timeoutMs: 1_000,
  parallel: 1,
};

export const PLAIN_KME: ProbedKme = { ...PLAIN_WAY, url: 'https://kme.example', tls: {} };

/** As Node's errors are. */
export function coded(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

export const GOOD_PROBE: KmeProbe = {
  status: () => Promise.resolve({ value: { storedKeyCount: 10 }, http: HTTP_OK }),
  drawKey: (_sae, size) => Promise.resolve({ value: size / 8, http: HTTP_OK }),
  close: () => Promise.resolve(),
};

/** An answer that is an error. */
export function refusal(
  status: number | undefined,
  message: string,
  ended?: 'refused' | 'broken',
): Awaited<ReturnType<KmeProbe['status']>> & { readonly error: QkdSyncError } {
  const http = status === undefined ? undefined : { ...HTTP_OK, status };
  return { error: new QkdSyncError('kme-answer', message, { hint: 'do something' }), http, ended };
}

/** What lies on a disk in memory: text is a file, null a folder. */
export function memoryDisk(
  tree: Readonly<Record<string, string | null>>,
  facts: (path: string) => Partial<DiskFacts> = () => ({}),
): DoctorPorts['disk'] {
  return {
    stat: (path) => {
      const content = tree[path];
      if (content === undefined) return Promise.resolve(undefined);
      const kind = content === null ? 'folder' : 'file';
      const usual = {
        kind,
        bytes: content?.length ?? 0,
        mode: content === null ? 0o700 : 0o600,
        uid: 1_000,
      } as const;
      return Promise.resolve({ ...usual, ...facts(path) });
    },
    list: (path) =>
      Promise.resolve(
        Object.keys(tree)
          .filter((one) => one.startsWith(`${path}/`))
          .map((one) => one.slice(path.length + 1)),
      ),
    fileSystem: () => Promise.resolve(0xef53),
    scan: (path, look) => {
      const content = tree[path];
      if (typeof content !== 'string') return Promise.reject(coded('EACCES'));
      // In pieces that end in the middle of lines.
      for (let at = 0; at < content.length; at += 100) look(Buffer.from(content.slice(at, at + 100)));
      return Promise.resolve();
    },
  };
}

export function doctorPorts(
  changed: Partial<DoctorPorts> = {},
): DoctorPorts & { readonly clock: ManualClock } {
  const clock = new ManualClock();
  return {
    network: {
      lookup: () => Promise.resolve(['192.0.2.1']),
      connect: () => Promise.resolve('192.0.2.1'),
      connectTls: () =>
        Promise.resolve({ protocol: 'TLSv1.3', chain: [], own: undefined, distrust: undefined }),
    },
    openKme: () => GOOD_PROBE,
    disk: memoryDisk({}),
    nextIndex: () => Promise.resolve(0),
    uid: 1_000,
    signal: new AbortController().signal,
    ...changed,
    clock,
  };
}
