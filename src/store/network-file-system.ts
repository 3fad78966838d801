/**
 * File systems whose rename or fsync another machine can undo: neither keys nor records may lie on them.
 *
 * Errors: `storage`, with what to change.
 */
import { QkdSyncError } from '../base/errors.js';
import type { FilesystemFacts, Mount } from './file-system.js';

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

/** FUSE has one `f_type` for all of them; by subtype, as the programs themselves name it when they mount. */
const FUSE_SUBTYPES: ReadonlySet<string> = new Set([
  // Other machines' folders.
  'sshfs',
  'curlftpfs',
  'davfs',
  'davfs2',
  'smbnetfs',
  // Clusters; MooseFS and LizardFS are `mfs`.
  'glusterfs',
  'ceph',
  'ceph-fuse',
  'mfs',
  'mfsmount',
  'moosefs',
  'lizardfs',
  'seaweedfs',
  'juicefs',
  'quobyte',
  'daos',
  'alluxio-fuse',
  // Object stores.
  's3fs',
  's3ql',
  'goofys',
  'geesefs',
  'mount-s3',
  'mountpoint-s3',
  'rclone',
  'gcsfuse',
  'blobfuse',
  'blobfuse2',
  'ossfs',
  // Whatever a desktop is connected to.
  'gvfsd-fuse',
  'gvfs-fuse-daemon',
  'kio-fuse',
  // Folders of a virtual machine's host, like 9p: vmhgfs-fuse has no link(2) and leaves fsync out.
  'vmhgfs-fuse',
  'prl_fsd',
]);

/** Of what is not known to be one, nothing is said. */
export function refuseNetworkFileSystem(folder: string, facts: FilesystemFacts): void {
  const name = networkFileSystem(facts);
  if (name === undefined) return;
  throw new QkdSyncError('storage', `${folder} lies on a network file system (${name})`, {
    hint: 'set keys and state to folders on a local disk',
  });
}

function networkFileSystem({ type, mount }: FilesystemFacts): string | undefined {
  const kind = KINDS.get(type >>> 0);
  if (kind !== undefined || mount === undefined) return kind;
  const subtype = fuseSubtype(mount);
  return FUSE_SUBTYPES.has(subtype) ? `fuse.${subtype}` : undefined;
}

/** Some programs give none: then the source is the URL (davfs2), their own name (blobfuse2), or `name#…` (old libfuse). */
function fuseSubtype({ type, source }: Mount): string {
  if (type !== 'fuse') return type.replace(/^fuse\./, '');
  return /^https?:\/\//.test(source) ? 'davfs2' : source.replace(/#.*/s, '');
}
