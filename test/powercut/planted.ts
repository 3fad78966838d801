/**
 * Bugs of durability: what power cuts must find, or how much of it each file system hides. A journal that is written as a
 * whole makes one fsync do the work of another that is missing.
 */
import { find, type Calls } from '../crash/bench.js';
import type { Patch } from '../crash/packed.js';
import type { Side } from '../crash/site.js';
import type { KindName } from './disk.js';

export interface PowerBug {
  readonly name: string;
  /** No fsync of either site does anything. */
  readonly noFsync: boolean;
  readonly patches: readonly Patch[];
}

const NO_FSYNC: PowerBug = { name: 'no-fsync', noFsync: true, patches: [] };

const DECISION: PowerBug = {
  name: 'decision-without-fsync',
  noFsync: false,
  patches: [
    {
      file: 'store/decision.js',
      from: "await suspicion.guard(() => fs.syncFolder(layout.role(peer, 'initiator')));",
      to: '',
    },
  ],
};

const KEY_FILES: PowerBug = {
  name: 'key-files-without-fsync',
  noFsync: false,
  patches: [
    { file: 'store/publish.js', from: 'await unlessGone(fs.syncFolder(folder));', to: 'void folder;' },
  ],
};

export const POWER_BUGS: readonly PowerBug[] = [NO_FSYNC, DECISION, KEY_FILES];

/** One cut at which a bug surely shows. */
interface SureCut {
  readonly bug: PowerBug;
  readonly kind: KindName;
  readonly side: Side;
  /** Before which call of it, of those that it makes with the bug. */
  readonly at: (calls: Calls) => number;
}

/** B has heard of the decision and saved its file, and A does the next thing to its disk. */
const afterDecision = ({ A }: Calls): number => find(A, 'rename', /\.committed$/) + 1;

/** Those of the gate. */
export const CAUGHT: readonly SureCut[] = [
  { bug: NO_FSYNC, kind: 'ext4', side: 'A', at: afterDecision },
  { bug: DECISION, kind: 'ext4', side: 'A', at: afterDecision },
];
