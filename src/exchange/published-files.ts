/** The key files that a run has put in place, as it keeps them for its report at the end. */
import type { PublishedFile } from '../store/context.js';

/** What a run that serves keeps: as many key IDs as the largest block has. */
export const SERVING_KEY_IDS = 65_536;

/** One more; the oldest go where they have more than so many key IDs together. */
export function keepPublished(files: PublishedFile[], file: PublishedFile, mostKeyIds = Infinity): void {
  files.push(file);
  let keyIds = 0;
  const lastToGo = files.findLastIndex((one) => {
    // One that has none takes its room all the same.
    keyIds += Math.max(1, one.keyIds.length);
    return keyIds > mostKeyIds;
  });
  files.splice(0, lastToGo + 1);
}
