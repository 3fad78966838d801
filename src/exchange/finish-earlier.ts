/** What a responder does about what earlier runs have left, before anybody comes. */
import { passingOver, QkdSyncError } from '../base/errors.js';
import type { PeerSite, RunPorts } from './run.js';

/**
 * What an earlier run had decided is finished at any start, and what it had half staged is cleared away, without the
 * peer. Answers the error of storage that stood in the way: it keeps no other peer from being answered, and each contact
 * does the same again before that peer is. Error `suspect` ends the run.
 */
export async function finishEarlier(ports: RunPorts, peer: PeerSite): Promise<QkdSyncError | undefined> {
  const { store, lock, log, signal } = ports;
  let failure: QkdSyncError | undefined;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof QkdSyncError) || error.code !== 'storage') throw error;
      const { message, hint } = error;
      log('error', 'not-finished', `cannot finish what is open with ${peer.site}: ${message}`, {
        peer: peer.site,
        hint,
      });
      failure ??= error;
    }
  };
  await attempt(async () => {
    await store.preparePeer(peer.site);
    const unlock = await passingOver('busy', () => lock(store.layout.lock(peer.site), 0, signal));
    if (unlock === undefined) {
      log('step', 'busy', `another run is working on peer ${peer.site}`);
      return;
    }
    try {
      // A disk that is full takes the files of the one once the other has made room.
      await attempt(() => store.redo(peer.site));
      await attempt(() => store.tidy(peer.site));
    } finally {
      await unlock();
    }
  });
  return failure;
}
