/** Whether a folder outlasts a loss of power. Nothing throws. */
import { dirname } from 'node:path';
import { describe, systemCode } from '../base/errors.js';
import { ok, warning, type Finding } from './finding.js';
import type { Disk } from './ports.js';

/** File systems in memory, by `f_type` (linux/magic.h). An exchange takes them: trials and tests run there. */
const VOLATILE: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

interface SetFolder {
  /** The setting that names it. */
  readonly setting: string;
  readonly path: string;
}

export async function examineFileSystem({ setting, path }: SetFolder, disk: Disk): Promise<Finding> {
  const name = 'file-system';
  try {
    const kind = VOLATILE.get((await disk.fileSystem(await nearest(path, disk))) >>> 0);
    if (kind === undefined) return ok(name, setting, `${path} does not lie in memory`);
    const text = `${path} lies in memory (${kind}): after a loss of power nothing of it is there, while the peer has saved`;
    return warning(name, setting, text, `set ${setting} to a folder on a disk`);
  } catch (error) {
    return warning(name, setting, `${path} cannot be looked at (${systemCode(error) ?? describe(error)})`);
  }
}

/** The folder itself or the nearest parent that exists. */
async function nearest(path: string, disk: Disk): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await disk.stat(path)) !== undefined ? path : nearest(parent, disk);
}
