/** All that lies below a folder, with modes: what a run has left on disk, and nothing more. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One line for each, sorted: `keys/B/ 700` for a folder, `keys/B/B_0 600` for a file. Random IDs are `<id>`. */
export async function diskTree(folder: string, without: readonly string[] = []): Promise<string[]> {
  const lines: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for (const name of await readdir(join(folder, path))) {
      const inner = path === '' ? name : `${path}/${name}`;
      if (without.includes(inner)) continue;
      const facts = await lstat(join(folder, inner));
      const mode = (facts.mode & 0o7777).toString(8);
      lines.push(facts.isDirectory() ? `${inner}/ ${mode}` : `${inner} ${mode}`);
      if (facts.isDirectory()) await walk(inner);
    }
  };
  await walk('');
  return lines.map((line) => line.replace(/[0-9a-f]{32}/g, '<id>')).sort();
}
