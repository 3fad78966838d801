/** File systems whose rename or fsync another machine can undo: neither keys nor records may lie on them. */
import type { FilesystemFacts } from './file-system.js';

/** By `f_type` (linux/magic.h and the file systems' own headers). */
const KINDS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
]);

/** What the file system is called; undefined where it is none of these, or not known to be one. */
export function networkFileSystem({ type }: FilesystemFacts): string | undefined {
  return KINDS.get(type >>> 0);
}
