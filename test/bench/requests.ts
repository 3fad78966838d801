/**
 * Nothing but the requests to one KME that an exchange makes: the same client, in a process of its own.
 *
 * `requests.js initiate CONFIG COUNT` draws keys, `requests.js respond CONFIG` fetches those whose IDs it is told on
 * stdin. It says `ready` when all is loaded and begins with what it is told; then one JSON object {ms, keyIds}.
 */
import { once } from 'node:events';
import { systemClock } from '../../src/base/clock.js';
import type { Key, KeyId } from '../../src/base/key.js';
import { systemRandom } from '../../src/base/random.js';
import { loadSettings } from '../../src/config/load.js';
import { createKmeClient } from '../../src/kme/client.js';
import type { Kme } from '../../src/kme/kme.js';

const SIZE = 256;

async function main([role, config = '', count = '']: readonly string[]): Promise<void> {
  const place = { env: {}, home: '/nowhere', cwd: '/nowhere' };
  const need = role === 'initiate' ? 'initiate' : 'respond';
  const flags = { config, ...(need === 'initiate' && { peer: 'B' }) };
  const { kme: access } = await loadSettings({ need, flags, ...place });
  const { ca, cert, key, pkcs12, passphrase, serverName, ...how } = access;
  const kme = createKmeClient({
    ...how,
    tls: { ca, cert, key, pkcs12, passphrase, serverName },
    clock: systemClock,
    random: systemRandom,
    log: () => undefined,
  });
  process.stdout.write('ready\n');
  const told = await stdin();
  const startedAt = performance.now();
  const keys = await (need === 'initiate'
    ? draw(kme, Number(count))
    : fetchKeys(kme, JSON.parse(told) as KeyId[]));
  const ms = performance.now() - startedAt;
  process.stdout.write(`${JSON.stringify({ ms, keyIds: keys.map(({ keyId }) => keyId) })}\n`);
  await kme.close();
}

function draw(kme: Kme, number: number): Promise<Key[]> {
  return kme.getKey('sae-b', { number, size: SIZE }, new AbortController().signal);
}

async function fetchKeys(kme: Kme, keyIds: readonly KeyId[]): Promise<Key[]> {
  const { signal } = new AbortController();
  // The responder looks for its KME before the initiator draws.
  await kme.status('sae-a', signal);
  return kme.getKeyWithKeyIds('sae-a', keyIds, SIZE, signal);
}

async function stdin(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await once(process.stdin, 'end');
  return text;
}

await main(process.argv.slice(2));
