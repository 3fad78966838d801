import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KmeClientOptions } from '../../../src/kme/client.js';
import type { Fetch } from '../../../src/kme/http.js';
import { allOf, errorOf, makeTestClient, spellings } from '../../support/kme-client.js';
import type { TestClient } from '../../support/kme-client.js';

const never = new AbortController().signal;
const key = (keyId: string, fill: number): object => ({
  key_ID: keyId,
  key: Buffer.alloc(32, fill).toString('base64'),
});
const client = (options: Partial<KmeClientOptions>): TestClient =>
  makeTestClient({ url: 'https://kme-a.test:8443', ...options });

describe('answers of 200', () => {
  const fetchOf =
    (bytes: Uint8Array): Fetch =>
    (_url, { onSent }) => {
      onSent();
      return Promise.resolve(new Response(new Uint8Array(bytes)));
    };

  test('malformed ones are typed errors', async () => {
    const { kme: asked } = client({ fetch: fetchOf(Buffer.from('<html>Please log in</html>')) });
    const error = await errorOf(asked.getKey('sae-b', { number: 1, size: 256 }, never));
    expect(error).toMatchObject({ code: 'kme-answer', message: expect.stringContaining('Please log in') });
  });

  test('a body that is too long for what was asked is refused, one that just fits is taken', async () => {
    const padded = (length: number): Uint8Array =>
      Buffer.from(JSON.stringify({ keys: [key('a', 1)] }).padEnd(length));
    const limit = 64 * 1024 + Math.ceil(256 / 6) + 1024;
    const asked = { number: 1, size: 256 };
    const fits = client({ fetch: fetchOf(padded(limit)) }).kme;
    expect(await fits.getKey('sae-b', asked, never)).toHaveLength(1);
    const tooLong = client({ fetch: fetchOf(padded(limit + 1)) }).kme;
    const error = await errorOf(tooLong.getKey('sae-b', asked, never));
    expect(error).toMatchObject({
      code: 'kme-answer',
      message: expect.stringContaining('longer than'),
      hint: expect.stringContaining('kme.url'),
    });
  });

  test('any bytes end in keys of the right size or a typed error without the bytes', async () => {
    const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((b) => new Set(b).size > 8);
    const junk = fc.uint8Array({ maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(secret, junk, junk, fc.boolean(), async (bytes, before, after, whole) => {
        const text = JSON.stringify({ keys: [{ key_ID: 'a', key: Buffer.from(bytes).toString('base64') }] });
        const body = whole ? Buffer.from(text) : Buffer.concat([before, Buffer.from(text), after]);
        for (const size of [256, 128]) {
          const { kme: asked } = client({ fetch: fetchOf(body) });
          try {
            const keys = await asked.getKey('sae-b', { number: 1, size }, never);
            expect(keys.map((one) => one.secret.byteLength * 8)).toEqual([size]);
          } catch (error) {
            expect(error).toMatchObject({ name: 'QkdSyncError', code: 'kme-answer' });
            for (const spelling of spellings(bytes)) expect(allOf(error)).not.toContain(spelling);
          }
        }
      }),
    );
  });
});

test('of an error no more is read than its words can need, however many keys were asked for', async () => {
  let sent = 0;
  const endless: Fetch = (_url, { onSent }) => {
    onSent();
    const piece = new Uint8Array(16 * 1024).fill(0x61);
    const body = (function* () {
      for (; sent < 8 * 1024 * 1024; sent += piece.byteLength) yield piece.slice();
    })();
    return Promise.resolve({ status: 500, headers: new Headers(), body: Readable.from(body) });
  };
  const { kme: asked } = client({ fetch: endless, maxPerRequest: 4_096 });
  await errorOf(asked.getKey('sae-b', { number: 4_096, size: 256 }, never));
  expect(sent).toBeLessThan(512 * 1024);
});

test('an error of fetch is never repeated, and none of what it carries goes on', async () => {
  let asked = 0;
  const broken: Fetch = (_url, { onSent }) => {
    asked += 1;
    onSent();
    const parser = Object.assign(new Error('bad chunk geheim'), {
      name: 'HTTPParserError',
      data: 'geheim',
    });
    return Promise.reject(new TypeError('fetch failed', { cause: parser }));
  };
  const { kme: client2 } = client({ fetch: broken, waitMs: 60_000 });
  const error = await errorOf(client2.getKey('sae-b', { number: 1, size: 256 }, never));
  expect(error.code).toBe('kme-answer');
  expect(allOf(error)).not.toContain('geheim');
  expect(asked).toBe(1);
});
