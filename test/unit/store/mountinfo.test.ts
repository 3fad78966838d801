/** The mount that a device is, out of Linux's table. */
import { describe, expect, it } from '@jest/globals';
import { findMount } from '../../../src/store/mountinfo.js';

const LOCAL = '28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard';
const SSHFS =
  '71 28 0:52 / /mnt/a rw,nosuid,nodev shared:9 - fuse.sshfs op@b:/srv rw,user_id=0,group_id=0,allow_other';

/** `st_dev`, as makedev(3) puts it together. */
function device(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}

function table(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** A line of device 0:52. */
function mounted(root: string, point: string, type: string, source: string, optional = ''): string {
  return `71 28 0:52 ${root} ${point} rw,relatime ${optional}- ${type} ${source} rw`;
}

describe('the mount', () => {
  it('is found by the number of its device', () => {
    expect(findMount(table(LOCAL, SSHFS), device(0, 52))).toEqual({
      type: 'fuse.sshfs',
      source: 'op@b:/srv',
    });
    expect(findMount(table(LOCAL, SSHFS), device(254, 0))).toEqual({ type: 'ext4', source: '/dev/vda' });
  });

  it.each([
    [0, 255],
    [0, 256],
    [0, 438],
    [0, 0xfffff],
    [8, 17],
    [259, 0x12345],
    [0xfff, 0xff],
    [0x12345, 0x6789ab],
  ])('is found also where the number is %d:%d', (major, minor) => {
    const line = `71 28 ${major}:${minor} / /mnt rw - fuse.sshfs b: rw`;
    expect(findMount(table(LOCAL, line), device(major, minor))).toEqual({ type: 'fuse.sshfs', source: 'b:' });
  });

  it('is not found where the table does not have the device', () => {
    expect(findMount(table(LOCAL, SSHFS), device(0, 5))).toBeUndefined();
    expect(findMount(table(LOCAL, SSHFS), device(0, 520))).toBeUndefined();
    expect(findMount('', device(0, 52))).toBeUndefined();
  });

  it('is the one that covers another at the same place, and the one that is covered, each by its device', () => {
    const cover = '72 71 0:53 / /mnt/a rw - fuse.gocryptfs /home/op/cipher rw';
    for (const lines of [
      [LOCAL, SSHFS, cover],
      [cover, SSHFS, LOCAL],
    ]) {
      expect(findMount(table(...lines), device(0, 53))?.type).toBe('fuse.gocryptfs');
      expect(findMount(table(...lines), device(0, 52))?.type).toBe('fuse.sshfs');
    }
  });

  it('is the same wherever it is bound to, alone or below another', () => {
    const bound = mounted('/keys', '/var/lib/qkd/keys', 'fuse.sshfs', 'op@b:/srv', 'master:9 ');
    const expected = { type: 'fuse.sshfs', source: 'op@b:/srv' };
    expect(findMount(table(LOCAL, bound), device(0, 52))).toEqual(expected);
    expect(findMount(table(LOCAL, bound, SSHFS), device(0, 52))).toEqual(expected);
  });

  it.each(['', 'shared:1 ', 'shared:1 master:2 ', 'shared:1 master:2 propagate_from:3 unbindable '])(
    'is found after the optional fields %j',
    (optional) => {
      const line = mounted('/', '/mnt', 'fuse.rclone', 'cloud:', optional);
      expect(findMount(table(line), device(0, 52))).toEqual({ type: 'fuse.rclone', source: 'cloud:' });
    },
  );

  it('is found where its names have white space, backslashes, hyphens and hashes in them', () => {
    const source = 'mfs\\043b:9421\\040\\134\\134x';
    const line = mounted('/a\\040-\\040b', '/mnt/\\011\\012\\134-', 'fuse.a\\040-\\011b', source);
    expect(findMount(table(LOCAL, line), device(0, 52))).toEqual({
      type: 'fuse.a -\tb',
      source: 'mfs#b:9421 \\\\x',
    });
  });

  it.each([
    ['a backslash without octal digits', 'a\\b\\9', 'a\\b\\9'],
    ['an escaped backslash before digits', '\\134040', '\\040'],
    ['nothing', '', ''],
  ])('has a source with %s', (_, written, source) => {
    expect(findMount(table(mounted('/', '/mnt', 'fuse', written)), device(0, 52))?.source).toBe(source);
  });

  it('is not made up from a line that was cut off, or is none', () => {
    const whole = table(LOCAL, SSHFS);
    for (let bytes = LOCAL.length + 1; bytes < whole.length; bytes += 1) {
      expect(findMount(whole.slice(0, bytes), device(0, 52))).toBeUndefined();
    }
    for (const line of [
      '71 28 0:52',
      '71 28 0:52 / /mnt rw fuse.sshfs b: rw',
      '71 28 0:52 / /mnt rw - fuse',
    ]) {
      expect(findMount(table(line), device(0, 52))).toBeUndefined();
      expect(findMount(table(line, SSHFS), device(0, 52))?.type).toBe('fuse.sshfs');
    }
  });
});
