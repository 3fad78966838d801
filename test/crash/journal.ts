/**
 * A file of trials that have been done, one on each line, so that hours of them can be done in several goes.
 *
 * What has failed is not written down: it is tried again.
 */
import { appendFile, readFile } from 'node:fs/promises';
import { parsePoint, pointName } from './point.js';
import type { Finished } from './summary.js';
import type { Result } from './trial.js';

type Entry = Pick<Result, 'outcome' | 'contacts' | 'hit'> & { readonly point: string };

export class Journal {
  readonly #path: string | undefined;

  /** @param path nothing is kept where undefined */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** All that has been done before; none where there is no such file. */
  async read(): Promise<Finished[]> {
    if (this.#path === undefined) return [];
    const text = await readFile(this.#path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    });
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const { point, ...result } = JSON.parse(line) as Entry;
      return { point: parsePoint(point), result: { ...result, wrong: [], said: '' } };
    });
  }

  async note({ point, result }: Finished): Promise<void> {
    const { outcome, contacts, hit, wrong } = result;
    if (this.#path === undefined || wrong.length > 0) return;
    const entry: Entry = { point: pointName(point), outcome, contacts, hit };
    await appendFile(this.#path, `${JSON.stringify(entry)}\n`);
  }
}
