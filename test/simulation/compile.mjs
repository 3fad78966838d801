/**
 * Compiles src and the simulator to plain JavaScript, with or without a planted bug.
 *
 * Calling sequence: `readSources` once, `writeProgram` for each variant. Errors: a planted bug whose text does not
 * occur exactly once in its file.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transform } from '@swc/core';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = [
  'src/base',
  'src/store',
  'src/exchange',
  'src/handshake',
  'src/peer',
  'src/kme',
  'src/doctor',
  'src/cli',
  'test/command-line',
  'test/simulation',
  'test/simulation/bugs',
];

/**
 * @typedef {object} Source
 * @property {string} text
 * @property {string} compiled
 */

/** All modules by their path below the root. @returns {Promise<Map<string, Source>>} */
export async function readSources() {
  const paths = [];
  for (const folder of FOLDERS) {
    for (const name of await readdir(join(ROOT, folder))) {
      if (name.endsWith('.ts') && !name.endsWith('.test.ts')) paths.push(`${folder}/${name}`);
    }
  }
  const sources = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(ROOT, path), 'utf8');
      return /** @type {const} */ ([path, { text, compiled: await compile(text) }]);
    }),
  );
  return new Map(sources);
}

/** @param {string} text */
async function compile(text) {
  const { code } = await transform(text, {
    configFile: false,
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  return code;
}

/**
 * Writes the whole program into a folder, with some files changed.
 * @param {string} folder
 * @param {ReadonlyMap<string, Source>} sources
 * @param {readonly { readonly file: string, readonly find: string, readonly replace: string }[]} [changes]
 */
export async function writeProgram(folder, sources, changes = []) {
  await rm(folder, { recursive: true, force: true });
  const changed = new Map();
  for (const { file, find, replace } of changes) {
    const text = changed.get(file) ?? sources.get(file)?.text;
    const parts = text === undefined ? [] : text.split(find);
    if (parts.length !== 2) {
      throw new Error(
        `${file}: the text to change occurs ${Math.max(0, parts.length - 1)} times, not once:\n${find}`,
      );
    }
    changed.set(file, parts.join(replace));
  }
  for (const [path, { compiled }] of sources) {
    const target = join(folder, path.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    const text = changed.get(path);
    await writeFile(target, text === undefined ? compiled : await compile(text));
  }
}
