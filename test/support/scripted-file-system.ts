/**
 * A file system that writes down every operation and can fail, stop or die at any of them.
 *
 * Calling sequence: make one for each simulated process; `at` decides what happens to each operation; `done` and
 * `changes` tell what was carried out. Once it has been killed every further operation throws `Killed` and does
 * nothing, as if the process were no more.
 */
import type {
  FileContent,
  FileFacts,
  FilesystemFacts,
  FileSystem,
  NewFile,
} from '../../src/store/file-system.js';

export type OperationName = keyof FileSystem | 'write' | 'sync' | 'close';

export interface Operation {
  readonly name: OperationName;
  readonly path: string;
  /** The second path of rename and link. */
  readonly to: string | undefined;
  /** How many operations this process has begun before. */
  readonly number: number;
}

/** An errno; a kill before, in the middle (of a write) or after; a promise to wait for before going on. */
export type Fault =
  | { readonly errno: string; readonly syscall?: string; readonly torn?: boolean }
  | { readonly kill: 'before' | 'torn' | 'after' }
  | { readonly hold: Promise<unknown> };

export type Plan = (operation: Operation) => Fault | undefined;

export class Killed extends Error {
  constructor() {
    super('killed');
  }
}

const SYSCALLS: Readonly<Record<OperationName, string>> = {
  mkdir: 'mkdir',
  create: 'open',
  syncFolder: 'fsync',
  rename: 'rename',
  link: 'link',
  unlink: 'unlink',
  rmdir: 'rmdir',
  read: 'open',
  readStart: 'open',
  list: 'scandir',
  stat: 'lstat',
  statfs: 'statfs',
  isWritable: 'access',
  write: 'write',
  sync: 'fsync',
  close: 'close',
};

/** Whether the operation changes what others see, or makes it durable. */
export function isChange({ name }: Pick<Operation, 'name'>): boolean {
  return !['read', 'readStart', 'list', 'stat', 'statfs', 'isWritable', 'close'].includes(name);
}

/** An error as Node makes them. */
export function systemError(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall} '${path}'`), { code, syscall, path });
}

export class ScriptedFileSystem implements FileSystem {
  /** Decides what happens to an operation. */
  at: Plan = () => undefined;
  killed = false;
  /** Whether a fault has struck. */
  struck = false;
  /** The operations that were carried out, in order. */
  readonly done: Operation[] = [];
  readonly #inner: FileSystem;
  readonly #reallySync: boolean;
  #begun = 0;

  /** @param reallySync false: fsync is written down and answered at once, which makes long loops short */
  constructor(inner: FileSystem, reallySync = true) {
    this.#inner = inner;
    this.#reallySync = reallySync;
  }

  /** The changes that were carried out, one line each, with paths shortened by `shorten`. */
  changes(shorten: (path: string) => string): string[] {
    return this.done
      .filter(isChange)
      .map(({ name, path, to }) => `${name} ${shorten(path)}${to === undefined ? '' : ` -> ${shorten(to)}`}`);
  }

  mkdir(path: string): Promise<void> {
    return this.#run('mkdir', path, () => this.#inner.mkdir(path));
  }

  async create(path: string): Promise<NewFile> {
    let made: NewFile | undefined;
    const perform = async (): Promise<NewFile> => {
      made = await this.#inner.create(path);
      return made;
    };
    const file = await this.#run('create', path, perform).catch(async (error: unknown) => {
      await made?.close();
      throw error;
    });
    return {
      write: (bytes) =>
        this.#run(
          'write',
          path,
          () => file.write(bytes),
          () => file.write(bytes.subarray(0, bytes.length >> 1)),
        ),
      sync: () => this.#run('sync', path, () => (this.#reallySync ? file.sync() : Promise.resolve())),
      // The descriptor goes even with a process that was killed.
      close: async () => {
        await file.close();
        await this.#run('close', path, () => Promise.resolve());
      },
    };
  }

  syncFolder(path: string): Promise<void> {
    return this.#run('syncFolder', path, async () => {
      if (this.#reallySync) return this.#inner.syncFolder(path);
      if ((await this.#inner.stat(path)) === undefined) throw systemError('ENOENT', 'open', path);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run('rename', from, () => this.#inner.rename(from, to), undefined, to);
  }

  link(from: string, to: string): Promise<void> {
    return this.#run('link', from, () => this.#inner.link(from, to), undefined, to);
  }

  unlink(path: string): Promise<void> {
    return this.#run('unlink', path, () => this.#inner.unlink(path));
  }

  rmdir(path: string): Promise<void> {
    return this.#run('rmdir', path, () => this.#inner.rmdir(path));
  }

  read(path: string, maxBytes: number): Promise<FileContent | undefined> {
    return this.#run('read', path, () => this.#inner.read(path, maxBytes));
  }

  readStart(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return this.#run('readStart', path, () => this.#inner.readStart(path, maxBytes));
  }

  list(path: string): Promise<string[]> {
    return this.#run('list', path, () => this.#inner.list(path));
  }

  stat(path: string): Promise<FileFacts | undefined> {
    return this.#run('stat', path, () => this.#inner.stat(path));
  }

  statfs(path: string): Promise<FilesystemFacts> {
    return this.#run('statfs', path, () => this.#inner.statfs(path));
  }

  isWritable(path: string): Promise<boolean> {
    return this.#run('isWritable', path, () => this.#inner.isWritable(path));
  }

  async #run<T>(
    name: OperationName,
    path: string,
    perform: () => Promise<T>,
    performHalf?: () => Promise<unknown>,
    to?: string,
  ): Promise<T> {
    this.#refuseIfKilled();
    const operation: Operation = { name, path, to, number: this.#begun };
    this.#begun += 1;
    const fault = this.at(operation);
    if (fault !== undefined) this.struck = true;
    if (fault !== undefined && 'hold' in fault) {
      await fault.hold;
      this.#refuseIfKilled();
    } else if (fault !== undefined && 'errno' in fault) {
      if (fault.torn === true) await performHalf?.();
      throw systemError(fault.errno, fault.syscall ?? SYSCALLS[name], path);
    } else if (fault !== undefined && fault.kill !== 'after') {
      if (fault.kill === 'torn') await performHalf?.();
      return this.#die();
    }
    const result = await perform();
    this.done.push(operation);
    if (fault !== undefined && 'kill' in fault) return this.#die();
    return result;
  }

  #refuseIfKilled(): void {
    if (this.killed) throw new Killed();
  }

  #die(): never {
    this.killed = true;
    throw new Killed();
  }
}
