/** Trials in which fate strikes one site at one call. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliProcess } from '../support/cli-process.js';
import { SCENARIOS, type CallPoint } from './point.js';
import { readLog, type ShimUse } from './shim.js';
import { END_MS, type Command, type Result, type Trial } from './trial.js';

/** How it goes on, so that each place meets several ways. */
interface Aftermath {
  /** Somebody takes the key files away before the next contact. */
  readonly consumed: boolean;
  /** The responder is killed too. */
  readonly responderToo: boolean;
  readonly command: Command;
}

function aftermathOf({ how, at, lasting, scenario }: CallPoint): Aftermath {
  const even = at % 2 === 0;
  return {
    consumed: how === 'kill-before' || (how !== 'kill-after' && even),
    responderToo: how === 'kill-after' || (lasting && even),
    // What recover was about must be settled by recover; otherwise the next exchange has to do as well.
    command:
      SCENARIOS[scenario].command === 'recover' || how === 'kill-before' || even ? 'recover' : 'initiate',
  };
}

export async function runStrike(trial: Trial, point: CallPoint): Promise<Result> {
  const { how, twice, scenario } = point;
  if (how === 'stop-before' || how === 'stop-after') return runStop(trial, point);
  const aftermath = aftermathOf(point);
  let hit = await strike(trial, point);
  if (twice) hit = (await strike(trial, point)) && hit;
  if (aftermath.responderToo) await trial.kill();
  if (aftermath.consumed) await trial.consume();
  await trial.rebootSuspects();
  const contacts = await trial.settle(aftermath.command);
  return trial.judge(contacts, hit, SCENARIOS[scenario].must);
}

/** One run of both roles, one of them struck; false where it never came to the call. */
async function strike(trial: Trial, { scenario, side, at, how, lasting }: CallPoint): Promise<boolean> {
  const { sites } = trial;
  const site = sites.of(side);
  const { hits: before } = await readLog(site.log);
  const use: ShimUse = { root: site.folder, log: site.log, strike: { at, how, lasting } };
  const { port, process: responder } = await trial.listening(side === 'B' ? use : undefined);
  if (port !== undefined) {
    await trial.contact(SCENARIOS[scenario].command, port, true, side === 'A' ? use : undefined);
  }
  await sites.a.ageLock();
  const { hits } = await readLog(site.log);
  if (side === 'B') {
    // A disk that is ill for good is mended by hand, and the command is started again.
    if (lasting) responder.kill('SIGTERM');
    const over = lasting || port === undefined || how === 'torn' || how.startsWith('kill');
    await trial.responderEnds(over ? END_MS : 0);
  } else {
    await trial.responderEnds(0);
  }
  return hits.length > before.length;
}

/** One process stands still at a call while others settle, and then goes on. */
async function runStop(trial: Trial, point: CallPoint): Promise<Result> {
  const { sites } = trial;
  const { side, at, how, scenario } = point;
  const { command } = SCENARIOS[scenario];
  const site = sites.of(side);
  const use: ShimUse = { root: site.folder, log: site.log, strike: { at, how } };

  const served = await trial.listening(side === 'B' ? use : {}, ['--serve']);
  const first =
    served.port === undefined
      ? undefined
      : sites.a.contact(command, served.port, side === 'A' ? use : undefined);
  const hit = await stopped(site.log, side === 'A' ? first : served.process);
  // Whoever waits for B would wait for silence; its machine fails first.
  if (side === 'B') first?.kill('SIGKILL');
  if (side === 'B') await first?.ended;
  await sites.a.ageLock();
  await sites.b.ageLock();

  const second = side === 'A' ? served : await sites.b.respond({}, ['--serve']);
  const even = at % 2 === 0;
  if (second.port !== undefined) await trial.contact(even ? 'recover' : 'initiate', second.port, false);
  await sites.a.ageLock();

  (side === 'A' ? first : served.process)?.kill('SIGCONT');
  if (first !== undefined) await trial.ended(first, even);
  served.process.kill('SIGTERM');
  await trial.responderEnds(END_MS);
  second.process.kill('SIGTERM');
  await second.process.ended;
  await sites.b.ageLock();
  const contacts = await trial.settle('recover');
  return trial.judge(contacts, hit);
}

/** Waits until the process stands still; false where it ends before. */
async function stopped(log: string, process: CliProcess | undefined): Promise<boolean> {
  const life = { over: process === undefined };
  void process?.ended.then(() => {
    life.over = true;
  });
  while (!life.over) {
    if ((await readLog(log)).hits.length > 0) return true;
    await sleep(10);
  }
  return (await readLog(log)).hits.length > 0;
}
