/**
 * A host's disk: what processes see, and what has been made durable (docs/protocol.md, "Records").
 *
 * Every change of a folder's names is remembered until an fsync covers it: of that folder, or, for a rename, of the
 * folder that it leads to. `losePower` keeps or loses each of the others by itself. A file's bytes last once the file
 * has been fsynced. An fsync that fails leaves what it was to write behind as seen but never to be written, and the
 * next one says yes without writing it, as Linux does.
 *
 * Errors are answered, not thrown: an exception costs more than all the rest of an operation.
 */
import type { FileContent } from '../../src/store/file-system.js';
import type { Dice } from './dice.js';
import { DiskError } from './disk-error.js';
import { File, Folder, type Change, type Node, type Place } from './node.js';
import type { NodeCopies } from './node-copies.js';
import { losePower, type PowerLoss } from './power-loss.js';

/** Told of each name that appears. */
export type Witness = (folder: Folder, name: string, change: Change, how: 'made' | 'moved') => void;

export type Maybe<T> = T | DiskError;

export class Disk {
  root = new Folder('0');
  witness: Witness | undefined;
  log: Change[] = [];
  #inodes = 0;
  /** Those that have been looked for since a folder has last gone from its place. */
  readonly #folders = new Map<string, Folder>();

  /** A folder that was there, durably, before anything began. */
  prepare(path: string): Folder {
    let folder = this.root;
    for (const name of path.split('/').slice(1)) {
      const made = new Folder(this.#nextInode());
      folder.entries.set(name, made);
      folder.base.set(name, made);
      folder = made;
    }
    return folder;
  }

  /** All that another disk has, and what of it may still be lost. */
  takeOver(other: Disk, copies: NodeCopies): void {
    this.root = copies.folder(other.root);
    this.#folders.clear();
    this.log = other.log.map((change) => copies.change(change));
    this.#inodes = other.#inodes;
  }

  find(path: string): Node | undefined {
    const slash = path.lastIndexOf('/');
    if (slash <= 0) return this.#walk(path);
    const folder = this.#known(path.slice(0, slash));
    return folder?.entries.get(path.slice(slash + 1));
  }

  /** A folder by its path; the same ones are asked for again and again. */
  #known(path: string): Folder | undefined {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const node = this.#walk(path);
    if (node?.kind !== 'folder') return undefined;
    this.#folders.set(path, node);
    return node;
  }

  #walk(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    let start = 1;
    while (start < path.length) {
      if (node?.kind !== 'folder') return undefined;
      const end = path.indexOf('/', start);
      node = node.entries.get(end < 0 ? path.slice(start) : path.slice(start, end));
      if (end < 0) break;
      start = end + 1;
    }
    return node;
  }

  mkdir(path: string): Maybe<undefined> {
    const to = this.#vacant('mkdir', path);
    if (to instanceof DiskError) return to;
    const folder = new Folder(this.#nextInode());
    folder.made = this.#change(folder, undefined, to, 'made');
    return undefined;
  }

  create(path: string): Maybe<File> {
    const to = this.#vacant('open', path);
    if (to instanceof DiskError) return to;
    const file = new File(this.#nextInode());
    this.#change(file, undefined, to, 'made');
    return file;
  }

  write(file: File, bytes: Uint8Array): void {
    // A copy, which slice() of a Buffer is not: its owner wipes it later.
    file.bytes = Uint8Array.from(bytes);
    file.synced = false;
  }

  sync(file: File): void {
    if (!file.doomed) file.synced = true;
  }

  syncFolder(path: string): Maybe<undefined> {
    const folder = this.#folder('open', path);
    if (folder instanceof DiskError) return folder;
    for (const change of folder.pending) {
      if (change.doomed) continue;
      if (change.to?.folder === folder) change.cameDurably = true;
      change.leftDurably = true;
    }
    folder.pending = [];
    return undefined;
  }

  /** The fsync has failed: nothing of it has been written, and nothing of it will be. */
  failSync(target: File | string): void {
    if (typeof target !== 'string') {
      target.doomed = !target.synced;
      return;
    }
    const folder = this.find(target);
    if (folder?.kind !== 'folder') return;
    for (const change of folder.pending) change.doomed = true;
    folder.pending = [];
  }

  rename(path: string, toPath: string): Maybe<undefined> {
    const node = this.#at('rename', path);
    if (node instanceof DiskError) return node;
    const from = this.#place('rename', path);
    const to = this.#place('rename', toPath);
    if (from instanceof DiskError) return from;
    if (to instanceof DiskError) return to;
    const there = to.folder.entries.get(to.name);
    if (there === node) return undefined;
    if (there !== undefined) {
      if (node.kind === 'folder' && there.kind === 'file') return new DiskError('ENOTDIR', 'rename', path);
      if (node.kind === 'file' && there.kind === 'folder') return new DiskError('EISDIR', 'rename', path);
      // Onto an empty folder a folder can be renamed, silently.
      if (there.kind === 'folder' && there.entries.size > 0)
        return new DiskError('ENOTEMPTY', 'rename', path);
    }
    this.#change(node, from, to, 'moved');
    return undefined;
  }

  link(path: string, toPath: string): Maybe<undefined> {
    const node = this.#at('link', path);
    if (node instanceof DiskError) return node;
    if (node.kind === 'folder') return new DiskError('EPERM', 'link', path);
    const to = this.#vacant('link', toPath);
    if (to instanceof DiskError) return to;
    this.#change(node, undefined, to, 'made');
    return undefined;
  }

  unlink(path: string): Maybe<undefined> {
    const node = this.#at('unlink', path);
    if (node instanceof DiskError) return node;
    if (node.kind === 'folder') return new DiskError('EISDIR', 'unlink', path);
    return this.#remove(node, path);
  }

  rmdir(path: string): Maybe<undefined> {
    const node = this.#at('rmdir', path);
    if (node instanceof DiskError) return node;
    if (node.kind === 'file') return new DiskError('ENOTDIR', 'rmdir', path);
    if (node.entries.size > 0) return new DiskError('ENOTEMPTY', 'rmdir', path);
    return this.#remove(node, path);
  }

  /** Undefined for nothing. */
  read(path: string): Maybe<FileContent | undefined> {
    const node = this.find(path);
    if (node?.kind === 'folder') return new DiskError('EISDIR', 'read', path);
    return node && { bytes: node.bytes, inode: node.inode };
  }

  /** None where there is no such folder. */
  list(path: string): Maybe<string[]> {
    const node = this.find(path);
    if (node?.kind === 'file') return new DiskError('ENOTDIR', 'scandir', path);
    return node === undefined ? [] : [...node.entries.keys()];
  }

  /** The power fails and comes back: what is durable is what there is. */
  losePower(dice: Dice): PowerLoss {
    const loss = losePower(this.root, this.log, dice);
    this.#folders.clear();
    this.log = [];
    return loss;
  }

  #nextInode(): string {
    this.#inodes += 1;
    return String(this.#inodes);
  }

  #remove(node: Node, path: string): Maybe<undefined> {
    const from = this.#place('unlink', path);
    if (from instanceof DiskError) return from;
    this.#change(node, from, undefined, 'made');
    return undefined;
  }

  #change(node: Node, from: Place | undefined, to: Place | undefined, how: 'made' | 'moved'): Change {
    const change: Change = { node, from, to, leftDurably: false, cameDurably: false, doomed: false };
    if (from !== undefined) {
      if (node.kind === 'folder') this.#folders.clear();
      from.folder.entries.delete(from.name);
      from.folder.pending.push(change);
    }
    if (to !== undefined) {
      to.folder.entries.set(to.name, node);
      if (to.folder !== from?.folder) to.folder.pending.push(change);
      this.witness?.(to.folder, to.name, change, how);
    }
    this.log.push(change);
    return change;
  }

  #place(syscall: string, path: string): Maybe<Place> {
    const slash = path.lastIndexOf('/');
    const folder = this.#folder(syscall, slash === 0 ? '/' : path.slice(0, slash));
    return folder instanceof DiskError ? folder : { folder, name: path.slice(slash + 1) };
  }

  #vacant(syscall: string, path: string): Maybe<Place> {
    const place = this.#place(syscall, path);
    if (place instanceof DiskError || !place.folder.entries.has(place.name)) return place;
    return new DiskError('EEXIST', syscall, path);
  }

  #at(syscall: string, path: string): Maybe<Node> {
    return this.find(path) ?? new DiskError('ENOENT', syscall, path);
  }

  #folder(syscall: string, path: string): Maybe<Folder> {
    const node = this.find(path);
    if (node?.kind === 'folder') return node;
    return new DiskError(node === undefined ? 'ENOENT' : 'ENOTDIR', syscall, path);
  }
}
