/** What an initiator does where the connection broke between its decision and the peer's answer. */
import { sleep } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import type { Dial } from '../peer/channel.js';
import { contact, type ContactResult, type FoundAlarms } from './contact.js';
import type { PeerSite, RunPorts, SiteSettings } from './run.js';

/** Between two tries to reach the peer, in milliseconds. */
export const REDIAL_MS = 250;

/**
 * Within x the peer is dialled again and told again. After x the key file is published all the same, because the
 * decision is durable; the peer learns it at the next contact. The same at once where the peer has said that an operator
 * there must act first. Answers all the alarms that were met.
 */
export async function repeatDecision(
  settings: SiteSettings & { readonly peer: PeerSite },
  ports: RunPorts & { readonly dial: Dial },
  stateId: string,
  result: ContactResult,
): Promise<FoundAlarms> {
  const { store, clock, log } = ports;
  const { exchange, ackAt } = result;
  let { alarms } = result;
  if (exchange?.progress !== 'committed' || ackAt === undefined) return alarms;
  const { peer, terms } = settings;
  const until = ackAt + terms.ackTimeoutMs;
  const isOpen = async (): Promise<boolean> =>
    (await store.survey(peer.site)).some(
      ({ place, alarm }) => place.id === exchange.id && alarm === undefined,
    );

  if (!(await isOpen())) return alarms;
  // A signal does not end this, because the decision has been made; x does, whatever the peer does or fails to do.
  const x = new AbortController();
  const cancel = clock.after(until - clock.monotonic(), () => {
    x.abort();
  });
  const patient = { ...ports, signal: x.signal };
  try {
    let open = !result.barred.has(exchange.id);
    while (open && clock.monotonic() < until) {
      log('step', 'repeating', 'repeating the decision', { exchange: exchange.id });
      try {
        const channel = await patient.dial(x.signal);
        const again = await contact(settings, peer, stateId, patient, channel);
        alarms = {
          atPeer: Math.max(alarms.atPeer, again.alarms.atPeer),
          here: new Set([...alarms.here, ...again.alarms.here]),
        };
        if (again.barred.has(exchange.id)) break;
      } catch (error) {
        if (!(error instanceof QkdSyncError)) throw error;
        log('step', 'not-reached', `cannot repeat the decision yet: ${error.message}`);
      }
      open = await isOpen();
      if (open) await sleep(clock, REDIAL_MS, x.signal);
    }
  } finally {
    cancel();
  }
  await store.redo(peer.site);
  return alarms;
}
