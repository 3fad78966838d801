/** A file system that knows whether any operation is still under way, and tells of each. */
import type { FileSystem, NewFile } from '../../src/store/file-system.js';

export class Busyness {
  /** Operations under way. */
  running = 0;
  /** Operations begun so far. */
  begun = 0;

  async track<T>(work: () => Promise<T>): Promise<T> {
    this.running += 1;
    this.begun += 1;
    try {
      return await work();
    } finally {
      this.running -= 1;
    }
  }
}

/** Told of each operation before it begins. */
export type Observe = (name: keyof FileSystem | keyof NewFile, path: string) => void;

export function watchedFileSystem(fs: FileSystem, busyness: Busyness, observe: Observe): FileSystem {
  const track = <T>(name: Parameters<Observe>[0], path: string, work: () => Promise<T>): Promise<T> => {
    observe(name, path);
    return busyness.track(work);
  };
  const file = (path: string, opened: NewFile): NewFile => ({
    write: (bytes) => track('write', path, () => opened.write(bytes)),
    sync: () => track('sync', path, () => opened.sync()),
    close: () => track('close', path, () => opened.close()),
  });
  return {
    mkdir: (path) => track('mkdir', path, () => fs.mkdir(path)),
    create: (path) => track('create', path, async () => file(path, await fs.create(path))),
    syncFolder: (path) => track('syncFolder', path, () => fs.syncFolder(path)),
    rename: (from, to) => track('rename', from, () => fs.rename(from, to)),
    link: (from, to) => track('link', from, () => fs.link(from, to)),
    unlink: (path) => track('unlink', path, () => fs.unlink(path)),
    rmdir: (path) => track('rmdir', path, () => fs.rmdir(path)),
    read: (path, maxBytes) => track('read', path, () => fs.read(path, maxBytes)),
    readStart: (path, maxBytes) => track('readStart', path, () => fs.readStart(path, maxBytes)),
    list: (path) => track('list', path, () => fs.list(path)),
    stat: (path) => track('stat', path, () => fs.stat(path)),
    statfs: (path) => track('statfs', path, () => fs.statfs(path)),
    isWritable: (path) => track('isWritable', path, () => fs.isWritable(path)),
  };
}
