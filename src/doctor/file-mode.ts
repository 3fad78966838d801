/** Whether files that hold secrets are kept from others. Nothing throws. */
import { describe, systemCode } from '../base/errors.js';
import { failed, ok, warning, type Finding } from './finding.js';
import type { Disk } from './ports.js';

/** Any right of the group or of everybody. */
const OTHERS = 0o077;

/** Whoever has put the secret itself where its file's name belongs must not see it in a log. */
const UNSHOWN = 'the file that it names';

export interface SecretFile {
  /** The setting that names it. */
  readonly setting: string;
  readonly path: string;
}

export async function examineFileMode({ setting, path }: SecretFile, disk: Disk): Promise<Finding> {
  const name = 'file-mode';
  try {
    const facts = await disk.stat(path);
    if (facts === undefined) {
      return failed(name, setting, 'configuration', { text: `${UNSHOWN} does not exist` });
    }
    const text = `${path} has mode ${octal(facts.mode)}`;
    if ((facts.mode & OTHERS) === 0) return ok(name, setting, text);
    return warning(name, setting, `${text}: others than its owner can get at it`, `chmod 600 ${path}`);
  } catch (error) {
    return warning(name, setting, `${UNSHOWN} cannot be looked at (${systemCode(error) ?? describe(error)})`);
  }
}

/** `0600`. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
