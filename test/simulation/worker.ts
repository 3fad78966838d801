/** The process that does jobs, one after the other, for whoever has forked it. */
import type { Job } from './job.js';
import { work } from './work.js';

// Nobody reads the stack of an error that the code under test expects.
Error.stackTraceLimit = 0;

process.on('message', (job: Job) => {
  // From a macrotask of its own.
  setImmediate(() => {
    process.send?.(work(job, () => undefined));
  });
});
