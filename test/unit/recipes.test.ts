/**
 * The scripts of docs/recipes.md, as they stand there, run as hooks.
 *
 * What a machine has not installed is skipped, and the name of the test says so.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import type { Format } from '../../src/base/format.js';
import { Secret } from '../../src/base/key.js';
import { encodeKeyFile } from '../../src/exchange/key-file.js';
import { createRunHook, type HookProcessPorts } from '../../src/exchange/hook-process.js';
import type { HookNote } from '../../src/store/hook-note.js';
import { RecordingLog } from '../support/recording-log.js';

const page = readFileSync(join(__dirname, '../../docs/recipes.md'), 'utf8');
const RECIPES = new Map(
  [...page.matchAll(/```sh (\S+)\n([^]*?)\n```/g)].map(([, name = '', script = '']) => [name, script]),
);

let folder: string;
let log: RecordingLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qkd-sync-recipes-'));
  mkdirSync(join(folder, 'keys/A'), { recursive: true });
  log = new RecordingLog();
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Saves a key as a file of this number; answers its path. */
function save(index: number, key: Buffer, format: Format = 'hex'): string {
  const path = join(folder, `keys/A/A_${index}`);
  writeFileSync(path, encodeKeyFile([{ keyId: 'k', secret: new Secret(Uint8Array.from(key)) }], format), {
    mode: 0o600,
  });
  return path;
}

function portsWith(env: Record<string, string>): HookProcessPorts {
  return { env: { PATH: process.env['PATH'], ...env }, clock: systemClock, log: log.log };
}

const noteOf = (path: string): HookNote => ({
  id: 'e'.repeat(32),
  role: 'responder',
  peer: 'A',
  path,
  index: 0,
  format: 'hex',
  keyIds: ['k'],
  time: 1,
});

/** Runs a recipe for a file, twice, as it may happen; answers the exit code of both. */
async function runTwice(recipe: string, path: string, env: Record<string, string> = {}): Promise<unknown[]> {
  const command = RECIPES.get(recipe);
  if (command === undefined) throw new Error(`docs/recipes.md has no recipe ${recipe}`);
  const run = createRunHook({ command, timeoutMs: 20_000 }, portsWith(env));
  const ends: unknown[] = [];
  for (let n = 0; n < 2; n += 1) {
    const end = await run(noteOf(path), new AbortController().signal);
    ends.push(end.how === 'exited' ? end.exitCode : end.how);
  }
  return ends;
}

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
const isRoot = process.getuid?.() === 0;

/** A test that needs something of the machine, and says so where it is skipped. */
const testWith = (what: string, isThere: boolean) => (name: string, run: () => Promise<void> | void) => {
  if (isThere) test(name, run);
  else test.skip(`${name} (SKIPPED: it needs ${what})`, run);
};

test('each has a test here', () => {
  expect([...RECIPES.keys()]).toEqual([
    'wireguard',
    'current',
    'shred',
    'another-user',
    'strongswan',
    'tls-psk',
  ]);
});

testWith('flock', has('flock'))('the configuration of the page keeps two from running at once', async () => {
  const [, line = ''] = /```yaml\nonCommit: (.*)\n```/.exec(page) ?? [];
  const script = join(folder, 'on-commit.sh');
  const told = join(folder, 'told');
  writeFileSync(script, `echo begun >> ${told}; sleep 0.3; echo ended >> ${told}\n`);
  const command = line
    .replace('/run/lock/qkd-sync-hook', join(folder, 'lock'))
    .replace('/etc/qkd-sync/on-commit.sh', script);
  expect(command).toBe(`flock ${join(folder, 'lock')} sh ${script}`);
  const run = createRunHook({ command, timeoutMs: 20_000 }, portsWith({}));
  const { signal } = new AbortController();
  await Promise.all([run(noteOf('/k'), signal), run(noteOf('/k'), signal)]);
  expect(readFileSync(told, 'utf8')).toBe('begun\nended\nbegun\nended\n');
});

describe('wireguard', () => {
  const sockets = '/var/run/wireguard';
  const name = `qs${process.pid}`.slice(0, 15);
  const peer = randomBytes(32).toString('base64');
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    rmSync(join(sockets, `${name}.sock`), { force: true });
  });

  /** What an implementation of WireGuard outside of the kernel would be told. */
  async function interfaceOf(): Promise<string[]> {
    const told: string[] = [];
    mkdirSync(sockets, { recursive: true, mode: 0o700 });
    const listening = createServer((socket) => {
      socket.setEncoding('utf8').on('data', (text: string) => {
        told.push(...text.split('\n'));
        if (text.endsWith('\n\n')) socket.end('errno=0\n\n');
      });
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(join(sockets, `${name}.sock`), resolve));
    return told;
  }

  testWith('wireguard-tools, and root', has('wg') && isRoot)(
    'wg reads the key from the file and gives it to the interface',
    async () => {
      const key = randomBytes(32);
      const told = await interfaceOf();
      const env = { WG_INTERFACE: name, WG_PEER: peer };
      expect(await runTwice('wireguard', save(0, key, 'base64'), env)).toEqual([0, 0]);
      expect(told.filter((line) => line.startsWith('preshared_key='))).toEqual(
        Array.from({ length: 2 }, () => `preshared_key=${key.toString('hex')}`),
      );
    },
  );

  testWith('wireguard-tools, and root', has('wg') && isRoot)('a file of two keys is refused', async () => {
    const told = await interfaceOf();
    const path = save(0, Buffer.concat([randomBytes(32), randomBytes(32)]), 'base64');
    expect(await runTwice('wireguard', path, { WG_INTERFACE: name, WG_PEER: peer })).toEqual([1, 1]);
    expect(told).toEqual([]);
  });
});

test('current: the newest file has a name that is always there', async () => {
  const link = join(folder, 'keys/A/current');
  for (const index of [0, 1]) {
    const key = randomBytes(32);
    expect(await runTwice('current', save(index, key))).toEqual([0, 0]);
    expect(readlinkSync(link)).toBe(`A_${index}`);
    expect(readFileSync(link, 'utf8')).toBe(`${key.toString('hex')}\n`);
  }
  expect(readdirSync(join(folder, 'keys/A')).sort()).toEqual(['A_0', 'A_1', 'current']);
});

testWith('shred', has('shred'))('shred: what is older goes, and nothing else', async () => {
  const days = (count: number): number => Date.now() / 1_000 - count * 86_400;
  for (const [index, age] of [9, 4, 0].entries()) {
    const path = save(index, randomBytes(32));
    utimesSync(path, days(age), days(age));
  }
  expect(await runTwice('shred', join(folder, 'keys/A/A_2'), { KEEP_DAYS: '3' })).toEqual([0, 0]);
  expect(readdirSync(join(folder, 'keys/A'))).toEqual(['A_2']);
  expect(await runTwice('shred', join(folder, 'keys/A/A_2'))).toEqual([0, 0]);
  expect(readdirSync(join(folder, 'keys/A'))).toEqual(['A_2']);
});

describe('another-user', () => {
  const mine = userInfo().username;

  test('the copy is complete, and its owner alone may read it', async () => {
    const target = join(folder, 'psk');
    const key = randomBytes(32);
    expect(await runTwice('another-user', save(0, key), { FOR_USER: mine, FOR_FILE: target })).toEqual([
      0, 0,
    ]);
    expect(readFileSync(target, 'utf8')).toBe(`${key.toString('hex')}\n`);
    expect(statSync(target).mode & 0o7777).toBe(0o400);
    expect(readdirSync(folder).sort()).toEqual(['keys', 'psk']);
  });

  testWith('root, and a user nobody', isRoot && spawnSync('id', ['nobody']).status === 0)(
    'it is that of the other user',
    async () => {
      const target = join(folder, 'psk');
      const path = save(0, randomBytes(32));
      expect(await runTwice('another-user', path, { FOR_USER: 'nobody', FOR_FILE: target })).toEqual([0, 0]);
      expect(statSync(target).uid).toBe(Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' })));
    },
  );
});

test('strongswan: the secret stands in a file of its own', async () => {
  const file = join(folder, 'qkd.conf');
  const key = randomBytes(32);
  const env = { SWAN_FILE: file, SWAN_PEER: 'b.example', SWAN_RELOAD: `touch ${join(folder, 'reloaded')}` };
  expect(await runTwice('strongswan', save(0, key), env)).toEqual([0, 0]);
  expect(readFileSync(file, 'utf8')).toBe(
    `secrets {\n  ike-qkd {\n    id = "b.example"\n    secret = 0x${key.toString('hex')}\n  }\n}\n`,
  );
  expect(statSync(file).mode & 0o7777).toBe(0o600);
  expect(readdirSync(folder)).toContain('reloaded');
});

test('tls-psk: one line of identity and key, for its owner alone', async () => {
  const file = join(folder, 'psk.txt');
  writeFileSync(file, 'old:00\n');
  chmodSync(file, 0o644);
  const key = randomBytes(32);
  expect(await runTwice('tls-psk', save(0, key), { PSK_FILE: file, PSK_IDENTITY: 'a-to-b' })).toEqual([0, 0]);
  expect(readFileSync(file, 'utf8')).toBe(`a-to-b:${key.toString('hex')}\n`);
  expect(statSync(file).mode & 0o7777).toBe(0o600);
});

test('none of them shows a key', async () => {
  const key = randomBytes(32);
  const path = save(0, key);
  const env = { SWAN_FILE: join(folder, 'c'), SWAN_PEER: 'b', PSK_FILE: join(folder, 'd') };
  for (const recipe of ['current', 'strongswan', 'tls-psk']) await runTwice(recipe, path, env);
  expect(JSON.stringify(log.lines)).not.toContain(key.toString('hex'));
  for (const script of RECIPES.values()) expect(script).not.toMatch(/\$\(cat|`cat|set -x/);
});
