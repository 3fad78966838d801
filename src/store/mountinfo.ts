/**
 * Linux's table of mounts, /proc/self/mountinfo (proc_pid_mountinfo(5)), searched for the mount that a file lies on.
 * Pure; a line that is not one of the table is passed over.
 *
 * The search is by the number of the device: each mounted file system has its own, and has it wherever it is bound to.
 * By the path it could go wrong: a later mount covers an earlier one of the same place, and links lead elsewhere.
 */
import type { Mount } from './file-system.js';

/**
 * @param table a last line without its line feed has been cut off, and is no line
 * @param device `st_dev` of stat(2)
 */
export function findMount(table: string, device: bigint): Mount | undefined {
  const number = deviceNumber(device);
  for (const line of table.split('\n').slice(0, -1)) {
    // Before the hyphen some fields are optional; there is no white space within any.
    const [place, fileSystem] = line.split(' - ');
    if (place?.split(' ')[2] !== number) continue;
    const [type, source] = fileSystem?.split(' ') ?? [];
    if (type !== undefined && source !== undefined) return { type: decode(type), source: decode(source) };
  }
  return undefined;
}

/** `major:minor`, taken apart as gnu_dev_major(3) and gnu_dev_minor(3) do. */
function deviceNumber(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** The kernel writes white space, backslashes and, on newer ones, hashes in octal. */
function decode(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
