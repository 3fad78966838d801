/**
 * The file operations that the store is made of, one system call's worth each, so that a simulator can kill a
 * process, lose power or fail between any two of them. Errors are Node's, with their POSIX `code`.
 */

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'other';
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** What the file system itself knows it by: it stays through a rename, and a copy has another one. */
  readonly inode: string;
}

/** A mount, as the table of mounts has it (proc_pid_mountinfo(5)). */
export interface Mount {
  /** The file system's type and, after a point, its subtype: `fuse.sshfs`. */
  readonly type: string;
  /** What is mounted, in the words of whoever mounted it: a device, a URL, a name; it may have a password in it. */
  readonly source: string;
}

export interface FilesystemFacts {
  /** `f_type` of statfs(2). */
  readonly type: number;
  /** Looked up where `type` is FUSE, which is many file systems; undefined where it cannot be found. */
  readonly mount?: Mount | undefined;
  /** What an unprivileged process may still write. */
  readonly freeBytes: number;
}

export interface FileContent {
  readonly bytes: Uint8Array;
  /** See FileFacts: of the very file that was read. */
  readonly inode: string;
}

/** A new file that only its maker has. */
export interface NewFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** One folder, 0700; its parent must exist. */
  mkdir(path: string): Promise<void>;
  /** A new file, 0600; EEXIST where the name is taken. */
  create(path: string): Promise<NewFile>;
  /** fsync of a folder. */
  syncFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; EEXIST where the name is taken. Unlike a rename it never replaces anything. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** The whole file; undefined for nothing; EFBIG where it is longer than `maxBytes`. */
  read(path: string, maxBytes: number): Promise<FileContent | undefined>;
  /** The first bytes of a file, `maxBytes` at most, however long it is; undefined for nothing. */
  readStart(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** The names in a folder, in no order; none where there is no such folder. */
  list(path: string): Promise<string[]>;
  /** What lies there, links not followed; undefined for nothing. */
  stat(path: string): Promise<FileFacts | undefined>;
  statfs(path: string): Promise<FilesystemFacts>;
  /** Whether this process may make something in a folder. */
  isWritable(path: string): Promise<boolean>;
}
