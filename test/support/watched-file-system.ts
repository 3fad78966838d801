/** A file system that knows whether any operation is still under way. */
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

export function watchedFileSystem(fs: FileSystem, busyness: Busyness): FileSystem {
  const track = busyness.track.bind(busyness);
  const file = (opened: NewFile): NewFile => ({
    write: (bytes) => track(() => opened.write(bytes)),
    sync: () => track(() => opened.sync()),
    close: () => track(() => opened.close()),
  });
  return {
    mkdir: (path) => track(() => fs.mkdir(path)),
    create: (path) => track(async () => file(await fs.create(path))),
    syncFolder: (path) => track(() => fs.syncFolder(path)),
    rename: (from, to) => track(() => fs.rename(from, to)),
    link: (from, to) => track(() => fs.link(from, to)),
    unlink: (path) => track(() => fs.unlink(path)),
    rmdir: (path) => track(() => fs.rmdir(path)),
    read: (path, maxBytes) => track(() => fs.read(path, maxBytes)),
    list: (path) => track(() => fs.list(path)),
    stat: (path) => track(() => fs.stat(path)),
    statfs: (path) => track(() => fs.statfs(path)),
  };
}
