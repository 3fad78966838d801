/** `doctor`: looks at everything that an exchange needs here, and says how each thing stands. */
import { systemClock } from '../base/clock.js';
import { systemRandom } from '../base/random.js';
import { examineSettings } from '../config/examine.js';
import { failed, ok, type Finding } from '../doctor/finding.js';
import { examineHere } from '../doctor/here.js';
import type { QkdSyncError } from '../base/errors.js';
import { exitCodeOfFindings } from './exit-code.js';
import type { Flags } from './exchange-commands.js';
import type { Report } from './report.js';
import type { Streams } from './streams.js';

export async function runDoctor(streams: Streams, flags: Flags, report: Report): Promise<number> {
  const { env, home, cwd, signal } = streams;
  const { settings, error } = await examineSettings({ flags, env, home, cwd });
  const findings = [configurationOf(error)];
  if (settings !== undefined) {
    const subject = { ...settings, takeKey: flags['takeKey'] === true };
    const surroundings = { clock: systemClock, random: systemRandom, log: report.log, signal };
    findings.push(...(await examineHere(subject, surroundings)));
  }
  report.findings(findings);
  return exitCodeOfFindings(findings);
}

function configurationOf(error: QkdSyncError | undefined): Finding {
  const [name, about] = ['configuration', 'settings'] as const;
  if (error === undefined) return ok(name, about, 'all that an exchange needs is set');
  const { message, hint } = error;
  return failed(name, about, 'configuration', { text: message, hint });
}
