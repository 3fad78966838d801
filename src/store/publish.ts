/**
 * Moves a committed exchange's key file into the folder of keys, exactly once (docs/protocol.md, "Records", step 2).
 *
 * A rename moves the key; a link followed by an unlink could give it twice, to a consumer that had already moved
 * the first one away. May be called again at any time, by any number of processes: who comes late only makes
 * durable what the first has done.
 */
import { dirname } from 'node:path';
import { systemCode } from '../base/errors.js';
import { randomId } from '../base/random.js';
import type { StoreContext } from './context.js';
import { ensureFolder, moveUnlessGone, unlessGone } from './durable.js';
import type { FileSystem } from './file-system.js';
import { RECORD_FILE, within, type Layout } from './layout.js';
import { readSmall } from './reading.js';
import { pathOf, raiseAlarm, readAlarm, recordFolder, type Exchange, type RecordPlace } from './record.js';

/** `moved`: this call published the file; `earlier`: it had been published; `taken`: an alien file is in the way. */
export type Publication = 'moved' | 'earlier' | 'taken';

/** How often the folder of keys may vanish between the look for it and the move. */
const MOVE_TRIES = 3;

export function keyFilePath(layout: Layout, exchange: Exchange): string {
  return within(layout.peerKeys(exchange.peer), exchange.name);
}

/** Publishes the key file of a committed record. The decision must be durable before. Errors: Node's. */
export async function publish(
  context: Pick<StoreContext, 'fs' | 'layout' | 'random'>,
  place: RecordPlace,
  exchange: Exchange,
): Promise<Publication> {
  const { fs, layout } = context;
  const record = recordFolder(layout, place);
  const key = within(record, RECORD_FILE.key);
  const target = keyFilePath(layout, exchange);

  const publication = await move(context, place, key, target);
  if (publication === 'taken') return publication;
  // The name was taken at an earlier try, and no longer is.
  await withdrawTaken(context, place);
  // Due even where another process has moved the key: it may have been killed between its rename and its fsync.
  await syncKeyFiles(fs, layout, exchange.peer);
  await unlessGone(fs.syncFolder(record));
  return publication;
}

/** Takes back the alarm that the name is taken, if there is one: the file is in place. Not yet durable. */
export async function withdrawTaken(
  { fs, layout, random }: Pick<StoreContext, 'fs' | 'layout' | 'random'>,
  place: RecordPlace,
): Promise<void> {
  if ((await readAlarm(fs, layout, place)) !== 'name-taken') return;
  const alarm = pathOf(layout, place, 'alarm');
  // Aside first: a graver alarm may be put in its place right now, and that one must stay.
  const aside = within(recordFolder(layout, place), randomId(random));
  if (!(await unlessGone(fs.rename(alarm, aside)))) return;
  const isTaken = (await readSmall(fs, aside)) === 'name-taken';
  await unlessGone(isTaken ? fs.unlink(aside) : fs.rename(aside, alarm));
}

/** Moves the key, unless that has been done or somebody else's file has the name. Errors: Node's. */
async function move(
  context: Pick<StoreContext, 'fs' | 'layout' | 'random'>,
  place: RecordPlace,
  key: string,
  target: string,
): Promise<Publication> {
  const { fs, layout } = context;
  for (let tries = 1; ; tries += 1) {
    if ((await fs.stat(key)) === undefined) return 'earlier';
    // Each by itself: whoever made the folders beforehand need not have made the name of the upper one last.
    for (const folder of [layout.keys, dirname(target)]) await ensureFolder(fs, folder);
    if ((await fs.stat(target)) !== undefined) {
      if ((await fs.stat(key)) === undefined) return 'earlier';
      // Without a record to be marked another process has found the name free.
      return (await raiseAlarm(context, place, 'name-taken')) ? 'taken' : 'earlier';
    }
    try {
      return (await moveUnlessGone(fs, key, target)) ? 'moved' : 'earlier';
    } catch (error) {
      // Whoever takes the key files away has taken their whole folder.
      if (systemCode(error) !== 'ENOENT' || tries === MOVE_TRIES) throw error;
    }
  }
}

/** Makes the names of the peer's key files durable, whoever has moved them there. */
export async function syncKeyFiles(fs: FileSystem, layout: Layout, peer: string): Promise<void> {
  for (const folder of [layout.keys, layout.peerKeys(peer)]) await unlessGone(fs.syncFolder(folder));
}
