// Preloaded into a process: at its end it writes the most memory that it ever had, in KiB, into the file PEAK_MEMORY_FILE.
//
// Of /proc, not of getrusage: what the process had before it became this program, as a copy of its parent, is none of
// its own.
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const [, kib = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  writeFileSync(process.env['PEAK_MEMORY_FILE'] ?? '', kib);
});
