/**
 * `npm run reliability`: runs every suite that attacks the one promise, and writes what came of them into
 * docs/reliability.md.
 *
 *   --seeds N    random scenarios of the simulator (default: 20000)
 *   --full NAME  the full form of the crash tests (crash) or of the power cuts (power), pairs of simulated faults (pairs),
 *                the long models (models), or all of it (all), which takes hours; may be given several times
 *   --keep DIR   keeps there what each suite has found that ended well, and does not run that again: for the same code
 *   --print      prints the table instead of writing it
 *
 * Exit code 1, and nothing written, where a suite fails.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import type { Summary } from '../crash/summary.js';
import type { PowerSummary } from '../powercut/main.js';
import { codeIn, Keep } from './keep.js';
import { tableOf, type Findings, type Simulated } from './table.js';

const PAGE = join(process.cwd(), 'docs/reliability.md');
const BEGIN = '<!-- table: npm run reliability -->';
const END = '<!-- end of table -->';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20000' },
      full: { type: 'string', multiple: true, default: [] },
      keep: { type: 'string' },
      print: { type: 'boolean', default: false },
    },
  });
  const scratch = await mkdtemp(join(tmpdir(), 'qkd-sync-reliability-'));
  try {
    const { seeds } = values;
    const full = fullForms(values.full);
    const keep = new Keep(values.keep ?? scratch);
    await keep.open({ seeds, full: [...full].sort(), code: await codeIn(process.cwd()) });
    const table = tableOf(await measure(keep, seeds, full));
    if (values.print) process.stdout.write(`${table}\n`);
    else await insert(table);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const FORMS = ['crash', 'power', 'pairs', 'models'];

function fullForms(names: readonly string[]): ReadonlySet<string> {
  const unknown = names.find((name) => name !== 'all' && !FORMS.includes(name));
  if (unknown !== undefined) throw new Error(`--full ${unknown}: expected all, ${FORMS.join(', ')}`);
  return new Set(names.includes('all') ? FORMS : names);
}

async function measure(keep: Keep, seeds: string, full: ReadonlySet<string>): Promise<Findings> {
  /** What the suite has written; undefined where it has skipped itself. */
  const read = async (name: string, script: string, ...args: string[]): Promise<unknown> => {
    const text = await keep.get(`${name}.json`, async (file) => {
      await run(script, ...args, '--json', file);
    });
    return text === undefined ? undefined : JSON.parse(text);
  };
  const models = async (...args: string[]): Promise<string> => {
    const said = await keep.get('models.txt', async (file) => {
      await writeFile(file, await run('model', ...args));
    });
    return said?.trim().split('\n').at(-1) ?? '';
  };
  const form = (name: string, flag = '--full'): string[] => (full.has(name) ? [flag] : []);
  const exhaustive: unknown[] = [];
  for (const order of ['single', 'recovery', ...(full.has('pairs') ? ['pairs'] : [])])
    exhaustive.push(await read(order, 'simulate', '--exhaustive', order));
  return {
    random: (await read('random', 'simulate', '--seeds', seeds)) as Simulated,
    exhaustive: exhaustive as Simulated[],
    bugs: (await read('bugs', 'simulate', '--bugs')) as Simulated,
    crash: (await read('crash', 'test:crash', ...form('crash'))) as Summary,
    power: (await read('power', 'test:powercut', ...form('power'))) as PowerSummary | undefined,
    model: await models(...form('models', '--long')),
  };
}

/** Runs one script of package.json; answers what it said. */
async function run(script: string, ...args: readonly string[]): Promise<string> {
  process.stderr.write(`reliability: ${script} ${args.join(' ')}\n`);
  const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${script} has failed:\n${said}`);
  return said;
}

async function insert(table: string): Promise<void> {
  const [before = '', rest = ''] = (await readFile(PAGE, 'utf8')).split(BEGIN);
  const after = rest.split(END)[1];
  if (after === undefined) throw new Error(`${PAGE} has no place for the table`);
  const page = `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
  await writeFile(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`reliability: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
