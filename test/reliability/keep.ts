/**
 * What suites have found, a file for each, so that hours of them can be done in several goes.
 *
 * A file appears once its suite has ended well, and not before: what has failed or was ended is run again.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the suites were asked for. */
export interface Order {
  readonly seeds: string;
  /** Which suites in their full form. */
  readonly full: readonly string[];
  /** See `codeIn`. */
  readonly code: string;
}

/** Another text for any other code of the program or of its tests. */
export async function codeIn(project: string): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['bin', 'src', 'test']) {
    const entries = await readdir(join(project, folder), { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    for (const path of paths.sort())
      hash.update(`${path.slice(project.length)}\n`).update(await readFile(path));
  }
  return hash.digest('hex');
}

export class Keep {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Error: the folder has what was found when something else was asked for. */
  async open(order: Order): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, 'order.json');
    const asked = JSON.stringify(order);
    const before = await textOf(path);
    if (before === undefined) await writeFile(path, asked);
    else if (before !== asked)
      throw new Error(`${this.#folder} is of another order: ${before}, not ${asked}`);
  }

  /**
   * The text of a file.
   * @param make writes it into the file that it is told; where it writes none, there is none
   */
  async get(name: string, make: (file: string) => Promise<void>): Promise<string | undefined> {
    const path = join(this.#folder, name);
    const known = await textOf(path);
    if (known !== undefined) return known;
    const aside = `${path}.part`;
    await rm(aside, { force: true });
    await make(aside);
    const made = await textOf(aside);
    if (made !== undefined) await rename(aside, path);
    return made;
  }
}

/** Undefined where there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
