/**
 * The KME client as `doctor` uses it: one try of each request, with a look at how the answer came.
 *
 * It is the client of the exchange itself, so that what is found is what an exchange would meet.
 */
import { Agent, fetch as undiciFetch } from 'undici';
import type { Clock } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { createKmeClient } from '../kme/client.js';
import { isBreak, isCertificateRefusal } from '../kme/connection-error.js';
import type { Fetch } from '../kme/http.js';
import { agentOptions } from '../kme/tls.js';
import type { Answer, HttpSight, KmeProbe, ProbedKme } from './ports.js';

/** @param fetch instead of undici's, for tests */
export function openKmeProbe(
  { url, method, timeoutMs, tls }: ProbedKme,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
  fetch?: Fetch,
): KmeProbe {
  const agent = new Agent(agentOptions(tls, timeoutMs));
  const send: Fetch = fetch ?? ((target, init) => undiciFetch(target, { ...init, dispatcher: agent }));
  let http: HttpSight | undefined;
  let ended: 'refused' | 'broken' | undefined;

  const observed: Fetch = async (target, init) => {
    const askedAt = clock.now();
    try {
      const response = await send(target, init);
      http = {
        status: response.status,
        date: response.headers.get('date') ?? undefined,
        askedAt,
        answeredAt: clock.now(),
      };
      return response;
    } catch (error) {
      ended = isCertificateRefusal(error) ? 'refused' : isBreak(error) ? 'broken' : undefined;
      throw error;
    }
  };

  async function observe<T>(ask: () => Promise<T>): Promise<Answer<T>> {
    http = undefined;
    ended = undefined;
    try {
      return { value: await ask(), http };
    } catch (error) {
      if (!(error instanceof QkdSyncError) || error.code === 'interrupted') throw error;
      return { error, http, ended };
    }
  }

  // A KME that is busy is not asked again: that it is, is what was to be found out.
  const kme = createKmeClient({ url, method, timeoutMs, waitMs: 0, tls, clock, log, fetch: observed });
  return {
    status: (peerSae) => observe(() => kme.status(peerSae, signal)),
    drawKey: (peerSae, size) =>
      observe(async () => {
        const [key] = await kme.getKey(peerSae, { number: 1, size }, signal);
        if (key === undefined) throw new QkdSyncError('kme-answer', 'the KME gave no key');
        const { byteLength } = key.secret;
        key.secret.wipe();
        return { keyId: key.keyId, byteLength };
      }),
    close: async () => {
      await kme.close();
      await agent.destroy();
    },
  };
}
