/** docs/configuration.md says what the table says. `WRITE_DOCS=1` writes the page instead. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PEER_SETTINGS } from '../../../src/config/peer-table.js';
import { renderReference } from '../../../src/config/reference.js';
import { variableName } from '../../../src/config/setting.js';
import { SETTINGS } from '../../../src/config/settings-table.js';
import { SWITCHES } from '../../../src/config/switch-table.js';
import { parseYaml, type Tree } from '../../../src/config/yaml-tree.js';
import { ConfigFolder } from '../../support/config-folder.js';

const PAGE = join(process.cwd(), 'docs', 'configuration.md');

let folder: ConfigFolder;
let page: string;

beforeAll(async () => {
  folder = await ConfigFolder.make();
  if (process.env['WRITE_DOCS'] === '1') await writeFile(PAGE, renderReference());
  page = await readFile(PAGE, 'utf8');
});

afterAll(async () => {
  await folder.remove();
});

function keysIn(tree: Tree | undefined, prefix = ''): string[] {
  if (tree?.kind !== 'section') return [];
  return tree.entries.flatMap(({ key, value }) =>
    value.kind === 'section' ? keysIn(value, `${prefix}${key}.`) : [prefix + key],
  );
}

describe('docs/configuration.md', () => {
  it('is what the table makes (npm run docs writes it)', () => {
    expect(page).toBe(renderReference());
  });

  it('names every key, flag and variable', () => {
    for (const { key, flag } of Object.values(SETTINGS)) {
      expect(page).toContain(`\`${key}\``);
      expect(page).toContain(`\`${flag}\`<br>\`${variableName(key)}\``);
    }
    for (const { flag } of Object.values(SWITCHES)) expect(page).toContain(`| \`${flag}\``);
    for (const { key } of Object.values(PEER_SETTINGS)) expect(page).toContain(`\`peers.<site>.${key}\``);
  });

  it('has an example with every setting of the file that loads', async () => {
    const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
    const keys = keysIn(parseYaml(example, () => undefined));
    // What stands in the place of other settings is named in a comment there.
    const others = ['kme.pkcs12', 'kme.passphraseFile'];
    for (const other of others) expect(example).toContain(other.replace('kme.', ''));
    const known = Object.values(SETTINGS).flatMap(({ key }) => (others.includes(key) ? [] : key));
    expect(keys.filter((key) => !key.startsWith('peers.')).sort()).toEqual([...known].sort());

    await folder.writeCredentials('home/.qkd', 'a', 'sae-a');
    await folder.write('home/.qkd/kme-ca.pem', await readFile(`${folder.home}/.qkd/ca.pem`));
    await folder.write('home/.qkd/sites-ca.pem', await readFile(`${folder.home}/.qkd/ca.pem`));
    await folder.configure(example);
    expect(await folder.load('initiate', { flags: { peer: 'B' } })).toMatchObject({
      site: 'A',
      sae: 'sae-a',
      kme: { urls: ['https://kme-a.example:8443'], serverName: 'kme-a' },
      peer: { site: 'B', sae: 'sae-b', name: 'B', host: 'b.example', port: 7000 },
      auth: { kind: 'certificates' },
    });
    expect(await folder.load('respond')).toMatchObject({ listen: { port: 7000 }, timeoutMs: 60_000 });
  });
});
