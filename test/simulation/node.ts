/** What a disk is made of: files, folders, and the changes of names between two fsyncs. */

export class File {
  readonly kind = 'file';
  readonly inode: string;
  bytes: Uint8Array = new Uint8Array();
  synced = false;
  /** An fsync of it has failed. */
  doomed = false;

  constructor(inode: string) {
    this.inode = inode;
  }
}

export class Folder {
  readonly kind = 'folder';
  readonly inode: string;
  entries = new Map<string, Node>();
  /** What was durable when the host was last started. */
  base = new Map<string, Node>();
  /** Changes of its names that no fsync of it has covered. */
  pending: Change[] = [];
  /** How it was made; undefined where it has been there since the host was started. */
  made: Change | undefined;

  constructor(inode: string) {
    this.inode = inode;
  }
}

export type Node = File | Folder;

export interface Place {
  readonly folder: Folder;
  readonly name: string;
}

/** One change of names: something leaves `from`, or comes to `to`, or both at once. */
export interface Change {
  readonly node: Node;
  readonly from: Place | undefined;
  readonly to: Place | undefined;
  leftDurably: boolean;
  cameDurably: boolean;
  /** An fsync of it has failed: no later one covers it. */
  doomed: boolean;
}
