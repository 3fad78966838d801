/** Several processes of one compiled program that share the runs between them. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { add, NO_RUNS, type Job, type Tally } from './job.js';

const CHUNK_RUNS = 250;
const YOUNG_MB = 16;

function employ(folder: string): ChildProcess {
  return fork(join(folder, 'test/simulation/worker.js'), {
    // What dies young is collected in one go, by the worker itself, because the other processors have workers of their
    // own; what runs once is worth compiling at once; a listener more for each run is no leak.
    execArgv: [
      `--max-semi-space-size=${YOUNG_MB}`,
      '--single-threaded-gc',
      '--always-sparkplug',
      '--no-warnings',
    ],
  });
}

function doJob(worker: ChildProcess, job: Job): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      reject(new Error('a worker has died'));
    };
    worker.once('exit', gone);
    worker.once('message', (tally) => {
      worker.off('exit', gone);
      resolve(tally as Tally);
    });
    worker.send(job);
  });
}

/** @param jobs how many processes */
export async function runAll(folder: string, whole: Job, jobs: number): Promise<Tally> {
  let total = NO_RUNS;
  let next = whole.from;
  const end = whole.from + whole.count;
  const labour = async (): Promise<void> => {
    const worker = employ(folder);
    try {
      while (next < end && !(whole.untilCaught && total.failures.length > 0)) {
        const from = next;
        next = Math.min(end, next + CHUNK_RUNS);
        const tally = await doJob(worker, { ...whole, from, count: next - from });
        total = add(total, tally);
      }
    } finally {
      if (worker.connected) worker.disconnect();
    }
  };
  await Promise.all(Array.from({ length: jobs }, labour));
  // Whoever was ready first has told first.
  return { ...total, beyondPromise: total.beyondPromise.toSorted((one, other) => one - other) };
}
