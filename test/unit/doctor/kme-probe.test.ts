import { describe, expect, it } from '@jest/globals';
import { systemRandom } from '../../../src/base/random.js';
import { openKmeProbe } from '../../../src/doctor/kme-probe.js';
import type { KmeProbe } from '../../../src/doctor/ports.js';
import type { Fetch } from '../../../src/kme/http.js';
import { coded, PLAIN_KME } from '../../support/doctor-ports.js';
import { ManualClock } from '../../support/manual-clock.js';
import { RecordingLog } from '../../support/recording-log.js';

const KEY = Buffer.alloc(32, 0x5a).toString('base64');

interface Given {
  readonly probe: KmeProbe;
  readonly asked: string[];
  readonly stop: AbortController;
  readonly log: RecordingLog;
}

function probeOf(fetch: Fetch, kme = PLAIN_KME): Given {
  const asked: string[] = [];
  const stop = new AbortController();
  const log = new RecordingLog();
  const around = { clock: new ManualClock(), random: systemRandom, log: log.log, signal: stop.signal };
  const probe = openKmeProbe(kme, around, (url, init) => {
    asked.push(`${init.method} ${url}`);
    return fetch(url, init);
  });
  return { probe, asked, stop, log };
}

const answering =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Fetch =>
  () =>
    Promise.resolve({
      status,
      headers: { get: (name) => headers[name] ?? null },
      body: (async function* () {
        yield await Promise.resolve(Buffer.from(JSON.stringify(body)));
      })(),
    });

describe('an answer', () => {
  it('comes with how it came', async () => {
    const { probe, asked } = probeOf(answering(200, { stored_key_count: 7 }, { date: 'today' }));
    expect(await probe.status('sae-b')).toEqual({
      value: { storedKeyCount: 7 },
      http: { status: 200, date: 'today', askedAt: 1_000, answeredAt: 1_000 },
    });
    expect(asked).toEqual(['GET https://kme.example/api/v1/keys/sae-b/status']);
  });

  it('that is an error comes as one, and is not asked for again', async () => {
    const { probe, asked } = probeOf(answering(503, { message: 'busy' }));
    const answer = await probe.status('sae-b');
    expect(answer).toMatchObject({ error: { code: 'kme-empty' }, http: { status: 503, date: undefined } });
    expect(asked).toHaveLength(1);
  });

  it('that is a no to the SAE, in whatever words, names the setting of that SAE', async () => {
    const { probe } = probeOf(answering(400, { message: 'no sae-b at the other end' }));
    const hint: unknown = expect.stringContaining('peers.<site>.sae');
    expect(await probe.status('sae-b')).toMatchObject({ error: { hint } });
  });

  it('of an earlier request is forgotten', async () => {
    let times = 0;
    const good = answering(200, {});
    const { probe } = probeOf((url, init) => {
      times += 1;
      return times === 1
        ? good(url, init)
        : Promise.reject(new TypeError('x', { cause: coded('ECONNREFUSED') }));
    });
    expect(await probe.status('sae-b')).toMatchObject({ http: { status: 200 } });
    expect(await probe.status('sae-b')).toMatchObject({ http: undefined, ended: undefined });
  });
});

describe('a connection that ends', () => {
  it.each([
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'refused'],
    ['ERR_SSL_SSL/TLS_ALERT_UNKNOWN_CA', 'refused'],
    ['ECONNRESET', 'broken'],
    ['EPIPE', 'broken'],
    ['UND_ERR_SOCKET', 'broken'],
    ['ECONNREFUSED', undefined],
  ])('with %s is "%s"', async (code, ended) => {
    const { probe } = probeOf(() => Promise.reject(new TypeError('fetch failed', { cause: coded(code) })));
    const trouble = ended === 'refused' ? 'kme-refused' : 'kme-unreachable';
    expect(await probe.status('sae-b')).toMatchObject({ error: { code: trouble }, http: undefined, ended });
  });

  it('without TLS has refused no certificate', async () => {
    const broken: Fetch = () => Promise.reject(new TypeError('fetch failed', { cause: coded('ECONNRESET') }));
    const { probe } = probeOf(broken, { ...PLAIN_KME, url: 'http://127.0.0.1:8441' });
    expect(await probe.status('sae-b')).toMatchObject({
      error: { code: 'kme-unreachable' },
      ended: undefined,
    });
  });

  it('because the process is told to stop is no answer', async () => {
    const { probe, stop } = probeOf(answering(200, {}));
    stop.abort();
    await expect(probe.status('sae-b')).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('a key', () => {
  it('is drawn alone, only its length comes back, and the log says that it is lost', async () => {
    const { probe, asked, log } = probeOf(answering(200, { keys: [{ key_ID: 'k-1', key: KEY }] }));
    const answer = await probe.drawKey('sae-b', 256);
    expect(answer).toMatchObject({ value: 32 });
    expect(asked).toEqual(['POST https://kme.example/api/v1/keys/sae-b/enc_keys']);
    expect(log.all('keys-lost')).toEqual([
      expect.objectContaining({
        level: 'warn',
        event: 'keys-lost',
        message: '1 key of enc_keys lost: drawn for SAE sae-b to see that it can be, neither site has it',
        fields: { call: 'enc_keys', keys: 1, perhaps: false, keyIds: ['k-1'] },
      }),
    ]);
  });

  it('of another size is an error', async () => {
    const { probe } = probeOf(answering(200, { keys: [{ key_ID: 'k-1', key: KEY }] }));
    expect(await probe.drawKey('sae-b', 512)).toMatchObject({ error: { code: 'kme-answer' } });
  });
});
