import { expect, it } from '@jest/globals';
import { examineFileSystem } from '../../../src/doctor/file-system.js';
import type { Disk } from '../../../src/doctor/ports.js';
import { coded, memoryDisk } from '../../support/doctor-ports.js';

const STATE = { setting: 'state', path: '/run/qkd/exchanges' };

/** A disk on which everything below `/run` is of this type. */
const diskOf = (type: number, tree: Readonly<Record<string, null>> = { [STATE.path]: null }): Disk => ({
  ...memoryDisk(tree),
  fileSystem: (path) => Promise.resolve(path.startsWith('/run') ? type : 0xef53),
});

it.each([
  ['tmpfs', 0x01021994],
  ['ramfs', 0x858458f6],
  ['ramfs', 0x858458f6 | 0],
])('a folder on %s is a warning (%i)', async (kind, type) => {
  expect(await examineFileSystem(STATE, diskOf(type))).toEqual({
    name: 'file-system',
    about: 'state',
    standing: 'warning',
    text: `/run/qkd/exchanges lies in memory (${kind}): after a loss of power nothing of it is there, while the peer has saved`,
    hint: 'set state to a folder on a disk',
  });
});

it('a folder on a disk is fine', async () => {
  expect(await examineFileSystem(STATE, diskOf(0xef53))).toMatchObject({ standing: 'ok' });
});

it('of a folder that is still to be made its nearest parent tells', async () => {
  expect(await examineFileSystem(STATE, diskOf(0x01021994, { '/run': null }))).toMatchObject({
    standing: 'warning',
  });
  expect(await examineFileSystem(STATE, diskOf(0x01021994, {}))).toMatchObject({ standing: 'ok' });
});

it('a folder that cannot be looked at is a warning', async () => {
  const disk = { ...memoryDisk({}), stat: () => Promise.reject(coded('EACCES')) };
  expect(await examineFileSystem(STATE, disk)).toMatchObject({
    standing: 'warning',
    text: '/run/qkd/exchanges cannot be looked at (EACCES)',
  });
});
