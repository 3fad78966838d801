/**
 * The high-water mark of a peer's file numbers (docs/protocol.md, rule 12).
 *
 * The mark is a folder with one empty file for each raise, named by its number; the highest counts. A process that
 * was suspended in the middle of a raise and wakes up later can therefore never lower it, which a file that is
 * written anew each time would let it do.
 */
import { systemCode } from '../base/errors.js';
import type { StoreContext } from './context.js';
import { ensureFolder, unlessGone, writeDurably } from './durable.js';
import type { FileSystem } from './file-system.js';
import { within, type Layout } from './layout.js';

async function marks(fs: FileSystem, layout: Layout, peer: string): Promise<number[]> {
  const names = await fs.list(layout.index(peer));
  const numbers = names.filter((name) => /^\d{1,16}$/.test(name)).map(Number);
  return numbers.sort((a, b) => b - a);
}

/** The highest number that was ever saved, or -1. */
export async function highestIndex(fs: FileSystem, layout: Layout, peer: string): Promise<number> {
  return (await marks(fs, layout, peer))[0] ?? -1;
}

/** Raises the mark to `index`, durably; a lower number changes nothing. */
export async function raiseIndex(fs: FileSystem, layout: Layout, peer: string, index: number): Promise<void> {
  const folder = layout.index(peer);
  await ensureFolder(fs, folder);
  try {
    await writeDurably(fs, within(folder, String(index)), new Uint8Array());
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  await fs.syncFolder(folder);
  // Two stay: whoever lists the folder at this instant meets at least one of them.
  for (const old of (await marks(fs, layout, peer)).slice(2)) {
    await unlessGone(fs.unlink(within(folder, String(old))));
  }
}

/**
 * Raises the mark for a record that is to go, which holds the only other trace of its number, if it has one. To be called
 * under `guard`. Errors: Node's; `suspect` where what was made durable may not last, because another run has seen an fsync
 * fail.
 */
export async function coverIndex(
  { fs, layout, suspicion }: Pick<StoreContext, 'fs' | 'layout' | 'suspicion'>,
  peer: string,
  index: number | undefined,
): Promise<void> {
  if (index !== undefined) await raiseIndex(fs, layout, peer, index);
  await suspicion.confirm();
}
