import { expect, it } from '@jest/globals';
import { examineFileMode } from '../../../src/doctor/file-mode.js';
import { coded, memoryDisk } from '../../support/doctor-ports.js';

const FILE = { setting: 'kme.key', path: '/etc/sae-a.key' };

it.each([
  [0o600, 'ok', '/etc/sae-a.key has mode 0600'],
  [0o400, 'ok', '/etc/sae-a.key has mode 0400'],
  [0o604, 'warning', '/etc/sae-a.key has mode 0604: others than its owner can get at it'],
  [0o640, 'warning', '/etc/sae-a.key has mode 0640: others than its owner can get at it'],
  [0o602, 'warning', '/etc/sae-a.key has mode 0602: others than its owner can get at it'],
])('mode %o is "%s"', async (mode, standing, text) => {
  const disk = memoryDisk({ [FILE.path]: 'x' }, () => ({ mode }));
  expect(await examineFileMode(FILE, disk)).toMatchObject({
    name: 'file-mode',
    about: 'kme.key',
    standing,
    text,
  });
});

it('says how to keep others away', async () => {
  const disk = memoryDisk({ [FILE.path]: 'x' }, () => ({ mode: 0o644 }));
  expect((await examineFileMode(FILE, disk)).hint).toBe('chmod 600 /etc/sae-a.key');
});

it('a file that is not there is a mistake in the configuration', async () => {
  expect(await examineFileMode(FILE, memoryDisk({}))).toMatchObject({
    standing: 'failed',
    fault: 'configuration',
  });
});

it('a file that cannot be looked at is a warning', async () => {
  const disk = { ...memoryDisk({}), stat: () => Promise.reject(coded('EACCES')) };
  expect(await examineFileMode(FILE, disk)).toMatchObject({
    standing: 'warning',
    text: 'the file that it names cannot be looked at (EACCES)',
  });
});

it.each([
  ['is not there', memoryDisk({})],
  ['cannot be looked at', { ...memoryDisk({}), stat: () => Promise.reject(coded('ENAMETOOLONG')) }],
])('where the secret itself was set in place of its file, which %s, it is not shown', async (_name, disk) => {
  const file = { setting: 'kme.passphraseFile', path: '/etc/geheim' };
  expect(JSON.stringify(await examineFileMode(file, disk))).not.toContain('geheim');
});
