/** One contact of the two commands: B answers, A asks. */
import type { CliEnd } from './cli-process.js';
import type { TwoSites } from './cli-site.js';

/**
 * Answers how A and B ended.
 * @param flags of both
 * @param more of A alone
 */
export async function meet(
  sites: TwoSites,
  command: 'initiate' | 'recover',
  flags: readonly string[],
  more: readonly string[] = [],
): Promise<[CliEnd, CliEnd]> {
  const responder = await sites.b.respond(flags);
  const a = await sites.a.run([command, '--peer', `B:${responder.port}`, ...flags, ...more]);
  return [a, await responder.ended];
}
