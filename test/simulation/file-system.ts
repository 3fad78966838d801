/** The store's file operations on a host's disk: each one is a step of the world, and can be struck. */
import type {
  FileContent,
  FileFacts,
  FilesystemFacts,
  FileSystem,
  NewFile,
} from '../../src/store/file-system.js';
import type { OperationKind } from './fault.js';
import { FileOperation, type Open } from './file-operation.js';
import type { File } from './node.js';
import type { Process } from './process.js';

export class SimulatedFileSystem implements FileSystem {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  mkdir(path: string): Promise<void> {
    return this.#operate('mkdir', path);
  }

  async create(path: string): Promise<NewFile> {
    const file = await this.#operate<File>('create', path);
    return {
      write: (bytes) => this.#operate('write', path, undefined, { file, bytes }),
      sync: () => this.#operate('sync', path, undefined, { file, bytes: NOTHING }),
      close: () => Promise.resolve(),
    };
  }

  syncFolder(path: string): Promise<void> {
    return this.#operate('syncFolder', path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#operate('rename', from, to);
  }

  link(from: string, to: string): Promise<void> {
    return this.#operate('link', from, to);
  }

  unlink(path: string): Promise<void> {
    return this.#operate('unlink', path);
  }

  rmdir(path: string): Promise<void> {
    return this.#operate('rmdir', path);
  }

  read(path: string): Promise<FileContent | undefined> {
    return this.#operate('read', path);
  }

  async readStart(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const content = await this.#operate<FileContent | undefined>('read', path);
    return content?.bytes.subarray(0, maxBytes);
  }

  list(path: string): Promise<string[]> {
    return this.#operate('list', path);
  }

  stat(path: string): Promise<FileFacts | undefined> {
    return this.#operate('stat', path);
  }

  statfs(path: string): Promise<FilesystemFacts> {
    return this.#operate('statfs', path);
  }

  /** Everything here is this site's own. */
  isWritable(): Promise<boolean> {
    return Promise.resolve(true);
  }

  #operate<T>(kind: OperationKind, path: string, to?: string, open?: Open): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settled = resolve as (value: unknown) => void;
      this.#process.world.do(new FileOperation(this.#process, kind, path, to, open, settled, reject));
    });
  }
}

const NOTHING = new Uint8Array();
