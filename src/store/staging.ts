/**
 * An exchange on its way into the records: nothing counts until it is complete, and until then all can be dropped.
 *
 * Calling sequence: `beginStaging` reserves the final name; then exactly one of `complete` (after which the record
 * is `.staged`, durable, and everybody's) and `drop`. A `complete` that fails has dropped everything itself.
 * Errors: `name-taken`, `protocol` (the ID is known already), Node's.
 */
import { QkdSyncError } from '../base/errors.js';
import type { KeyId } from '../base/key.js';
import { randomId } from '../base/random.js';
import { discardAborted, emptyTrash, toTrash } from './clean-up.js';
import type { StoreContext } from './context.js';
import { ensureFolder, secureNames, writeDurably } from './durable.js';
import { encodeKeyIds } from './key-ids.js';
import { RECORD_FILE, within } from './layout.js';
import { nameTaken, releaseName, reserveName } from './names.js';
import { changeState, encodeExchange, findRecord, type Exchange, type RecordPlace } from './record.js';
import { nextIndex } from './survey.js';

/** An exchange with the IDs of its keys, in the order of the key file. */
export interface NewExchange extends Exchange {
  readonly keyIds: readonly KeyId[];
}

export interface Staging {
  /**
   * Makes the record durable: the responder's vote, or the initiator's leave to send SYN.
   * @param content the key file as it will be published
   * @param beta the responder's nonce; the initiator learns it later
   */
  complete(content: Uint8Array, beta?: string): Promise<void>;
  /** Takes everything back; a second call does nothing. */
  drop(): Promise<void>;
}

export async function beginStaging(context: StoreContext, exchange: NewExchange): Promise<Staging> {
  const { fs, layout, random, suspicion } = context;
  const { keyIds, ...record } = exchange;
  const { peer, role, id, name, index } = record;
  if ((await findRecord(fs, layout, peer, role, id)) !== undefined) {
    throw new QkdSyncError('protocol', `exchange ${id} is known already`);
  }
  await ensureFolder(fs, layout.role(peer, role));
  const temporary = layout.temporary(peer, role, id, randomId(random));
  const staged: RecordPlace = { peer, role, id, state: 'staged' };
  await fs.mkdir(temporary);

  const clear = async (): Promise<void> => {
    if (await toTrash(context, temporary)) await emptyTrash(context);
  };
  const drop = async (): Promise<void> => {
    await releaseName(fs, layout, peer, name, id);
    await clear();
  };

  try {
    await reserveName(fs, layout, peer, name, id, within(temporary, 'reservation'));
  } catch (error) {
    // The name may be reserved for this very ID, by a handler that had the same SYN before: it stays reserved.
    await quietly(clear);
    throw error;
  }
  // A run that was suspended before this point may wake up after its number was used, saved and consumed.
  if (index !== undefined && index < (await nextIndex(fs, layout, peer))) {
    await quietly(drop);
    throw nameTaken(peer, name);
  }

  const write = async (content: Uint8Array, beta?: string): Promise<void> => {
    await writeDurably(fs, within(temporary, RECORD_FILE.exchange), encodeExchange(record));
    await writeDurably(fs, within(temporary, RECORD_FILE.keyIds), encodeKeyIds(keyIds));
    await writeDurably(fs, within(temporary, RECORD_FILE.key), content);
    if (beta !== undefined) await writeDurably(fs, within(temporary, RECORD_FILE.beta), Buffer.from(beta));
    await fs.syncFolder(temporary);
    await fs.rename(temporary, layout.record(peer, role, id, 'staged'));
  };

  return {
    drop,
    complete: async (content, beta) => {
      try {
        await suspicion.refuse();
        await write(content, beta);
      } catch (error) {
        await quietly(drop);
        throw error;
      }
      context.staged = { id, keyIds };
      try {
        // Where it fails, another run's decision in there may not last either.
        await secureNames(fs, layout.role(peer, role));
        await suspicion.refuse();
      } catch (error) {
        // The record can be seen but may not last, and nobody has been told of it yet: it must not count.
        await quietly(async () => {
          if (await changeState(fs, layout, staged, 'aborted')) {
            await discardAborted(context, { ...staged, state: 'aborted' });
          }
        });
        throw error;
      }
    },
  };
}

/** Tidies up after a failure; the failure itself is what the caller must hear of, and the next contact tidies again. */
async function quietly(tidy: () => Promise<void>): Promise<void> {
  try {
    await tidy();
  } catch {
    // see above
  }
}
