/** The hook as a real process of a real shell. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.js';
import type { HookEnd } from '../../../src/exchange/hook.js';
import { createRunHook } from '../../../src/exchange/hook-process.js';
import type { HookNote } from '../../../src/store/hook-note.js';
import { RecordingLog } from '../../support/recording-log.js';

jest.setTimeout(60_000);

let folder: string;
let log: RecordingLog;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qkd-sync-hook-'));
  log = new RecordingLog();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const NOTE: HookNote = {
  id: 'e'.repeat(32),
  role: 'responder',
  peer: "site 'A'",
  path: '/keys/A/A_7',
  index: 7,
  format: 'base64',
  keyIds: ['k1', 'k "2"'],
  time: 1,
};

interface Options {
  readonly note?: HookNote;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

function run(command: string, options: Options = {}): Promise<HookEnd> {
  const { note = NOTE, timeoutMs = 30_000, signal = new AbortController().signal, env = {} } = options;
  const ports = {
    env: { PATH: process.env['PATH'], OUT: join(folder, 'out'), ...env },
    clock: systemClock,
    log: log.log,
  };
  return createRunHook({ command, timeoutMs }, ports)(note, signal);
}

const out = (): Promise<string> => readFile(join(folder, 'out'), 'utf8');
const said = (): string[] =>
  log.lines.filter(({ event }) => event === 'hook-said').map(({ message }) => message);

async function took(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Whether the process whose ID the hook has written down is gone. */
async function isGone(): Promise<boolean> {
  const pid = Number(await out());
  try {
    process.kill(pid, 0);
    return (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z');
  } catch {
    return true;
  }
}

test('is told everything by variables, and the key IDs on standard input', async () => {
  const end = await run('env | grep ^QKD_SYNC_HOOK_ | sort > "$OUT"; cat >> "$OUT"');
  expect(end).toEqual({ how: 'exited', exitCode: 0 });
  expect(await out()).toBe(
    [
      `QKD_SYNC_HOOK_EXCHANGE=${'e'.repeat(32)}`,
      'QKD_SYNC_HOOK_FILE=/keys/A/A_7',
      'QKD_SYNC_HOOK_FORMAT=base64',
      'QKD_SYNC_HOOK_INDEX=7',
      "QKD_SYNC_HOOK_PEER=site 'A'",
      'QKD_SYNC_HOOK_ROLE=responder',
      '["k1","k \\"2\\""]',
    ].join('\n'),
  );
});

test('has an empty index where the file has no number, and the variables of its parent', async () => {
  await run('echo "$QKD_SYNC_HOOK_INDEX,$OTHER" > "$OUT"', {
    note: { ...NOTE, index: undefined },
    env: { OTHER: 'x' },
  });
  expect(await out()).toBe(',x\n');
});

test('gets all IDs of the largest block, and need not read them', async () => {
  const note = { ...NOTE, keyIds: Array.from({ length: 65_536 }, (_, at) => `${at}`.padStart(256, 'k')) };
  expect(await run('wc -c > "$OUT"', { note })).toEqual({ how: 'exited', exitCode: 0 });
  expect(Number(await out())).toBe(65_536 * 259 + 1);
  expect(await run('exec <&-; exit 0', { note })).toEqual({ how: 'exited', exitCode: 0 });
  expect(await run('exit 0', { note })).toEqual({ how: 'exited', exitCode: 0 });
});

describe('its end', () => {
  test.each<[string, HookEnd]>([
    ['exit 0', { how: 'exited', exitCode: 0 }],
    ['exit 7', { how: 'exited', exitCode: 7 }],
    ['kill -USR1 $$', { how: 'killed', signal: 'SIGUSR1' }],
    ['nosuchcommand', { how: 'exited', exitCode: 127 }],
  ])('%s', async (command, end) => {
    expect(await run(command)).toEqual(end);
  });

  test('where there is no room for it', async () => {
    const env = { HUGE: 'x'.repeat(4_000_000) };
    expect(await run('exit 0', { env })).toMatchObject({
      how: 'failed',
      reason: expect.stringContaining('E2BIG'),
    });
  });
});

describe('what it says', () => {
  test('goes to the log line by line, the last one too', async () => {
    await run('echo one; echo two >&2; printf three');
    expect(said().sort()).toEqual(['hook: one', 'hook: three', 'hook: two']);
  });

  test('is cleaned, and bounded', async () => {
    await run(`printf 'a\\033[31mb\\n'; head -c 3000000 /dev/zero | tr '\\0' x; yes | head -n 100000`);
    const lines = said();
    expect(lines[0]).toBe('hook: a [31mb');
    expect(lines.join('').length).toBeLessThan(1_000_000);
    expect(lines.at(-1)).toContain('more than is shown');
  });
});

describe('its deadline', () => {
  test('ends the whole group', async () => {
    const ms = await took(async () => {
      expect(await run('sleep 60 & echo $! > "$OUT"; wait', { timeoutMs: 300 })).toEqual({
        how: 'timed-out',
      });
    });
    expect(ms).toBeLessThan(10_000);
    expect(await isGone()).toBe(true);
  });

  test('ends what does not listen to SIGTERM 2 s later', async () => {
    const ms = await took(async () => {
      const command = `trap '' TERM; echo $$ > "$OUT"; while :; do sleep 0.1; done`;
      expect(await run(command, { timeoutMs: 300 })).toEqual({ how: 'timed-out' });
    });
    expect(ms).toBeGreaterThan(2_200);
    expect(ms).toBeLessThan(20_000);
    expect(await isGone()).toBe(true);
  });

  test('lets it tidy up', async () => {
    const command = `trap 'sleep 0.3; echo tidy > "$OUT"; exit 0' TERM; while :; do sleep 0.05; done`;
    expect(await run(command, { timeoutMs: 300 })).toEqual({ how: 'timed-out' });
    expect(await out()).toBe('tidy\n');
  });
});

test('what it leaves in the background is not waited for, even where it holds the streams', async () => {
  const ms = await took(async () => {
    expect(await run('sleep 20 & echo $! > "$OUT"; echo done')).toEqual({ how: 'exited', exitCode: 0 });
  });
  expect(ms).toBeLessThan(10_000);
  expect(said()).toEqual(['hook: done']);
  expect(await isGone()).toBe(false);
  process.kill(Number(await out()), 'SIGKILL');
});

describe('told to stop', () => {
  test('it is ended at once', async () => {
    const stop = new AbortController();
    setTimeout(() => {
      stop.abort();
    }, 300);
    const ms = await took(async () => {
      expect(await run('echo $$ > "$OUT"; sleep 60', { signal: stop.signal })).toEqual({
        how: 'interrupted',
      });
    });
    expect(ms).toBeLessThan(10_000);
    expect(await isGone()).toBe(true);
  });

  test('before it has begun it does not begin', async () => {
    expect(await run('echo > "$OUT"', { signal: AbortSignal.abort() })).toEqual({ how: 'interrupted' });
    await expect(out()).rejects.toThrow('ENOENT');
  });
});
