/** What every part of the store works with. */
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

export interface StoreContext {
  readonly fs: FileSystem;
  readonly layout: Layout;
  readonly random: Random;
  readonly suspicion: Suspicion;
  /** Told of each file right after it is durably in place. */
  readonly onPublished: (file: PublishedFile) => void;
}
