/** docs/kme.md says what the tests demand. `WRITE_DOCS=1` writes the page instead. */
import { describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIALECTS } from '../../src/kme-pair/dialects/catalogue.js';
import { renderKmePage } from './page.js';
import { ROWS } from './rows.js';

const PAGE = join(process.cwd(), 'docs', 'kme.md');

describe('docs/kme.md', () => {
  it('is what the rows make (npm run docs writes it)', async () => {
    const page = renderKmePage();
    if (process.env['WRITE_DOCS'] === '1') await writeFile(PAGE, page);
    expect(await readFile(PAGE, 'utf8')).toBe(page);
  });

  it('has a row for each dialect', () => {
    const tried = new Set(ROWS.flatMap(({ dialect }) => dialect.split('+')));
    expect(DIALECTS.filter(({ name }) => !tried.has(name))).toEqual([]);
  });
});
