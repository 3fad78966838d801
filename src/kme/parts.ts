/** Work on many keys in parts, several at a time. */

/** A stretch of a list. */
export interface Part {
  readonly at: number;
  readonly length: number;
}

/** `total` in stretches of at most `most`, in order. */
export function partsOf(total: number, most: number): Part[] {
  const size = Math.min(most, total);
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => {
    const at = index * size;
    return { at, length: Math.min(size, total - at) };
  });
}

/**
 * Does `work` on each item, `parallel` at a time, in the order of the items. At the first failure none is begun any
 * more and `stop` aborts; when those under way have ended too, that failure is thrown.
 */
export async function inParallel<T>(
  items: readonly T[],
  parallel: number,
  work: (item: T, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const failures: unknown[] = [];
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (stop.signal.aborted) return;
      try {
        await work(item, stop.signal);
      } catch (error) {
        failures.push(error);
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
