/** A new exchange as both roles record it: the same fields, and a name for its key file that must be free. */
import type { Clock } from '../base/clock.js';
import { QkdSyncError } from '../base/errors.js';
import type { NewExchange } from '../store/staging.js';
import type { Store } from '../store/store.js';
import { indexName, keyIdName } from './key-file-name.js';
import type { OwnExchange } from './outcome.js';
import type { Terms } from './terms.js';

/** What the handshake brings to a new exchange. */
export type Agreement = Pick<NewExchange, 'id' | 'role' | 'peer' | 'peerStateId' | 'keyIds' | 'alpha'>;

/**
 * The record of a new exchange. Error `storage` where the key file's name would be too long.
 * @param index the number of the key file; undefined where files are named by key ID
 */
export function newExchange(
  agreement: Agreement,
  { size, format }: Terms,
  index: number | undefined,
  clock: Clock,
): NewExchange {
  const { peer, keyIds } = agreement;
  const name = index === undefined ? keyIdName(keyIds[0] ?? '', format) : indexName(peer, index);
  return { ...agreement, size, format, name, ...(index !== undefined && { index }), time: clock.now() };
}

/** The same as the run knows it, not yet decided. */
export function ownExchange({ id, keyIds, name, index }: NewExchange): OwnExchange {
  return { id, keyIds, name, index, progress: 'open' };
}

/** Error `name-taken` where an exchange or a file has the name that the number leads to. */
export async function requireFreeName(store: Store, peer: string, index: number): Promise<void> {
  const name = indexName(peer, index);
  if (await store.isNameFree(peer, name)) return;
  throw new QkdSyncError('name-taken', `the name of the next key file is taken: ${name}`, {
    hint: `move it away, or give a higher number with --index on both sites; see ${store.layout.peerKeys(peer)}`,
  });
}
