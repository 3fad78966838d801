/** What every part of the store works with. */
import type { KeyId } from '../base/key.js';
import type { Log } from '../base/log.js';
import type { Random } from '../base/random.js';
import type { Role } from '../base/site.js';
import type { FileSystem } from './file-system.js';
import type { ExchangeId, Layout } from './layout.js';
import type { Suspicion } from './suspect.js';

/** A key file that this process moved into place. */
export interface PublishedFile {
  readonly id: ExchangeId;
  readonly role: Role;
  readonly peer: string;
  readonly path: string;
  /** In the order of the file; empty where the record of them cannot be read. */
  readonly keyIds: readonly string[];
  readonly index: number | undefined;
}

/** The key IDs of an exchange that this process itself has staged, which it need not read again. */
export interface Staged {
  readonly id: ExchangeId;
  readonly keyIds: readonly KeyId[];
}

export interface StoreContext {
  readonly fs: FileSystem;
  readonly layout: Layout;
  readonly random: Random;
  readonly log: Log;
  readonly suspicion: Suspicion;
  /** Something is to be run for each file that is published: it gets its note before. */
  readonly hooked: boolean;
  /** The exchange that was staged last, until its key file is in place. */
  staged: Staged | undefined;
  /** Told of each file right after it is durably in place. */
  readonly onPublished: (file: PublishedFile) => void;
}
