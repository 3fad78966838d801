/**
 * `npm run simulate`: compiles src and the simulator, then hands over to main.ts.
 *
 * What is compiled lies in `build/simulation`: the program as it is, and one copy for each planted bug.
 */
import { join } from 'node:path';
import { readSources, writeProgram } from './compile.mjs';

const BUILD = join(import.meta.dirname, '../../build/simulation');

const sources = await readSources();
const plain = join(BUILD, 'plain');
await writeProgram(plain, sources);

/** @type {typeof import('./main.js')} */
const { main } = await import(join(plain, 'test/simulation/main.js'));

process.exitCode = await main(process.argv.slice(2), {
  plain,
  plant: async (name, changes) => {
    const folder = join(BUILD, name.replace(/\W+/g, '-'));
    await writeProgram(folder, sources, changes);
    return folder;
  },
});
