/** A file system that fails where a test says so. */
import { basename } from 'node:path';
import type { FileSystem, NewFile } from '../../src/store/file-system.js';

export type FileOperation = keyof FileSystem | 'write' | 'sync' | 'close';

/** One operation that is about to be done, or, with `done`, has been. */
export interface Operation {
  readonly name: FileOperation;
  readonly path: string;
  /** The last part of the path that it is about: of the target, where there are two. */
  readonly target: string;
}

/** Answers the POSIX code to fail with; `after`: the operation has its effect and fails all the same. */
export type Fault = (operation: Operation) => { readonly code: string; readonly after?: true } | undefined;

export const NO_FAULT: Fault = () => undefined;

const SYSTEM_CALLS: Partial<Record<FileOperation, string>> = {
  sync: 'fsync',
  syncFolder: 'fsync',
  create: 'open',
};

function failure(code: string, { name, path }: Operation): Error {
  const syscall = SYSTEM_CALLS[name] ?? name;
  return Object.assign(new Error(`${code}: injected, ${syscall} '${path}'`), { code, syscall, path });
}

/** `fault` is asked before each operation that changes something or makes it durable. */
export function faultyFileSystem(fs: FileSystem, fault: Fault): FileSystem {
  const guarded = async <T>(
    name: FileOperation,
    path: string,
    target: string,
    work: () => Promise<T>,
  ): Promise<T> => {
    const operation = { name, path, target: basename(target) };
    const found = fault(operation);
    if (found !== undefined && found.after !== true) throw failure(found.code, operation);
    const result = await work();
    if (found !== undefined) throw failure(found.code, operation);
    return result;
  };
  const file = (path: string, opened: NewFile): NewFile => ({
    write: (bytes) => guarded('write', path, path, () => opened.write(bytes)),
    sync: () => guarded('sync', path, path, () => opened.sync()),
    close: () => guarded('close', path, path, () => opened.close()),
  });
  return {
    ...fs,
    mkdir: (path) => guarded('mkdir', path, path, () => fs.mkdir(path)),
    create: (path) => guarded('create', path, path, async () => file(path, await fs.create(path))),
    syncFolder: (path) => guarded('syncFolder', path, path, () => fs.syncFolder(path)),
    rename: (from, to) => guarded('rename', from, to, () => fs.rename(from, to)),
    link: (from, to) => guarded('link', from, to, () => fs.link(from, to)),
    unlink: (path) => guarded('unlink', path, path, () => fs.unlink(path)),
    rmdir: (path) => guarded('rmdir', path, path, () => fs.rmdir(path)),
  };
}
