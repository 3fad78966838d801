/** Keeps overlapping runs for one peer polite (docs/protocol.md, rule 14). */
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/base/clock.js';
import { createLock, type Lock } from '../../../src/store/lock.js';
import { ManualClock } from '../../support/manual-clock.js';
import {
  gate,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  type StoreFolder,
} from '../../support/store-folder.js';

let folder: StoreFolder;
let path: string;
let events: string[];
let lost: ReturnType<typeof gate>;

beforeEach(async () => {
  folder = await makeStoreFolder();
  await folder.open();
  path = folder.layout.lock(PEER);
  events = [];
  lost = gate();
});
afterEach(removeStoreFolders);

const never = new AbortController().signal;

const lockWith = (clock = systemClock): Lock =>
  createLock(clock, (level, event) => {
    events.push(`${level} ${event}`);
    lost.open();
  });

describe('the lock', () => {
  it('is one run’s until it is given back', async () => {
    const lock = lockWith();
    const unlock = await lock(path, 0, never);
    await expect(lock(path, 0, never)).rejects.toMatchObject({ code: 'busy' });
    await unlock();
    await (
      await lock(path, 0, never)
    )();
    expect(await folder.tree(folder.layout.peer(PEER))).toEqual([]);
    expect(events).toEqual([]);
  });

  it('is one for each peer', async () => {
    const lock = lockWith();
    const unlock = await lock(path, 0, never);
    const other = await lock(`${path}-2`, 0, never);
    await Promise.all([unlock(), other()]);
  });

  it('is waited for as long as was said, and no longer', async () => {
    const clock = new ManualClock();
    const unlock = await lockWith()(path, 0, never);
    const waiting = lockWith(clock)(path, 250, never);
    const outcome = waiting.then(
      () => 'locked',
      (error: unknown) => (error as { code: string }).code,
    );
    for (const ms of [100, 100, 50]) {
      while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(ms);
    }
    expect(await outcome).toBe('busy');
    await unlock();
  });

  it('is taken as soon as it is free', async () => {
    const unlock = await lockWith()(path, 0, never);
    const waiting = lockWith()(path, 10_000, never);
    await unlock();
    await (
      await waiting
    )();
  });

  it('is not waited for once the process is told to stop', async () => {
    const stop = new AbortController();
    const unlock = await lockWith()(path, 0, never);
    const waiting = lockWith()(path, 10_000, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
    await expect(lockWith()(path, 0, stop.signal)).rejects.toMatchObject({ code: 'interrupted' });
    await unlock();
  });

  it('of a run that was killed goes stale', async () => {
    await mkdir(path);
    await expect(lockWith()(path, 0, never)).rejects.toMatchObject({ code: 'busy' });
    const before = new Date(Date.now() - 2_500);
    await utimes(path, before, before);
    await (
      await lockWith()(path, 0, never)
    )();
  });

  it('of a run that was killed while the clock was ahead is no obstacle', async () => {
    await mkdir(path);
    const ahead = new Date(Date.now() + 3_600_000);
    await utimes(path, ahead, ahead);
    const unlock = await lockWith()(path, 0, never);
    await expect(lockWith()(path, 0, never)).rejects.toMatchObject({ code: 'busy' });
    await unlock();
    expect(events).toEqual([]);
  });

  it('that is lost is said, and giving it back is no error', async () => {
    const unlock = await lockWith()(path, 0, never);
    await rm(path, { recursive: true });
    await lost.opened;
    expect(events).toEqual(['warn lock-lost']);
    await unlock();
    expect(events).toEqual(['warn lock-lost']);
  });

  it('that cannot be given back ends nothing: it is said, and goes stale', async () => {
    const unlock = await lockWith()(path, 0, never);
    await writeFile(join(path, 'alien'), '');
    await unlock();
    expect(events).toEqual(['warn lock-left']);
  });

  it('cannot be taken where its folder is missing', async () => {
    await expect(lockWith()(join(path, 'deeper'), 0, never)).rejects.toMatchObject({ code: 'storage' });
  });
});
