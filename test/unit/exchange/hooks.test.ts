/** When hooks are run, on both sites: after the file is saved, in order, at least once, and in nobody's way. */
import { describe, expect, test } from '@jest/globals';
import { access, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodeOf } from '../../../src/cli/exit-code.js';
import type { HookEnd, RunHook } from '../../../src/exchange/hook.js';
import { resolve } from '../../../src/exchange/resolve.js';
import type { HookNote } from '../../../src/store/hook-note.js';
import { NO_FAULT } from '../../support/faulty-file-system.js';
import { eachLink } from '../../support/each-link.js';
import type { Link } from '../../support/link.js';
import { SOUND_WIRE } from '../../support/memory-network.js';
import type { TestSite } from '../../support/site.js';
import { expectSettled } from '../../support/truth.js';

let link: Link;
eachLink((made) => {
  link = made;
});

const WELL: HookEnd = { how: 'exited', exitCode: 0 };

/** A hook that writes down what it was told, and what was true then. */
class RecordedHook {
  readonly notes: HookNote[] = [];
  /** How the next ones end. */
  end: HookEnd = WELL;
  /** How long each takes, in virtual time. */
  ms = 0;
  during: () => void = () => undefined;

  readonly run: RunHook = async (note, signal) => {
    this.notes.push(note);
    this.during();
    if (this.ms > 0) {
      await new Promise<void>((resolve_) => {
        const cancel = link.clock.after(this.ms, resolve_);
        signal.addEventListener('abort', () => {
          cancel();
          resolve_();
        });
      });
    }
    return signal.aborted ? { how: 'interrupted' } : this.end;
  };

  get files(): string[] {
    return this.notes.map(({ path }) => path.split('/').at(-1) ?? '');
  }
}

async function notesAt(site: TestSite, peer: TestSite): Promise<string[]> {
  return readdir(join(site.state, peer.id, 'hooks')).catch(() => []);
}

async function expectNoNotes(): Promise<void> {
  expect(await notesAt(link.a, link.b)).toEqual([]);
  expect(await notesAt(link.b, link.a)).toEqual([]);
}

test('both sites run theirs once, for a file that is there, when the exchange is over', async () => {
  const [atA, atB] = [new RecordedHook(), new RecordedHook()];
  const there: Promise<void>[] = [];
  for (const hook of [atA, atB]) {
    hook.during = () => {
      there.push(access(hook.notes.at(-1)?.path ?? ''));
      expect(link.locks.held.has(join(link.a.state, 'B', 'lock'))).toBe(false);
    };
  }
  const [a, b] = await link.exchange(
    { runHook: atA.run, terms: { count: 3, format: 'json' } },
    { runHook: atB.run, terms: { count: 3 } },
  );
  await Promise.all(there);
  expect([a.outcome, b.outcome]).toEqual(['saved', 'saved']);
  const common = { id: a.exchange?.id, index: 0, keyIds: a.exchange?.keyIds };
  expect(atA.notes).toMatchObject([
    { ...common, role: 'initiator', peer: 'B', path: join(link.a.keys, 'B/B_0'), format: 'json' },
  ]);
  expect(atB.notes).toMatchObject([
    { ...common, role: 'responder', peer: 'A', path: join(link.b.keys, 'A/A_0'), format: 'hex' },
  ]);
  expect(a.hooks).toEqual([
    { exchange: a.exchange?.id, peer: 'B', file: join(link.a.keys, 'B/B_0'), end: WELL },
  ]);
  expect(b.hooks).toHaveLength(1);
  await expectNoNotes();
});

test('where nothing was saved, and where there is none, nothing is run', async () => {
  const hook = new RecordedHook();
  await link.recover({ runHook: hook.run });
  const [a] = await link.exchange({ index: 3, runHook: hook.run }, { index: 4 });
  expect(a.outcome).toBe('aborted');
  expect((await link.exchange())[0]).toMatchObject({ outcome: 'saved', hooks: [] });
  // It was saved by a run without a hook.
  await link.recover({ runHook: hook.run });
  expect(hook.notes).toEqual([]);
  await expectNoNotes();
});

test('a slow one holds up neither FIN nor the peer, and nobody who waits for the lock', async () => {
  const slow = new RecordedHook();
  slow.ms = 20_000;
  const answering = link.b.respond([link.a], { runHook: slow.run, serve: true });
  const startedAt = link.clock.monotonic();
  const a = await link.until(link.a.initiate(link.b).report);
  const again = await link.until(link.a.initiate(link.b).report);
  expect([a.outcome, again.outcome]).toEqual(['saved', 'saved']);
  expect(link.clock.monotonic() - startedAt).toBeLessThan(20_000);
  // The second one is run when the first is over.
  expect(slow.files).toEqual(['A_0']);
  await link.until(new Promise<void>((done) => link.clock.after(50_000, done)));
  expect(slow.files).toEqual(['A_0', 'A_1']);
  answering.interrupt();
  const b = await link.until(answering.report);
  expect(b.hooks.map(({ end }) => end)).toEqual([WELL, WELL]);
  expect(exitCodeOf(b)).toBe(0);
  await expectNoNotes();
});

describe('a failure', () => {
  test.each<HookEnd>([
    { how: 'exited', exitCode: 9 },
    { how: 'killed', signal: 'SIGSEGV' },
    { how: 'timed-out' },
  ])('%j is said, leaves the file and is not tried again', async (end) => {
    const hook = new RecordedHook();
    hook.end = end;
    const [a, b] = await link.exchange({ runHook: hook.run }, {});
    expect([a.outcome, exitCodeOf(a), exitCodeOf(b)]).toEqual(['saved', 12, 0]);
    expect(a.hooks.map((one) => one.end)).toEqual([end]);
    expect(link.a.log.lines.filter(({ event }) => event === 'hook-failed')).toHaveLength(1);
    expect(Object.keys(await link.a.files(link.b))).toEqual(['B_0']);
    await link.recover({ runHook: hook.run });
    expect(hook.files).toEqual(['B_0']);
    await expectSettled(link);
    await expectNoNotes();
  });

  test('to run it at all leaves its note, and the next contact tries again before what is new', async () => {
    const hook = new RecordedHook();
    hook.end = { how: 'failed', reason: 'no processes left' };
    const [a] = await link.exchange({ runHook: hook.run }, {});
    expect(exitCodeOf(a)).toBe(12);
    expect(await notesAt(link.a, link.b)).toHaveLength(1);
    hook.end = WELL;
    const [again] = await link.exchange({ runHook: hook.run }, {});
    expect(hook.files).toEqual(['B_0', 'B_0', 'B_1']);
    expect(exitCodeOf(again)).toBe(0);
    await expectNoNotes();
  });

  test('to write the note keeps the file from being published, and the next run goes on', async () => {
    const hook = new RecordedHook();
    link.a.fault = ({ name, target }) =>
      name === 'rename' && target.endsWith('.initiator') ? { code: 'ENOSPC' } : undefined;
    const [a] = await link.exchange({ runHook: hook.run, terms: { ackTimeoutMs: 0 } }, {});
    expect([a.outcome, exitCodeOf(a)]).toEqual(['pending', 14]);
    expect(await link.a.files(link.b)).toEqual({});
    link.a.fault = NO_FAULT;
    await link.recover({ runHook: hook.run });
    expect(hook.files).toEqual(['B_0']);
    await expectSettled(link);
  });

  test('to take the note away is said, and the hook is run once more', async () => {
    const hook = new RecordedHook();
    link.a.fault = ({ name, target }) =>
      name === 'unlink' && target.endsWith('.initiator') ? { code: 'EROFS' } : undefined;
    const [a] = await link.exchange({ runHook: hook.run }, {});
    expect([a.outcome, exitCodeOf(a)]).toEqual(['saved', 12]);
    link.a.fault = NO_FAULT;
    await link.recover({ runHook: hook.run });
    expect(hook.files).toEqual(['B_0', 'B_0']);
    await expectNoNotes();
  });
});

test('a failure is said of the file whose hook it was, not of the first that was due', async () => {
  const hook = new RecordedHook();
  hook.end = { how: 'failed', reason: 'no processes left' };
  await link.exchange({ runHook: hook.run }, {});
  await link.exchange({ runHook: hook.run }, {});
  hook.end = WELL;
  hook.notes.length = 0;
  link.a.fault = ({ name, target }) =>
    name === 'unlink' && target.endsWith('.initiator') && hook.notes.length === 2
      ? { code: 'EROFS' }
      : undefined;
  const [a] = await link.recover({ runHook: hook.run });
  const ends = a.hooks.map(({ file, end }) => [file.split('/').at(-1), end.how]);
  expect(ends).toEqual([
    ['B_0', 'exited'],
    ['B_1', 'exited'],
    ['B_1', 'failed'],
  ]);
});

describe('a look for hooks', () => {
  test('that fails is a warning and says what to do, and what waits is run at the next contact', async () => {
    const hook = new RecordedHook();
    hook.end = { how: 'failed', reason: 'no processes left' };
    await link.exchange({ runHook: hook.run }, {});
    hook.end = WELL;
    const folder = join(link.a.state, 'B/hooks');
    await rename(folder, `${folder}.aside`);
    await writeFile(folder, '', { mode: 0o600 });
    await link.recover({ runHook: hook.run });
    expect(hook.notes).toHaveLength(1);
    expect(link.a.log.all('hooks-unread')).toEqual([
      {
        level: 'warn',
        event: 'hooks-unread',
        message: expect.stringMatching(/^cannot look for hooks of peer B to run: storage failed: ENOTDIR/),
        fields: {
          hint: "those that wait are run at the next contact; 'qkd-sync status' shows them",
        },
      },
    ]);
    await rm(folder);
    await rename(`${folder}.aside`, folder);
    await link.recover({ runHook: hook.run });
    expect(hook.files).toEqual(['B_0', 'B_0']);
    await expectNoNotes();
  });

  test('meets a note whose key IDs cannot be read: it is said, stays, and the others are run', async () => {
    const hook = new RecordedHook();
    hook.end = { how: 'failed', reason: 'no processes left' };
    await link.exchange({ runHook: hook.run }, {});
    const [note = ''] = await notesAt(link.a, link.b);
    const path = join(link.a.state, 'B/hooks', note);
    const whole = JSON.parse(await readFile(path, 'utf8')) as object;
    // More than are looked at before its turn comes.
    const keyIds = Array.from({ length: 200 }, (_, n) => `bc490419-7d60-487f-adc1-${n + 1e11}`);
    await writeFile(path, JSON.stringify({ ...whole, keyIds }).slice(0, -4));
    hook.end = WELL;
    const [a] = await link.exchange({ runHook: hook.run }, {});
    expect(hook.files).toEqual(['B_0', 'B_1']);
    expect(a.hooks.map(({ end }) => end)).toEqual([WELL]);
    expect(link.a.log.all('note-damaged')).toHaveLength(1);
    expect(await notesAt(link.a, link.b)).toEqual([note]);
  });

  test('says once of a note that it cannot be read, however often it looks', async () => {
    const hook = new RecordedHook();
    hook.end = { how: 'failed', reason: 'no processes left' };
    await link.exchange({ runHook: hook.run }, {});
    const [note = ''] = await notesAt(link.a, link.b);
    await writeFile(join(link.a.state, 'B/hooks', note), '');
    hook.end = WELL;
    await link.exchange({ runHook: hook.run }, {});
    expect(hook.files).toEqual(['B_0', 'B_1']);
    expect(link.a.log.all('note-damaged')).toHaveLength(1);
  });
});

test('where the peer cannot be reached, what waits is run all the same', async () => {
  const hook = new RecordedHook();
  hook.end = { how: 'failed', reason: 'no processes left' };
  await link.exchange({ runHook: hook.run }, {});
  hook.end = WELL;
  const alone = await link.until(link.a.recover(link.b, { connectWaitMs: 0, runHook: hook.run }).report);
  expect([alone.error?.code, hook.files]).toEqual(['peer-unreachable', ['B_0', 'B_0']]);
  await expectNoNotes();
});

describe('killed', () => {
  test.each(['A', 'B'] as const)(
    'at %s while it is run: it is run again at the next contact',
    async (who) => {
      const hook = new RecordedHook();
      const of = (site: 'A' | 'B') => (site === who ? { runHook: hook.run } : {});
      const answering = link.b.respond([link.a], of('B'));
      const asking = link.a.initiate(link.b, of('A'));
      hook.during = () => {
        (who === 'A' ? asking : answering).kill();
      };
      await link.both(asking, answering);
      expect(hook.notes).toHaveLength(1);
      hook.during = () => undefined;
      // Taken away meanwhile.
      await rm(who === 'A' ? link.a.keys : link.b.keys, { recursive: true });
      const answeringAgain = link.b.respond([link.a], of('B'));
      await link.both(link.a.recover(link.b, of('A')), answeringAgain);
      expect(hook.files).toHaveLength(2);
      expect(hook.notes[1]).toEqual(hook.notes[0]);
      await expectNoNotes();
    },
  );

  test('B after its vote: the file that the next contact settles has its hook run', async () => {
    const hook = new RecordedHook();
    const answering = link.b.respond([link.a], { runHook: hook.run });
    link.network.wire = ({ type }) => {
      if (type === 'ACK') answering.kill();
      return 'deliver';
    };
    await link.both(link.a.initiate(link.b, { terms: { ackTimeoutMs: 0 }, runHook: hook.run }), answering);
    expect(hook.files).toEqual(['B_0']);
    link.network.wire = SOUND_WIRE;
    const [, b] = await link.exchange({}, { runHook: hook.run });
    expect(hook.files).toEqual(['B_0', 'A_0', 'A_1']);
    expect(b.hooks.map(({ file }) => file)).toEqual([join(link.b.keys, 'A/A_0'), join(link.b.keys, 'A/A_1')]);
    await expectSettled(link);
  });
});

describe('told to stop', () => {
  test('while it is run: it is given up, and run again', async () => {
    const hook = new RecordedHook();
    hook.ms = 10_000;
    const answering = link.b.respond([link.a]);
    const asking = link.a.initiate(link.b, { runHook: hook.run });
    hook.during = () => {
      asking.interrupt();
    };
    const [a] = await link.both(asking, answering);
    expect([a.outcome, exitCodeOf(a)]).toEqual(['saved', 12]);
    expect(a.hooks.map(({ end }) => end.how)).toEqual(['interrupted']);
    hook.during = () => undefined;
    hook.ms = 0;
    await link.recover({ runHook: hook.run });
    expect(hook.files).toEqual(['B_0', 'B_0']);
    await expectNoNotes();
  });

  test('after the decision: the exchange is finished, its hook waits for the next run', async () => {
    const hook = new RecordedHook();
    const answering = link.b.respond([link.a]);
    const asking = link.a.initiate(link.b, { runHook: hook.run });
    link.network.wire = ({ type }) => {
      if (type === 'ACK') asking.interrupt();
      return 'deliver';
    };
    const [a] = await link.both(asking, answering);
    expect([a.outcome, exitCodeOf(a), hook.notes.length]).toEqual(['saved', 12, 0]);
    link.network.wire = SOUND_WIRE;
    await link.recover({ runHook: hook.run });
    expect(hook.files).toEqual(['B_0']);
  });
});

test('two runs at once run each hook once', async () => {
  const hook = new RecordedHook();
  hook.ms = 1_000;
  const answering = link.b.respond([link.a], { serve: true });
  const [one, other] = await link.both(
    link.a.initiate(link.b, { runHook: hook.run }),
    link.a.initiate(link.b, { runHook: hook.run }),
  );
  answering.interrupt();
  await link.until(answering.report);
  expect([one.outcome, other.outcome]).toEqual(['saved', 'saved']);
  expect([...hook.files].sort()).toEqual(['B_0', 'B_1']);
  expect([exitCodeOf(one), exitCodeOf(other)]).toEqual([0, 0]);
  await expectNoNotes();
});

test('a run that cannot have the lock of the hooks leaves them to the one that has it', async () => {
  const hook = new RecordedHook();
  const path = join(link.a.state, 'B', 'hooks-lock');
  const unlock = await link.locks.lock(link.clock)(path, 0, new AbortController().signal);
  const [a] = await link.exchange({ runHook: hook.run, lockWaitMs: 500 }, {});
  expect([a.outcome, exitCodeOf(a), hook.notes.length]).toEqual(['saved', 0, 0]);
  expect(link.a.log.lines.map(({ event }) => event)).toContain('hooks-busy');
  await unlock();
  await link.recover({ runHook: hook.run });
  expect(hook.files).toEqual(['B_0']);
});

test("an operator's commit makes the note, and the next run finds it", async () => {
  const hook = new RecordedHook();
  const answering = link.b.respond([link.a]);
  const asking = link.a.initiate(link.b);
  link.network.wire = ({ type }) => {
    if (type === 'SYN_ACK') asking.kill();
    return 'deliver';
  };
  await link.both(asking, answering);
  link.network.wire = SOUND_WIRE;
  const store = link.b.store({ runHook: hook.run });
  const [vote] = await store.survey('A');
  await link.until(
    resolve(
      {
        id: vote?.place.id ?? '',
        choice: 'commit',
        by: 'op',
        lockWaitMs: 0,
        confirm: () => Promise.resolve(true),
      },
      {
        store,
        lock: link.locks.lock(link.clock),
        clock: link.clock,
        log: link.b.log.log,
        signal: new AbortController().signal,
      },
    ),
  );
  const again = link.b.respond([link.a], { timeoutMs: 1_000, runHook: hook.run });
  await link.until(again.report);
  expect(hook.files).toEqual(['A_0']);
});
