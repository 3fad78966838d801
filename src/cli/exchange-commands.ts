/** `initiate`, `respond`, `recover` and `status`: settings in, one run, report out. */
import { systemClock } from '../base/clock.js';
import { systemRandom } from '../base/random.js';
import { loadSettings, type Need } from '../config/load.js';
import type { SettingsOf } from '../config/settings.js';
import type { RunReport } from '../exchange/outcome.js';
import {
  initiateHere,
  loadKmeClient,
  recoverHere,
  respondHere,
  statusHere,
  type Surroundings,
} from '../exchange/site.js';
import { EXIT, exitCodeOf, exitCodeOfOpen } from './exit-code.js';
import { NO_WATCH, progressBar } from './progress.js';
import type { Report } from './report.js';
import type { Streams } from './streams.js';

export type Flags = Readonly<Record<string, unknown>>;

export async function runInitiate(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const settings = await load('initiate', streams, flags);
  await loadKmeClient();
  return conclude(report, (surroundings) => initiateHere(settings, surroundings), streams);
}

export async function runRecover(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const settings = await load('recover', streams, flags);
  return conclude(report, (surroundings) => recoverHere(settings, surroundings), streams);
}

export async function runRespond(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const settings = { ...(await load('respond', streams, flags)), serve: flags['serve'] === true };
  await loadKmeClient();
  return conclude(report, (surroundings) => respondHere(settings, surroundings), streams);
}

export async function runStatus(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const settings = await load('status', streams, flags);
  const status = await statusHere(settings, surroundingsOf(streams, report));
  report.status(status);
  if (status.unread.length > 0) return EXIT.ioError;
  return exitCodeOfOpen(status.peers.flatMap(({ open }) => open));
}

function load<N extends Need>(need: N, { env, home, cwd }: Streams, flags: Flags): Promise<SettingsOf[N]> {
  return loadSettings({ need, flags, env, home, cwd });
}

async function conclude(
  report: Report,
  run: (surroundings: Surroundings) => Promise<RunReport>,
  streams: Streams,
): Promise<number> {
  const startedAt = systemClock.monotonic();
  const result = await run(surroundingsOf(streams, report));
  report.run(result, systemClock.monotonic() - startedAt);
  return exitCodeOf(result);
}

/** What the process gives to a run. */
export function surroundingsOf({ env, signal, terminal }: Streams, report: Report): Surroundings {
  const isWatched = terminal !== undefined && report.isForPeople;
  return {
    clock: systemClock,
    random: systemRandom,
    log: report.log,
    env,
    signal,
    onPublished: ({ path }) => {
      report.file(path);
    },
    watchFetch: isWatched ? progressBar(terminal, systemClock) : () => NO_WATCH,
  };
}
