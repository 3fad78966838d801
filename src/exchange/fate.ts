/** What has become of a vote of which no record is left: told by whoever can have removed it. */
import { QkdSyncError } from '../base/errors.js';
import type { Store } from '../store/store.js';
import type { OwnExchange, RunReport } from './outcome.js';
import type { PeerSite } from './run.js';

/** What this run has heard of it. */
export interface Hearsay {
  /** What the initiator has said last. */
  readonly told: 'commit' | 'abort' | undefined;
  /** END was heard. */
  readonly hasEnded: boolean;
}

export async function fateOf(
  store: Store,
  peer: PeerSite | undefined,
  exchange: OwnExchange,
  { told, hasEnded }: Hearsay,
): Promise<Pick<RunReport, 'exchange' | 'error'>> {
  const fate = (progress: OwnExchange['progress'], error?: QkdSyncError) => ({
    exchange: { ...exchange, progress },
    error,
  });
  if (hasEnded) return fate('committed');
  if (peer !== undefined && (await store.wasForgotten(peer.site, exchange.id)))
    return fate('open', recordForgotten());
  // But for an operator, only END removes what is committed: another run has heard it.
  if (exchange.progress === 'committed') return fate('committed');
  switch (told) {
    case 'abort':
      return fate('open', new QkdSyncError('peer-aborted', 'the initiator aborted the exchange'));
    case 'commit':
      return fate('open', recordVanished());
    case undefined:
      return fate('elsewhere', endedElsewhere());
  }
}

const recordForgotten = (): QkdSyncError =>
  new QkdSyncError(
    'alarm',
    "an operator has had the record of the exchange removed with 'resolve --forget'",
    {
      hint: 'compare the key files of both sites',
    },
  );

const recordVanished = (): QkdSyncError =>
  new QkdSyncError('alarm', 'the initiator has committed the exchange, and its record here is gone', {
    hint: 'find out what has removed it; the initiator is in alarm too and keeps its record: compare the key files of both sites',
  });

const endedElsewhere = (): QkdSyncError =>
  new QkdSyncError(
    'peer-lost',
    'another run of this site has ended the exchange, and this one has not heard how',
    {
      hint: 'that run says so, and the folder of keys shows it',
    },
  );
