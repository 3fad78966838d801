/** Two sites of which A has decided and published, and B has voted and was killed before it could hear of it. */
import { expect } from '@jest/globals';
import type { CliEnd } from './cli-process.js';
import type { TwoSites } from './cli-site.js';
import { startCuttingProxy } from './cutting-proxy.js';

/**
 * Makes an exchange end so; answers how A's run ended.
 * @param alsoClose closes something when the test is over
 */
export async function killResponderAfterVote(
  sites: TwoSites,
  flags: readonly string[],
  alsoClose: (close: () => Promise<void>) => void,
): Promise<CliEnd> {
  const responder = await sites.b.respond(flags);
  const proxy = await startCuttingProxy(responder.port, [{ from: 'initiator', message: 'ACK', how: 'hold' }]);
  alsoClose(() => proxy.close());
  const initiator = sites.a.start(['initiate', '--peer', `B:${proxy.port}`, ...flags, '--ack-timeout', '1s']);
  await proxy.met(0);
  proxy.refuse();
  responder.process.kill('SIGKILL');
  expect((await responder.ended).code).toBe('SIGKILL');
  expect(proxy.seen).toEqual(['> HELLO', '< STATUS', '> SYN', '< SYN_ACK', '> ACK']);
  return initiator.ended;
}
