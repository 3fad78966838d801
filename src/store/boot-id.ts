/** Names the time since this machine was last started (docs/protocol.md, rule 13). */
import { readFile } from 'node:fs/promises';

/** Where the kernel tells no boot ID, all boots look alike: a mark then stands until an operator removes it. */
export const UNKNOWN_BOOT = 'unknown';

/** Never rejects. */
export async function readBootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return UNKNOWN_BOOT;
  }
}
