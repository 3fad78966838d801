/** Copies of files, folders and changes that refer to each other as the originals do: each is copied once. */
import { File, Folder, type Change, type Node, type Place } from './node.js';

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

export class NodeCopies {
  readonly #folders = new Map<Folder, Folder>();
  readonly #files = new Map<File, File>();
  readonly #changes = new Map<Change, Change>();

  node(node: Node): Node {
    return node.kind === 'folder' ? this.folder(node) : this.#file(node);
  }

  folder(folder: Folder): Folder {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const copy = new Folder(folder.inode);
    this.#folders.set(folder, copy);
    for (const [name, node] of folder.entries) copy.entries.set(name, this.node(node));
    for (const [name, node] of folder.base) copy.base.set(name, this.node(node));
    copy.pending = folder.pending.map((change) => this.change(change));
    copy.made = folder.made && this.change(folder.made);
    return copy;
  }

  change(change: Change): Change {
    const known = this.#changes.get(change);
    if (known !== undefined) return known;
    const copy: Writable<Change> = { ...change };
    // Known before what it refers to is copied, which may refer to it.
    this.#changes.set(change, copy);
    copy.node = this.node(change.node);
    copy.from = this.#place(change.from);
    copy.to = this.#place(change.to);
    return copy;
  }

  /** Its bytes are shared: a file gets others when it is written, and never changes those that it has. */
  #file(file: File): File {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const copy = new File(file.inode);
    this.#files.set(file, copy);
    copy.bytes = file.bytes;
    copy.synced = file.synced;
    copy.doomed = file.doomed;
    return copy;
  }

  #place(place: Place | undefined): Place | undefined {
    return place && { folder: this.folder(place.folder), name: place.name };
  }
}
