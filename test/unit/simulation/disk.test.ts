/** The simulated disk keeps what real ones keep, and loses what they may lose. */
import { describe, expect, test } from '@jest/globals';
import { Dice } from '../../simulation/dice.js';
import { Disk } from '../../simulation/disk.js';
import { DiskError } from '../../simulation/disk-error.js';
import type { File } from '../../simulation/node.js';

const SEEDS = 200;
const BYTES = Buffer.from('0123456789');

function fileOf(made: File | DiskError): File {
  if (made instanceof DiskError) throw new Error(made.message);
  return made;
}

function codeOf(result: unknown): string | undefined {
  return result instanceof DiskError ? result.code : undefined;
}

/** What `look` sees after a power loss, over many of them. */
function after(prepare: (disk: Disk) => void, look: (disk: Disk) => string): Set<string> {
  const seen = new Set<string>();
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const disk = new Disk();
    disk.prepare('/x');
    prepare(disk);
    disk.losePower(new Dice(seed));
    seen.add(look(disk));
  }
  return seen;
}

const names =
  (path: string) =>
  (disk: Disk): string => {
    const list = disk.list(path);
    return list instanceof DiskError ? list.code : list.sort().join();
  };

/** A file with its bytes and its name durable. */
function durable(disk: Disk, path: string): void {
  const file = fileOf(disk.create(path));
  disk.write(file, BYTES);
  disk.sync(file);
  disk.syncFolder('/x');
}

describe('as processes see it', () => {
  test('names that are taken, missing or of another kind are refused as POSIX does', () => {
    const disk = new Disk();
    disk.prepare('/x');
    disk.mkdir('/x/full');
    disk.create('/x/full/file');
    disk.mkdir('/x/empty');
    disk.mkdir('/x/other');
    expect(codeOf(disk.mkdir('/x/full'))).toBe('EEXIST');
    expect(codeOf(disk.create('/x/full/file'))).toBe('EEXIST');
    expect(codeOf(disk.create('/x/none/file'))).toBe('ENOENT');
    expect(codeOf(disk.rename('/x/none', '/x/new'))).toBe('ENOENT');
    expect(codeOf(disk.rename('/x/empty', '/x/full'))).toBe('ENOTEMPTY');
    expect(codeOf(disk.rmdir('/x/full'))).toBe('ENOTEMPTY');
    expect(codeOf(disk.link('/x/full/file', '/x/full/file'))).toBe('EEXIST');
    expect(codeOf(disk.unlink('/x/full'))).toBe('EISDIR');
    expect(codeOf(disk.rename('/x/full', '/x/empty'))).toBeUndefined();
    expect(names('/x')(disk)).toBe('empty,other');
  });

  test('a file keeps a copy of what was written', () => {
    const disk = new Disk();
    disk.prepare('/x');
    const bytes = Buffer.from(BYTES);
    const file = fileOf(disk.create('/x/file'));
    disk.write(file, bytes);
    bytes.fill(0);
    expect(Buffer.from(file.bytes).toString()).toBe(BYTES.toString());
  });
});

describe('after a power loss', () => {
  test('each name that no fsync has covered is kept or lost by itself', () => {
    const make = (disk: Disk): void => {
      disk.mkdir('/x/a');
      disk.mkdir('/x/b');
    };
    expect(after(make, names('/x'))).toEqual(new Set(['', 'a', 'b', 'a,b']));
  });

  test('what an fsync has covered stays', () => {
    const make = (disk: Disk): void => {
      disk.mkdir('/x/a');
      disk.syncFolder('/x');
      disk.mkdir('/x/a/inner');
    };
    expect(after(make, names('/x'))).toEqual(new Set(['a']));
    expect(after(make, names('/x/a'))).toEqual(new Set(['', 'inner']));
  });

  test('bytes that were not fsynced may be lost or torn, others not', () => {
    const make =
      (sync: boolean) =>
      (disk: Disk): void => {
        const file = fileOf(disk.create('/x/file'));
        disk.write(file, BYTES);
        if (sync) disk.sync(file);
        disk.syncFolder('/x');
      };
    const read = (disk: Disk): string => {
      const file = disk.find('/x/file');
      return file?.kind === 'file' ? Buffer.from(file.bytes).toString() : 'ENOENT';
    };
    expect(after(make(true), read)).toEqual(new Set([BYTES.toString()]));
    const torn = after(make(false), read);
    expect(torn).toContain('');
    expect(torn).toContain('01234');
    expect(torn).toContain('\0'.repeat(BYTES.length));
  });

  test('a rename within a folder happens wholly or not at all', () => {
    const make = (disk: Disk): void => {
      durable(disk, '/x/old');
      disk.rename('/x/old', '/x/new');
    };
    expect(after(make, names('/x'))).toEqual(new Set(['old', 'new']));
  });

  test('a folder that was moved twice is in one place', () => {
    const make = (disk: Disk): void => {
      disk.mkdir('/x/one');
      disk.rename('/x/one', '/x/two');
      disk.rename('/x/two', '/x/three');
    };
    expect(after(make, names('/x'))).toEqual(new Set(['', 'one', 'two', 'three']));
  });

  test('an fsync of the folder that something left does not cover where it went', () => {
    const make = (disk: Disk): void => {
      disk.prepare('/x/from');
      durable(disk, '/x/file');
      disk.mkdir('/x/to');
      disk.syncFolder('/x');
      disk.rename('/x/file', '/x/to/file');
      disk.syncFolder('/x');
    };
    expect(after(make, names('/x/to'))).toEqual(new Set(['', 'file']));
    expect([...after(make, names('/x'))].some((seen) => seen.includes('file'))).toBe(false);
  });

  test('what a failed fsync left is lost even after one that says yes', () => {
    const make = (disk: Disk): void => {
      disk.mkdir('/x/a');
      disk.failSync('/x');
      disk.syncFolder('/x');
    };
    expect(after(make, names('/x'))).toContain('');
    const file = (disk: Disk): void => {
      const made = fileOf(disk.create('/x/file'));
      disk.write(made, BYTES);
      disk.failSync(made);
      disk.sync(made);
      disk.syncFolder('/x');
    };
    const empty = (disk: Disk): string => {
      const file = disk.find('/x/file');
      return file?.kind === 'file' ? String(file.bytes.length) : 'ENOENT';
    };
    expect(after(file, empty)).toContain('0');
  });
});
