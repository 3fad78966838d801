/** A bound on one wait. */
import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/duration.js';
import { QkdSyncError } from '../base/errors.js';

export interface Bound {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
}

/** `work`'s result. Errors: those of `work`, `kme-unreachable` when the time is over, `interrupted`. */
export async function within<T>(
  { clock, timeoutMs, signal }: Bound,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  let cancel = (): void => undefined;
  let onAbort = (): void => undefined;
  const over = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(new QkdSyncError('interrupted', 'interrupted'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    cancel = clock.after(timeoutMs, () => {
      const text = `no answer in ${formatDuration(timeoutMs)}`;
      reject(new QkdSyncError('kme-unreachable', text, { hint: 'check kme.url, or raise kme.timeout' }));
    });
  });
  try {
    return await Promise.race([over, work(end.signal)]);
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
    end.abort();
  }
}
