import { afterEach, expect, test } from '@jest/globals';
import { progressBar } from '../../../src/cli/progress.js';
import type { FetchWatch } from '../../../src/exchange/watched-kme.js';
import { FakeTerminal } from '../../support/fake-terminal.js';
import { ManualClock } from '../../support/manual-clock.js';

const watches: FetchWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.end();
});

interface Scene {
  readonly terminal: FakeTerminal;
  readonly clock: ManualClock;
  readonly begin: (total: number) => FetchWatch;
}

function scene(): Scene {
  const [terminal, clock] = [new FakeTerminal(), new ManualClock()];
  const bar = progressBar(terminal, clock);
  const begin = (total: number): FetchWatch => {
    const watch = bar(total);
    watches.push(watch);
    return watch;
  };
  return { terminal, clock, begin };
}

/** Until the library has been loaded and has drawn. */
async function drawn(terminal: FakeTerminal): Promise<void> {
  for (let turns = 0; terminal.written === '' && turns < 10_000; turns += 1) {
    await new Promise(setImmediate);
  }
  expect(terminal.written).not.toBe('');
}

test('shows how many have come, how fast, and how long it will take yet', async () => {
  const { terminal, clock, begin } = scene();
  const watch = begin(4_096);
  watch.come(1_024);
  clock.advance(500);
  await drawn(terminal);
  const half = `${'#'.repeat(6)}${'-'.repeat(18)}`;
  expect(terminal.screen).toEqual([
    expect.stringMatching(new RegExp(`^\\S+ fetching keys \\[${half}\\] 1024/4096, 2048 keys/s, 2 s left$`)),
  ]);
  watch.come(3_072);
  clock.advance(500);
  expect(terminal.screen).toEqual([expect.stringContaining('] 3072/4096, 3072 keys/s, 1 s left')]);
  // A KME that stands still is seen to.
  clock.advance(2_000);
  expect(terminal.screen).toEqual([expect.stringContaining('] 3072/4096, 1024 keys/s, 1 s left')]);
});

test('promises nothing before the first key has come', async () => {
  const { terminal, clock, begin } = scene();
  begin(128);
  clock.advance(500);
  await drawn(terminal);
  expect(terminal.screen).toEqual([expect.stringMatching(/fetching keys \[-{24}\] 0\/128$/)]);
});

test('leaves nothing behind, neither a line nor a timer', async () => {
  const { terminal, clock, begin } = scene();
  const watch = begin(128);
  clock.advance(500);
  await drawn(terminal);
  watch.end();
  expect(terminal.screen).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('is not shown for what is over at once', async () => {
  const { terminal, clock, begin } = scene();
  const watch = begin(1);
  clock.advance(499);
  watch.come(1);
  watch.end();
  expect(clock.pending).toBe(0);
  await new Promise(setImmediate);
  expect(terminal.written).toBe('');
});

test('keeps lines that others write above it, whole', async () => {
  const { terminal, clock, begin } = scene();
  const watch = begin(128);
  clock.advance(500);
  await drawn(terminal);
  terminal.write('qkd-sync: the KME is busy\n');
  terminal.write('qkd-sync: the KME is busy still\n');
  const talk = ['qkd-sync: the KME is busy', 'qkd-sync: the KME is busy still'];
  expect(terminal.screen).toEqual([...talk, expect.stringContaining('fetching keys')]);
  watch.end();
  expect(terminal.screen).toEqual(talk);
});

test('is one at a time: of two fetches the first has it', async () => {
  const { terminal, clock, begin } = scene();
  const first = begin(128);
  const second = begin(4_096);
  clock.advance(500);
  await drawn(terminal);
  second.come(4_000);
  second.end();
  clock.advance(500);
  expect(terminal.screen).toEqual([expect.stringContaining('0/128')]);
  first.end();
  begin(64);
  clock.advance(500);
  for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
  expect(terminal.screen).toEqual([expect.stringContaining('0/64')]);
});
