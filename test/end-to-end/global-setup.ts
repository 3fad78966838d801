/**
 * Packs and unpacks the package that the end-to-end tests start, as npm would deliver it.
 *
 * QKD_SYNC_E2E_BIN names another installation's command to test instead, QKD_SYNC_E2E_NODE another node to run it with.
 * jest resolves no `.js` imports in this file, so it has none.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ROOT = resolve(__dirname, '../..');

const PACK_MS = 120_000;

export default async function packCli(): Promise<void> {
  if (process.env['QKD_SYNC_E2E_BIN'] !== undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'qkd-sync-packed-'));
  // The processes that run the tests inherit both; the teardown removes the folder.
  process.env['QKD_SYNC_E2E_FOLDER'] = folder;
  process.env['QKD_SYNC_E2E_BIN'] = join(folder, 'package/bin/qkd-sync.js');
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, timeout: PACK_MS });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack has made no tarball');
  await run('tar', ['xzf', tarball], { cwd: folder, timeout: PACK_MS });
  // Dependencies are looked for in every folder above; nothing is fetched.
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}
