import { describe, expect, it } from '@jest/globals';
import { nearest } from '../../../src/config/nearest.js';

const KNOWN = ['kme.timeout', 'kme.url', 'keys', 'site', 'sae', 'exchange.ackTimeout'];

describe('the nearest name', () => {
  it.each([
    ['kme.timout', 'kme.timeout'],
    ['kme.timeuot', 'kme.timeout'],
    ['kme.urll', 'kme.url'],
    ['KEYS', 'keys'],
    ['stie', 'site'],
    ['exchange.acktimeout', 'exchange.ackTimeout'],
  ])('of %s is %s', (name, meant) => {
    expect(nearest(name, KNOWN)).toBe(meant);
  });

  it.each(['colour', 'kme.password', 'x', ''])('of "%s" is none', (name) => {
    expect(nearest(name, KNOWN)).toBeUndefined();
  });

  it('is the nearer of two', () => {
    expect(nearest('kme.cart', ['kme.ca', 'kme.cert'])).toBe('kme.cert');
  });

  it('is not looked for where the name is absurdly long', () => {
    const name = 'a'.repeat(65);
    expect(nearest(name, [name])).toBeUndefined();
  });
});
