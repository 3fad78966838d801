import { describe, expect, test } from '@jest/globals';
import { REASON_MAX, type Hello } from '../../../src/handshake/message.js';
import { refusal, refusalOfHello, refusalOfWant } from '../../../src/handshake/refusal.js';
import { OTHER, STATE_A, WANT } from '../../support/handshake-talk.js';

const HELLO: Hello = { type: 'HELLO', version: 1, site: 'A', sae: 'sae-a', stateId: STATE_A, alarms: 0 };
const AT_B = { site: 'B', peers: [{ site: 'A', sae: 'sae-a' }], anyRole: false };
const TERMS = { count: 2, size: 256, naming: 'index' } as const;

test('a reason is made fit for a log and for a NAK', () => {
  expect(refusal('storage', ' disk\nfull ')).toEqual({ code: 'storage', reason: 'disk full' });
  const { reason } = refusal('storage', 'x'.repeat(1_000));
  expect(reason).toBe(`${'x'.repeat(REASON_MAX - 1)}…`);
});

describe('a HELLO', () => {
  test('of the configured initiator is answered, and so is its next one', () => {
    expect(refusalOfHello(AT_B, HELLO)).toBeUndefined();
    expect(refusalOfHello(AT_B, { ...HELLO, want: WANT }, HELLO)).toBeUndefined();
  });

  test.each([0, 2])('of version %d is refused', (version) => {
    expect(refusalOfHello(AT_B, { ...HELLO, version })).toEqual({
      code: 'version',
      reason: `this site speaks version 1, not ${version}`,
    });
  });

  test.each<[string, Partial<Hello>]>([
    ['another site', { site: 'AA' }],
    ['the site in other letters', { site: 'a' }],
    ['another SAE', { sae: 'sae-c' }],
  ])('of %s is refused', (_, claim) => {
    const hello = { ...HELLO, ...claim };
    expect(refusalOfHello(AT_B, hello)).toEqual({
      code: 'identity',
      reason: `site ${hello.site} with SAE ${hello.sae} is not who is configured for this connection`,
    });
  });

  test('may not change who speaks in the middle of a connection', () => {
    const both = { ...AT_B, peers: [...AT_B.peers, { site: 'AA', sae: 'sae-a' }] };
    expect(refusalOfHello(both, { ...HELLO, stateId: OTHER }, HELLO)?.code).toBe('identity');
    expect(refusalOfHello(both, { ...HELLO, site: 'AA' }, HELLO)?.code).toBe('identity');
  });

  test('of a site that ought to answer is refused unless any role may be taken', () => {
    const atA = { site: 'A', peers: [{ site: 'B', sae: 'sae-b' }], anyRole: false };
    const hello = { ...HELLO, site: 'B', sae: 'sae-b' };
    expect(refusalOfHello(atA, hello)).toEqual({
      code: 'role',
      reason: 'between A and B it is A that initiates',
    });
    expect(refusalOfHello({ ...atA, anyRole: true }, hello)).toBeUndefined();
  });
});

describe('what is wanted', () => {
  test('is agreed to where all is alike', () => {
    expect(refusalOfWant(TERMS, 7, 0, WANT)).toBeUndefined();
    expect(
      refusalOfWant({ ...TERMS, naming: 'key-id' }, 7, 0, { count: 2, size: 256, naming: 'key-id' }),
    ).toBeUndefined();
  });

  test.each([
    [{ ...WANT, count: 3 }, 'count', 'the responder is configured for 2 keys a file, the initiator for 3'],
    [
      { ...WANT, size: 128 },
      'size',
      'the responder is configured for keys of 256 bits, the initiator for 128',
    ],
    [
      { count: 2, size: 256, naming: 'key-id' } as const,
      'naming',
      'the responder is configured for naming by index, the initiator for key-id',
    ],
    [
      { ...WANT, index: 5 },
      'index',
      'the next file has number 7 here, 5 at the initiator; --index 7 on both sites brings them together',
    ],
    [
      { ...WANT, index: 9 },
      'index',
      'the next file has number 7 here, 9 at the initiator; --index 9 on both sites brings them together',
    ],
  ])('%j is refused', (want, code, reason) => {
    expect(refusalOfWant(TERMS, 7, 0, want)).toEqual({ code, reason });
  });

  test('may have a higher number where one is held at the initiator that only an operator can free', () => {
    expect(refusalOfWant(TERMS, 7, 1, { ...WANT, index: 8 })).toBeUndefined();
    expect(refusalOfWant(TERMS, 7, 1, { ...WANT, index: 6 })?.code).toBe('index');
  });
});
