/** `doctor` in the real world: its ports on this machine's network and disk. */
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import { readBootId } from '../store/boot-id.js';
import { nodeFileSystem } from '../store/node-file-system.js';
import { createStore } from '../store/store.js';
import { examine, type DoctorSettings } from './doctor.js';
import type { Finding } from './finding.js';
import { openKmeProbe } from './kme-probe.js';
import { nodeDisk } from './node-disk.js';
import { nodeNetwork } from './node-network.js';

/** What the process gives. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export function examineHere(
  settings: DoctorSettings,
  { clock, random, log, signal }: Surroundings,
): Promise<Finding[]> {
  const store = createStore(settings.state, settings.keys, {
    fs: nodeFileSystem,
    random,
    log,
    bootId: readBootId,
    onPublished: () => undefined,
  });
  return examine(settings, {
    network: nodeNetwork,
    openKme: (access) => openKmeProbe(access, { clock, random, log, signal }),
    disk: nodeDisk,
    nextIndex: (peer) => store.nextIndex(peer),
    // In a container the user may have no name, and os.userInfo() fails then.
    uid: process.geteuid?.() ?? -1,
    clock,
    signal,
  });
}
