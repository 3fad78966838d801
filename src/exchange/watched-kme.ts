/** A KME that tells somebody how far each fetch of keys has come. */
import type { Kme } from '../kme/kme.js';

/** Told of one fetch of keys while it goes on. */
export interface FetchWatch {
  /** So many of the keys have come by now. */
  come(done: number): void;
  /** All of them have, or none will. */
  end(): void;
}

/** Begins to watch a fetch of so many keys. */
export type WatchFetch = (total: number) => FetchWatch;

export function watchedKme(kme: Kme, watchFetch: WatchFetch): Kme {
  const watched = async <T>(total: number, fetch: (come: FetchWatch['come']) => Promise<T>): Promise<T> => {
    const watch = watchFetch(total);
    try {
      return await fetch((done) => {
        watch.come(done);
      });
    } finally {
      watch.end();
    }
  };
  return {
    status: (peerSae, signal) => kme.status(peerSae, signal),
    getKey: (slaveSae, request, signal) =>
      watched(request.number, (come) => kme.getKey(slaveSae, request, signal, come)),
    getKeyWithKeyIds: (masterSae, keyIds, size, signal) =>
      watched(keyIds.length, (come) => kme.getKeyWithKeyIds(masterSae, keyIds, size, signal, come)),
    get servedBy() {
      return kme.servedBy;
    },
    close: () => kme.close(),
  };
}
