/** One file operation of a process, as a step of the world: it is done, or struck. */
import type { FileFacts, FilesystemFacts } from '../../src/store/file-system.js';
import { DiskError } from './disk-error.js';
import { READS, type Errno, type Operation, type OperationKind, type Stroke } from './fault.js';
import { FREE_BYTES } from './host.js';
import type { File, Node } from './node.js';
import type { Process } from './process.js';
import type { Task } from './world.js';

/** `f_type` of ext4. */
const EXT4 = 0xef53;

const SYSCALLS: Readonly<Record<OperationKind, string>> = {
  mkdir: 'mkdir',
  create: 'open',
  write: 'write',
  sync: 'fsync',
  syncFolder: 'fsync',
  rename: 'rename',
  link: 'link',
  unlink: 'unlink',
  rmdir: 'rmdir',
  read: 'open',
  list: 'scandir',
  stat: 'lstat',
  statfs: 'statfs',
  kme: 'connect',
};

/** What an operation on an open file is about. */
export interface Open {
  readonly file: File;
  readonly bytes: Uint8Array;
}

export class FileOperation implements Operation, Task {
  readonly actor: Process;
  readonly kind: OperationKind;
  readonly path: string;
  readonly to: string | undefined;
  readonly #open: Open | undefined;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  /** It has been struck already and is only to be carried out. */
  #spared = false;

  constructor(
    actor: Process,
    kind: OperationKind,
    path: string,
    to: string | undefined,
    open: Open | undefined,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.actor = actor;
    this.kind = kind;
    this.path = path;
    this.to = to;
    this.#open = open;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  run(): void {
    const { actor } = this;
    const { host, world } = actor;
    const stroke = this.#spared ? undefined : host.nemesis.strike(host.id, this);
    if (world.trace !== undefined) world.trace(`${actor.name}: ${describe(this)}${strokeText(stroke)}`);
    if (actor.isDismayed) {
      if (stroke?.do === 'kill' || stroke?.do === 'freeze') host.isDeceiving = true;
      if (stroke !== undefined || !READS.has(this.kind)) actor.isDismayed = false;
    }
    if (stroke === undefined) this.#settle();
    else this.#suffer(stroke);
  }

  #suffer(stroke: Stroke): void {
    const { actor } = this;
    switch (stroke.do) {
      case 'signal':
        actor.interrupt();
        this.#settle();
        return;
      case 'fail':
        this.#fail(stroke.code);
        return;
      case 'freeze':
        actor.freeze();
        actor.host.nemesis.froze(actor);
        if (stroke.when === 'before') {
          this.#spared = true;
          actor.held.push(this);
        } else {
          const value = this.#perform();
          actor.held.push({
            actor,
            run: () => {
              this.#tell(value);
            },
          });
        }
        return;
      case 'kill':
      case 'power':
        if (stroke.when === 'after') this.#perform();
        if (stroke.when === 'torn') this.#half();
        if (stroke.do === 'kill') actor.kill();
        else actor.host.losePower();
    }
  }

  #settle(): void {
    this.#tell(this.#perform());
  }

  #tell(value: unknown): void {
    if (!(value instanceof DiskError)) {
      this.#resolve(value);
      return;
    }
    this.actor.world.trace?.(`  ${value.code}`);
    this.#reject(value);
  }

  #half(): void {
    const { disk, world } = this.actor.host;
    if (this.kind === 'write' && this.#open !== undefined) {
      const { file, bytes } = this.#open;
      disk.write(file, bytes.subarray(0, world.dice.below(bytes.length + 1)));
    }
  }

  #fail(code: Errno): void {
    const { host } = this.actor;
    const { disk } = host;
    // Full or read-only, a disk keeps what it was to write; after an I/O error the kernel forgets it.
    if (this.kind === 'sync' || this.kind === 'syncFolder') host.isShaken = true;
    if (code === 'EIO' && this.kind === 'sync' && this.#open !== undefined) disk.failSync(this.#open.file);
    if (code === 'EIO' && this.kind === 'syncFolder') {
      disk.failSync(this.path);
      this.actor.isDismayed = true;
    }
    if (code === 'ENOSPC') this.#half();
    this.#reject(new DiskError(code, SYSCALLS[this.kind], this.path));
  }

  #rename(path: string, to: string): unknown {
    const { host, trashed, world } = this.actor;
    const done = host.disk.rename(path, to);
    if (done instanceof DiskError) return done;
    host.moved.set(to, world.steps);
    if (to.includes('/.trash/')) trashed.add(path);
    return done;
  }

  #perform(): unknown {
    const { host, listed, world } = this.actor;
    const { disk } = host;
    const { path, kind, to = '' } = this;
    switch (kind) {
      case 'mkdir':
        return disk.mkdir(path);
      case 'create':
        // Whoever makes the mark, from now on everybody knows.
        if (path.endsWith('/SUSPECT')) host.isDeceiving = false;
        return disk.create(path);
      case 'write':
        if (this.#open !== undefined) disk.write(this.#open.file, this.#open.bytes);
        return undefined;
      case 'sync':
        if (this.#open !== undefined) disk.sync(this.#open.file);
        return undefined;
      case 'syncFolder':
        return disk.syncFolder(path);
      case 'rename':
        return this.#rename(path, to);
      case 'link':
        return disk.link(path, to);
      case 'unlink':
        host.beforeUnlink(path);
        return disk.unlink(path);
      case 'rmdir':
        return disk.rmdir(path);
      case 'read':
        return disk.read(path);
      case 'list':
        listed.set(path, world.steps);
        return disk.list(path);
      case 'stat': {
        const node = disk.find(path);
        return node && factsOf(node);
      }
      case 'statfs':
        return ROOM;
      case 'kme':
        throw new Error('no file operation');
    }
  }
}

const ROOM: FilesystemFacts = { type: EXT4, freeBytes: FREE_BYTES };

function factsOf(node: Node): FileFacts {
  const { inode } = node;
  return node.kind === 'folder'
    ? { kind: 'folder', bytes: 0, mode: 0o700, inode }
    : { kind: 'file', bytes: node.bytes.length, mode: 0o600, inode };
}

function describe({ kind, path, to }: Operation): string {
  return to === undefined ? `${kind} ${path}` : `${kind} ${path} -> ${to}`;
}

function strokeText(stroke: Stroke | undefined): string {
  return stroke === undefined ? '' : `   *** ${JSON.stringify(stroke)}`;
}
