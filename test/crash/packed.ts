/** The package under test, as npm would deliver it, and copies of it with bugs planted. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Packs the project into `folder`; answers the folder of the unpacked package. */
export async function packInto(project: string, folder: string): Promise<string> {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: project });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack has made no tarball');
  await run('tar', ['xzf', tarball], { cwd: folder });
  // Dependencies are looked for in every folder above; nothing is fetched.
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'package');
}

/** One change of one file of `dist`. */
export interface Patch {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A copy of the package with changes; fails where one no longer fits the code, because then it plants nothing. */
export async function patchedCopy(packed: string, name: string, patches: readonly Patch[]): Promise<string> {
  const copy = join(packed, '..', 'planted', name);
  await mkdir(join(packed, '..', 'planted'), { recursive: true });
  await cp(packed, copy, { recursive: true });
  for (const { file, from, to } of patches) {
    const path = join(copy, 'dist', file);
    const text = await readFile(path, 'utf8');
    if (text.split(from).length !== 2) {
      throw new Error(`bug ${name} cannot be planted: dist/${file} does not have once: ${from}`);
    }
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }
  return copy;
}
