/** Names the time since this machine was last started (docs/protocol.md, rule 13). */
import { readFile } from 'node:fs/promises';
import { systemCode } from '../base/errors.js';

/** Where the kernel tells no boot ID, all boots look alike: a mark then stands until an operator removes it. */
export const UNKNOWN_BOOT = 'unknown';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Errors: Node's, where it cannot be told now and may be later: a mark with an unknown boot would stand for good. */
export async function readBootId(path = BOOT_ID): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (!NOT_THERE.has(systemCode(error) ?? '')) throw error;
    return UNKNOWN_BOOT;
  }
}

/** Not Linux, or a sandbox that shows no /proc. */
const NOT_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);
