import { describe, expect, test } from '@jest/globals';
import { callUrl, parseKmeUrl } from '../../../src/kme/address.js';
import { allOf, errorOf } from '../../support/kme-client.js';

describe('callUrl', () => {
  test.each([
    ['https://kme', 'sae-b', 'https://kme/api/v1/keys/sae-b/enc_keys'],
    ['https://kme:8443/', 'sae-b', 'https://kme:8443/api/v1/keys/sae-b/enc_keys'],
    ['https://kme/consumer', 'sae-b', 'https://kme/consumer/api/v1/keys/sae-b/enc_keys'],
    ['https://kme/consumer/x//', 'sae-b', 'https://kme/consumer/x/api/v1/keys/sae-b/enc_keys'],
    ['https://kme//evil', 'sae-b', 'https://kme//evil/api/v1/keys/sae-b/enc_keys'],
    ['https://kme', 'a/b?c#d %ä', 'https://kme/api/v1/keys/a%2Fb%3Fc%23d%20%25%C3%A4/enc_keys'],
    ['https://kme', '../x', 'https://kme/api/v1/keys/..%2Fx/enc_keys'],
  ])('%s and SAE %s', (base, sae, expected) => {
    expect(callUrl(parseKmeUrl(base, false), 'enc_keys', sae).href).toBe(expected);
  });

  test.each([[''], ['.'], ['..'], ['\ud800']])('refuses the SAE %j', async (sae) => {
    expect((await errorOf(() => callUrl(parseKmeUrl('https://kme', false), 'status', sae))).code).toBe(
      'config',
    );
  });
});

describe('parseKmeUrl', () => {
  test.each([
    ['http://127.0.0.1:80'],
    ['http://127.255.0.9'],
    ['http://localhost:8080'],
    ['http://[::1]:8080'],
    ['https://kme.example'],
  ])('takes %s', (url) => {
    expect(parseKmeUrl(url, false)).toBeInstanceOf(URL);
  });

  test('takes plain http anywhere where that is said to be insecure', () => {
    expect(parseKmeUrl('http://10.0.0.1:8080/lab/', true).href).toBe('http://10.0.0.1:8080/lab');
  });

  test.each([
    ['http://kme.example', /plain http/],
    ['http://128.0.0.1', /plain http/],
    ['http://127.0.0.1.example', /plain http/],
    ['http://localhost.example', /plain http/],
    ['http://[::2]', /plain http/],
    ['ftp://kme', /not an http or https/],
    ['kme:8443', /not an http or https/],
    ['kme', /not a URL/],
    ['https://user:geheim@kme', /user name or password/],
    ['https://kme/?a=b', /query/],
    ['https://kme/#a', /fragment/],
  ])('refuses %s', async (url, message) => {
    const error = await errorOf(() => parseKmeUrl(url, false));
    expect(error.code).toBe('config');
    expect(error.message).toMatch(message);
    expect(allOf(error)).not.toContain('geheim');
  });
});
