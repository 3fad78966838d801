/** Trials in which fate strikes one site at one call. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliProcess } from '../support/cli-process.js';
import { SCENARIOS, type CallPoint } from './point.js';
import { readLog, type ShimUse, type Strike } from './shim.js';
import type { Sites } from './site.js';
import { END_MS, Trial, UNREACHED_CODE, type Command, type Result } from './trial.js';

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

/** @param open makes sites as those of the trial were before it */
export async function runStrike(trial: Trial, point: CallPoint, open: () => Promise<Sites>): Promise<Result> {
  const { how, twice, scenario } = point;
  if (how === 'stop-before' || how === 'stop-after') return runStop(trial, point);
  const aftermath = aftermathOf(point);
  // Before anything is struck here: no time must pass between the two.
  const calls = twice ? await rehearse(open, point) : 0;
  let hit = await run(trial, point, point);
  if (twice) {
    const at = secondCall(point.at, calls);
    trial.remark(`the run after that makes ${calls} calls: it is struck at ${at}`);
    hit = (await run(trial, point, { ...point, at })) && hit;
  }
  if (aftermath.responderToo) await trial.kill();
  if (aftermath.consumed) await trial.consume();
  await trial.rebootSuspects();
  const contacts = await trial.settle(aftermath.command);
  return trial.judge(contacts, hit, SCENARIOS[scenario].must);
}

/**
 * At which call the second run is struck: at the same, or, where it makes fewer, counted on from its end backwards. What
 * its first calls leave has been met by points that come before.
 */
export function secondCall(at: number, calls: number): number {
  return at <= calls || calls === 0 ? at : calls - ((at - calls - 1) % calls);
}

/** How many calls the site makes in the run after the one that is struck, where nothing strikes it then. */
async function rehearse(open: () => Promise<Sites>, point: CallPoint): Promise<number> {
  const sites = await open();
  try {
    const trial = await Trial.open(sites);
    await run(trial, point, point);
    await run(trial, point);
    // Each run counts from 1, and the log has that run last.
    return (await readLog(sites.of(point.side).log)).calls.at(-1)?.at ?? 0;
  } finally {
    await sites.close();
  }
}

/** One run of both roles, in which one of them may be struck; false where it never was. */
async function run(trial: Trial, point: CallPoint, fate?: Strike): Promise<boolean> {
  const { scenario, side } = point;
  const { sites, hasResponder: there } = trial;
  const site = sites.of(side);
  const { hits: before } = await readLog(site.log);
  const use: ShimUse = { root: site.folder, log: site.log, strike: fate };
  const { port, process: responder } = await trial.listening(side === 'B' ? use : undefined);
  const { command } = SCENARIOS[scenario];
  const end =
    port === undefined ? undefined : await trial.contact(command, port, true, side === 'A' ? use : undefined);
  await sites.a.ageLock();
  const { hits } = await readLog(site.log);
  if (side === 'B') {
    // A disk that is ill for good is mended by hand, and the command is started again.
    if (fate?.lasting === true) responder.kill('SIGTERM');
    const over = port === undefined || fate === undefined || fate.lasting === true || isDeadly(fate);
    await trial.responderEnds(over ? END_MS : 0);
  } else {
    // As in settle: a responder that was just ending has met nobody.
    const unmet = there && end?.code === UNREACHED_CODE;
    const gone = await trial.responderEnds(unmet ? END_MS : 0);
    if (unmet && gone) return run(trial, point, fate);
  }
  return hits.length > before.length;
}

function isDeadly({ how }: Strike): boolean {
  return how === 'torn' || how.startsWith('kill');
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
