import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { nodeDisk } from '../../../src/doctor/node-disk.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qkd-sync-disk-'));
});

afterEach(() => rm(folder, { recursive: true }));

it('tells what lies there, links followed', async () => {
  const path = join(folder, 'a.key');
  await writeFile(path, 'xyz');
  await chmod(path, 0o640);
  await symlink(path, join(folder, 'link'));
  const facts = { kind: 'file', bytes: 3, mode: 0o640, uid: process.getuid?.() };
  expect(await nodeDisk.stat(path)).toEqual(facts);
  expect(await nodeDisk.stat(join(folder, 'link'))).toEqual(facts);
  expect(await nodeDisk.stat(folder)).toMatchObject({ kind: 'folder' });
  expect(await nodeDisk.stat(join(path, 'below'))).toBeUndefined();
  expect(await nodeDisk.stat(join(folder, 'nothing'))).toBeUndefined();
  expect((await nodeDisk.list(folder)).toSorted()).toEqual(['a.key', 'link']);
});

it('tells what a folder lies on', async () => {
  expect(await nodeDisk.fileSystem('/proc')).toBe(0x9fa0);
  await expect(nodeDisk.fileSystem(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('shows a file in pieces, and keeps none of them', async () => {
  const content = 'ab'.repeat(100_000);
  await writeFile(join(folder, 'file'), content);
  const pieces: Uint8Array[] = [];
  let seen = '';
  await nodeDisk.scan(join(folder, 'file'), (piece) => {
    pieces.push(piece);
    seen += Buffer.from(piece).toString('latin1');
  });
  expect(seen).toBe(content);
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.every((piece) => piece.every((byte) => byte === 0))).toBe(true);
});

it('follows no link to a key file', async () => {
  await symlink('/etc/hostname', join(folder, 'link'));
  await expect(nodeDisk.scan(join(folder, 'link'), () => undefined)).rejects.toMatchObject({ code: 'ELOOP' });
});
