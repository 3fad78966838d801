import { expect, test } from '@jest/globals';
import { readErrorBody } from '../../../src/kme/error-body.js';

test.each([
  ['message', '{"message":"no such SAE"}', 'no such SAE'],
  ['details', '{"message":"bad","details":[{"size":"too big"}]}', 'bad [{"size":"too big"}]'],
  ['empty details', '{"message":"bad","details":[]}', 'bad'],
  ['null details', '{"message":"bad","details":null}', 'bad'],
  ['detail', '{"detail":"Not Found"}', 'Not Found'],
  ['several details', '{"detail":[{"loc":["size"],"msg":"too big"},{"msg":"bad"},7]}', 'too big; bad'],
  ['details as an object', '{"message":"bad","details":{"size":"too big"}}', 'bad {"size":"too big"}'],
  ['other JSON', '{"error":"Not Found"}', '{"error":"Not Found"}'],
  ['a message of another type', '{"message":7}', '{"message":7}'],
  ['plain text', 'Service\r\nUnavailable\u0007', 'Service Unavailable'],
  ['control characters in a message', '{"message":"a\\u001b[31mb"}', 'a [31mb'],
  ['long text', 'x'.repeat(300), `${'x'.repeat(200)}…`],
  ['nothing', '', undefined],
  ['a key container', '{"keys":[{"key_ID":"a","key":"AAAA"}]}', undefined],
  ['a key container cut short', '{"key_ID":"a","key" : "AA', undefined],
  ['keys in details', '{"message":"bad","details":{"key":"AAAA"}}', 'bad'],
  ['keys in a text in details', '{"message":"bad","details":"{\\"key\\":\\"AAAA\\"}"}', 'bad'],
])('%s', (_name, text, expected) => {
  expect(readErrorBody(Buffer.from(text))).toBe(expected);
});

test('bytes that are no UTF-8', () => {
  expect(readErrorBody(Buffer.from([0x41, 0xff]))).toBe('A\ufffd');
});
