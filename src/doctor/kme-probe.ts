/**
 * The KME client as `doctor` uses it: one try of each request, with a look at how the answer came.
 *
 * It is the client of the exchange itself, so that what is found is what an exchange would meet.
 */
import { Agent } from 'undici';
import type { Clock } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { createKmeClient } from '../kme/client.js';
import { isBreak, isRefusedCertificate } from '../kme/connection-error.js';
import { fetchBy } from '../kme/dispatch.js';
import type { Fetch } from '../kme/http.js';
import { loseKeys } from '../kme/lost-keys.js';
import { agentOptions } from '../kme/tls.js';
import type { Answer, HttpSight, KmeProbe, ProbedKme } from './ports.js';

export interface ProbeSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** @param fetch instead of undici's, for tests */
export function openKmeProbe(
  { url, tls, ...how }: ProbedKme,
  { clock, random, log, signal }: ProbeSurroundings,
  fetch?: Fetch,
): KmeProbe {
  const agent = new Agent(agentOptions(tls, how.timeoutMs));
  const send = fetch ?? fetchBy(agent);
  let seen: { readonly http?: HttpSight; readonly broken?: boolean } = {};

  const observed: Fetch = async (target, init) => {
    const askedAt = clock.now();
    try {
      const response = await send(target, init);
      const date = response.headers.get('date') ?? undefined;
      seen = { http: { status: response.status, date, askedAt, answeredAt: clock.now() } };
      return response;
    } catch (error) {
      // Where no certificate is shown, none is refused.
      seen = { broken: new URL(url).protocol === 'https:' && isBreak(error) };
      throw error;
    }
  };

  async function observe<T>(ask: () => Promise<T>): Promise<Answer<T>> {
    seen = {};
    try {
      const value = await ask();
      return { value, http: seen.http };
    } catch (error) {
      if (!(error instanceof QkdSyncError) || error.code === 'interrupted') throw error;
      const ended = isRefusedCertificate(error) ? 'refused' : seen.broken === true ? 'broken' : undefined;
      return { error, http: seen.http, ended };
    }
  }

  // A KME that is busy is not asked again: that it is, is what was to be found out.
  const kme = createKmeClient({
    ...how,
    urls: [url],
    waitMs: 0,
    tls,
    clock,
    random,
    log,
    fetch: observed,
  });
  return {
    status: (peerSae) => observe(() => kme.status(peerSae, signal)),
    drawKey: (peerSae, size) =>
      observe(async () => {
        const keys = await kme.getKey(peerSae, { number: 1, size }, signal);
        const byteLength = keys.reduce((sum, { secret }) => sum + secret.byteLength, 0);
        loseKeys(
          log,
          'enc_keys',
          keys,
          `drawn for SAE ${peerSae} to see that it can be, neither site has it`,
        );
        return byteLength;
      }),
    close: async () => {
      await kme.close();
      await agent.destroy();
    },
  };
}
