/**
 * One HTTP request on undici's own dispatcher, which tells what its `fetch` does not: whether anything was sent.
 *
 * undici calls `onRequestStart` once it has a connection, TLS and the certificate's checks included, right before it
 * writes the request's first byte. As long as `onSent` has not been called, the KME cannot have heard of the request.
 */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Fetch, FetchResponse } from './http.js';

export function fetchBy(dispatcher: Dispatcher): Fetch {
  return (address, { method, headers, body, signal, onSent }) =>
    new Promise<FetchResponse>((resolve, reject) => {
      const { origin, pathname, search } = new URL(address);
      const aborted = (): Error => new Error('given up');
      let controller: Dispatcher.DispatchController | undefined;
      // A body that nobody reads any more holds up the connection no longer.
      const stream = new Readable({
        read: () => controller?.resume(),
        destroy: (error, done) => {
          controller?.abort(error ?? aborted());
          done(error);
        },
      });
      // Whoever reads it hears of it; after that, or before, there is nobody to tell.
      stream.on('error', () => undefined);
      signal.addEventListener('abort', () => {
        controller?.abort(aborted());
        reject(aborted());
      });
      dispatcher.dispatch(
        { origin, path: pathname + search, method, headers, body: body ?? null },
        {
          onRequestStart: (given) => {
            controller = given;
            if (signal.aborted) given.abort(aborted());
            else onSent();
          },
          onResponseStart: (_controller, status, fields) => {
            // 1xx only announce the answer.
            if (status < 200) return;
            const get = (name: string): string | null => {
              const value = fields[name];
              return (Array.isArray(value) ? value[0] : value) ?? null;
            };
            resolve({ status, headers: { get }, body: stream });
          },
          onResponseData: (given, chunk) => {
            if (!stream.push(chunk)) given.pause();
          },
          onResponseEnd: () => {
            stream.push(null);
          },
          onResponseError: (_controller, error) => {
            reject(error);
            stream.destroy(error);
          },
        },
      );
    });
}
