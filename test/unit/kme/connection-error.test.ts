import { expect, test } from '@jest/globals';
import {
  isBreak,
  isRefusedCertificate,
  translateConnectionError,
} from '../../../src/kme/connection-error.js';
import { allOf } from '../../support/kme-client.js';

const ORIGIN = 'https://kme:8443';
const coded = (code: string): Error => Object.assign(new Error(`what Node says of ${code}`), { code });

test.each([
  ['CERT_HAS_EXPIRED', /expired/, /clock/],
  ['CERT_NOT_YET_VALID', /not valid yet/, /clock/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /unknown CA/, /kme.ca/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /unknown CA/, /kme.ca/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /another name than the one expected, and none at all/, /kme.serverName/],
  ['ECONNREFUSED', /refuses connections/, /kme.url/],
  ['ENOTFOUND', /DNS/, /kme.url/],
  ['EAI_AGAIN', /DNS/, /kme.url/],
  ['EHOSTUNREACH', /no route/, /kme.url/],
  ['ETIMEDOUT', /timed out/, /kme.url/],
  ['UND_ERR_CONNECT_TIMEOUT', /timed out/, /kme.url/],
  ['ECONNRESET', /broke the connection/, /kme.cert/],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /neither TLS 1.2 nor 1.3/, /kme.url/],
  ['EXOTIC', /EXOTIC: what Node says of EXOTIC/, /kme.url/],
])('%s', (code, message, hint) => {
  const error = translateConnectionError(
    new TypeError('fetch failed', { cause: coded(code) }),
    'asking',
    ORIGIN,
  );
  expect(error.code).toBe('kme-unreachable');
  expect(error.message).toMatch(message);
  expect(error.message).toContain(`(${ORIGIN})`);
  expect(error.hint).toMatch(hint);
  expect(allOf(error.cause)).toContain(code);
});

test('a break on a plain connection is no matter of certificates', () => {
  const error = translateConnectionError(coded('ECONNRESET'), 'asking', 'http://127.0.0.1:8441');
  expect(error.message).toBe('the KME broke the connection (http://127.0.0.1:8441)');
  expect(error.hint).toMatch(/kme\.url.*https/);
});

test.each([
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE'],
])('%s: our certificate is refused', (code) => {
  const error = translateConnectionError(coded(code), 'asking', ORIGIN);
  expect(error).toMatchObject({
    code: 'kme-refused',
    message: `the KME does not accept our certificate (${ORIGIN})`,
  });
  expect(error.hint).toMatch(/kme.cert/);
  expect(isRefusedCertificate(error)).toBe(true);
});

test.each([
  [
    'a SAN',
    { subjectaltname: 'DNS:kme-a, IP Address:10.0.0.1', subject: { CN: 'x' } },
    'DNS:kme-a, IP Address:10.0.0.1',
  ],
  ['a CN alone', { subject: { CN: 'KME\n1' } }, 'KME 1'],
])('a certificate with %s: the names that it bears are told', (_name, cert, names) => {
  const foreign = Object.assign(coded('ERR_TLS_CERT_ALTNAME_INVALID'), { host: 'kme-b', cert });
  const error = translateConnectionError(foreign, 'asking', ORIGIN);
  expect(error.message).toBe(
    `the KME's certificate bears another name than kme-b: it bears ${names} (${ORIGIN})`,
  );
});

test('100 Continue is no break without a word', () => {
  const said = (message: string): Error => Object.assign(new Error(message), { code: 'UND_ERR_SOCKET' });
  expect(isBreak(said('other side closed'))).toBe(true);
  expect(isBreak(said('bad response'))).toBe(false);
});

test('no header ends: that is no HTTP', () => {
  expect(translateConnectionError(coded('UND_ERR_HEADERS_OVERFLOW'), 'asking', ORIGIN).code).toBe(
    'kme-answer',
  );
});

test('the outer code stands where the inner error has none', () => {
  const outer = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'ECONNREFUSED' });
  expect(translateConnectionError(outer, 'asking', ORIGIN).message).toContain('refuses connections');
});

test('once an answer has begun, no foreign text goes on', () => {
  const error = translateConnectionError(
    new Error('geheim', { cause: new Error('geheim') }),
    'reading',
    ORIGIN,
  );
  expect(error).toMatchObject({
    code: 'kme-unreachable',
    message: `the KME broke the connection (${ORIGIN})`,
  });
  expect(allOf(error)).not.toContain('geheim');
});

test('an error that is its own cause, and what is no error', () => {
  const loop = new Error('round and round');
  loop.cause = loop;
  expect(translateConnectionError(loop, 'asking', ORIGIN).message).toContain('round and round');
  expect(translateConnectionError('text', 'asking', ORIGIN).message).toContain('text');
});
