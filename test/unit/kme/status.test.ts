import { expect, test } from '@jest/globals';
import { readStatus } from '../../../src/kme/status.js';
import { errorOf } from '../../support/kme-client.js';

const body = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

test('takes the fields that are worth showing', () => {
  const status = {
    source_KME_ID: 'kme-a',
    key_size: 256,
    stored_key_count: 25_000,
    max_key_count: 100_000,
    max_key_per_request: 128,
    max_key_size: 1024,
    min_key_size: 64,
    max_SAE_ID_count: 0,
    status_extension: null,
  };
  expect(readStatus(body(status))).toEqual({
    keySize: 256,
    storedKeyCount: 25_000,
    maxKeyCount: 100_000,
    maxKeyPerRequest: 128,
    maxKeySize: 1024,
    minKeySize: 64,
  });
});

test('leaves out what is missing or of another type', () => {
  expect(
    readStatus(body({ key_size: '256', stored_key_count: -1, max_key_count: 1.5, max_key_size: 0 })),
  ).toEqual({
    maxKeySize: 0,
  });
});

test.each([['<html>'], ['[]'], ['']])('refuses %j', async (text) => {
  expect((await errorOf(() => readStatus(Buffer.from(text)))).code).toBe('kme-answer');
});
