/**
 * `npm run reliability`: runs every suite that attacks the one promise, and writes what came of them into
 * docs/reliability.md.
 *
 *   --seeds N    random scenarios of the simulator (default: 20000)
 *   --full       the full forms of the crash and power-cut tests, pairs of simulated faults, the long models: hours
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
import { Keep } from './keep.js';
import { tableOf, type Findings, type Simulated } from './table.js';

const PAGE = join(process.cwd(), 'docs/reliability.md');
const BEGIN = '<!-- table: npm run reliability -->';
const END = '<!-- end of table -->';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20000' },
      full: { type: 'boolean', default: false },
      keep: { type: 'string' },
      print: { type: 'boolean', default: false },
    },
  });
  const scratch = await mkdtemp(join(tmpdir(), 'qkd-sync-reliability-'));
  try {
    const { seeds, full } = values;
    const keep = new Keep(values.keep ?? scratch);
    await keep.open({ seeds, full });
    const table = tableOf(await measure(keep, seeds, full));
    if (values.print) process.stdout.write(`${table}\n`);
    else await insert(table);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function measure(keep: Keep, seeds: string, full: boolean): Promise<Findings> {
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
  const form = full ? ['--full'] : [];
  const exhaustive: unknown[] = [];
  for (const order of full ? ['single', 'recovery', 'pairs'] : ['single', 'recovery'])
    exhaustive.push(await read(order, 'simulate', '--exhaustive', order));
  return {
    random: (await read('random', 'simulate', '--seeds', seeds)) as Simulated,
    exhaustive: exhaustive as Simulated[],
    bugs: (await read('bugs', 'simulate', '--bugs')) as Simulated,
    crash: (await read('crash', 'test:crash', ...form)) as Summary,
    power: (await read('power', 'test:powercut', ...form)) as PowerSummary | undefined,
    model: await models(...(full ? ['--long'] : [])),
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
