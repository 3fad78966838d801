/**
 * A disk of its own for one site: a file system in an image file, mounted through a loop device.
 *
 * What the image holds at any instant is what a disk would hold whose power is cut at that instant: all that the
 * file system has handed over, and nothing that only the page cache has. A copy of it, mounted anew, replays the
 * journal as a machine does that has been started again.
 *
 * Calling sequence: `Disk.make`, `copy` at will, `close`. `readImage` for a copy. Errors: plain ones with the tool's words.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Kind {
  readonly mib: number;
  readonly make: readonly string[];
  /** Commits of the file system's own are put off: only fsync brings anything to the disk. */
  readonly mount: string;
  /** For a copy: the same identity may have been seen before. */
  readonly remount: string;
}

/** Each as small as it can be. */
export const KINDS = {
  ext4: {
    mib: 64,
    make: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0'],
    mount: 'commit=300',
    remount: 'commit=300',
  },
  xfs: { mib: 320, make: ['mkfs.xfs', '-q', '-f'], mount: 'nouuid', remount: 'nouuid' },
  btrfs: { mib: 128, make: ['mkfs.btrfs', '-q', '-f'], mount: 'commit=300', remount: 'commit=300' },
} as const satisfies Record<string, Kind>;
export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as KindName[];

/** A copy that the file system wrote into meanwhile is no state that a disk ever had. */
const COPY_TRIES = 10;

/** What is mounted now, by its device. */
const held = new Map<string, string>();

/** Lets go of every disk at once, where the process is told to stop. */
export function releaseDisks(): void {
  for (const [device, folder] of held) {
    spawnSync('umount', ['--lazy', folder]);
    spawnSync('losetup', ['--detach', device]);
  }
}

async function attach(kind: KindName, image: string, folder: string, options: string): Promise<string> {
  const { stdout } = await run('losetup', ['--find', '--show', image]);
  const device = stdout.trim();
  held.set(device, folder);
  try {
    await run('mount', ['-t', kind, '-o', options, device, folder]);
    return device;
  } catch (error) {
    await run('losetup', ['--detach', device]);
    held.delete(device);
    throw error;
  }
}

async function detach(device: string, folder: string): Promise<void> {
  await run('umount', [folder]);
  await run('losetup', ['--detach', device]);
  held.delete(device);
}

export class Disk {
  readonly kind: KindName;
  /** Where it is mounted. */
  readonly folder: string;
  readonly #image: string;
  readonly #device: string;

  private constructor(kind: KindName, folder: string, image: string, device: string) {
    this.kind = kind;
    this.folder = folder;
    this.#image = image;
    this.#device = device;
  }

  /** @param folder to be made, and to be mounted on */
  static async make(kind: KindName, folder: string): Promise<Disk> {
    const { make, mount, mib } = KINDS[kind];
    const image = `${folder}.img`;
    await mkdir(folder, { recursive: true });
    await writeFile(image, '');
    await truncate(image, mib << 20);
    const [tool, ...args] = make;
    await run(tool, [...args, image]);
    const device = await attach(kind, image, folder, mount);
    await rm(join(folder, 'lost+found'), { recursive: true, force: true });
    await run('chmod', ['700', folder]);
    const disk = new Disk(kind, folder, image, device);
    await disk.flush();
    return disk;
  }

  /** Everything so far is on the disk. */
  async flush(): Promise<void> {
    await run('sync', ['--file-system', this.folder]);
  }

  /** What the disk holds now. Nothing is flushed for it. */
  async copy(to: string): Promise<void> {
    for (let tries = 0; tries < COPY_TRIES; tries += 1) {
      const before = await this.#writes();
      await run('cp', ['--sparse=always', this.#image, to]);
      if ((await this.#writes()) === before) return;
    }
    throw new Error(`${this.#device} never stands still`);
  }

  async close(): Promise<void> {
    await detach(this.#device, this.folder);
    await rm(this.#image);
  }

  /** How much has been written so far, and is on its way (Documentation/block/stat.rst). */
  async #writes(): Promise<string> {
    const text = await readFile(`/sys/block/${basename(this.#device)}/stat`, 'utf8');
    const fields = text.trim().split(/\s+/);
    return [fields[4], fields[6], fields[8]].join();
  }
}

/** Starts a machine with a copy of a disk, and takes everything from it into `to`. */
export async function readImage(kind: KindName, image: string, to: string): Promise<void> {
  const mounted = `${image}.mounted`;
  await mkdir(mounted);
  const device = await attach(kind, image, mounted, KINDS[kind].remount);
  try {
    await mkdir(to, { recursive: true });
    await run('cp', ['--archive', `${mounted}/.`, to]);
    await rm(join(to, 'lost+found'), { recursive: true, force: true });
  } finally {
    await detach(device, mounted);
  }
  await rm(image);
}

/** Why this kind of disk cannot be had here; undefined where it can. */
export async function missing(kind: KindName, scratch: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may mount';
  const folder = join(scratch, `try-${kind}`);
  try {
    const disk = await Disk.make(kind, folder);
    await disk.close();
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `${KINDS[kind].make[0]} or losetup is not installed` : message.trim();
  }
}
