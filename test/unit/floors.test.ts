/** The arrows of docs/architecture.md: imports go downward only. The tool's rules are in .dependency-cruiser.cjs. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const REPOSITORY = resolve(__dirname, '../..');
const CRUISER = join(REPOSITORY, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const PATIENCE_MS = 60_000;

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** `module rule` for each breach below `src` of a folder, sorted. */
async function breaches(folder: string): Promise<string[]> {
  const args = [CRUISER, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 64 << 20 });
  const { summary } = JSON.parse(stdout) as { summary: { violations: readonly Violation[] } };
  return [...new Set(summary.violations.map(({ from, rule }) => `${from} ${rule.name}`))].sort();
}

test(
  'the house keeps its rules',
  async () => {
    expect(await breaches(REPOSITORY)).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  'each breach of a rule is found, and nothing else',
  async () => {
    const house = await mkdtemp(join(tmpdir(), 'qkd-sync-floors-'));
    try {
      for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
        await cp(join(REPOSITORY, file), join(house, file));
      }
      await symlink(join(REPOSITORY, 'node_modules'), join(house, 'node_modules'));
      const modules = {
        'src/exchange/downward.ts': "import '../store/beside.js';\n",
        'src/doctor/downward.ts': "import '../store/beside.js';\n",
        'src/doctor/beside.ts': "import '../exchange/downward.js';\n",
        'src/store/beside.ts': "import '../kme/below.js';\n",
        'src/kme/below.ts': "import '../base/plain.js';\n",
        'src/kme/client.ts': "import 'undici';\n",
        'src/kme/heavy.ts': "import 'undici';\n",
        'src/exchange/hasty.ts': "import '../kme/client.js';\n",
        'src/exchange/patient.ts':
          "import type { KmeClientOptions } from '../kme/client.js';\nexport const open = (options: KmeClientOptions) => import('../kme/client.js');\n",
        'src/base/plain.ts': 'export {};\n',
        'src/base/upward.ts': "import '../exchange/downward.js';\n",
        'src/base/cycle.ts': "import './other-half.js';\n",
        'src/base/other-half.ts': "import './cycle.js';\n",
        'src/base/index.ts': 'export {};\n',
        'src/base/barrel.ts': "import './index.js';\n",
        'src/handshake/impure.ts': "import 'node:fs';\n",
        'src/cli/colourful.ts': "import 'chalk';\n",
        'src/cli/grammatical.ts': "import 'commander';\n",
        'src/base/untested.ts': "import 'nock';\n",
        'src/base/dangling.ts': "import './nowhere.js';\n",
      };
      for (const [path, text] of Object.entries(modules)) {
        await mkdir(dirname(join(house, path)), { recursive: true });
        await writeFile(join(house, path), text);
      }
      expect(await breaches(house)).toEqual([
        'src/base/barrel.ts no-barrels',
        'src/base/cycle.ts no-cycles',
        'src/base/dangling.ts nothing-unresolved',
        'src/base/untested.ts no-development-packages',
        'src/base/upward.ts floor-base',
        'src/cli/colourful.ts one-chalk',
        'src/cli/grammatical.ts commander-in-program',
        'src/doctor/beside.ts floor-doctor',
        'src/exchange/hasty.ts kme-client-on-demand',
        'src/handshake/impure.ts pure-handshake',
        'src/kme/heavy.ts undici-where-kmes-are-asked',
        'src/store/beside.ts floor-store',
      ]);
    } finally {
      await rm(house, { recursive: true, force: true });
    }
  },
  PATIENCE_MS,
);
