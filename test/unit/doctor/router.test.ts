import { describe, expect, it } from '@jest/globals';
import { examineRouter, type KeyFiles } from '../../../src/doctor/router.js';

const ROUTER = { folder: '/home/x/.qkd/qnl', keys: '/home/x/.qkd/qnl/qll/keys', count: 4_096, size: 256 };
const FILES: KeyFiles = { keys: ROUTER.keys, count: 4_096, size: 256, format: 'hex', naming: 'index' };

describe('key files as the router reads them', () => {
  it('are all right', () => {
    expect(examineRouter(ROUTER, FILES).map(({ name, standing }) => `${name} ${standing}`)).toEqual([
      'qkd-net-keys ok',
      'qkd-net-count ok',
      'qkd-net-size ok',
      'qkd-net-format ok',
      'qkd-net-naming ok',
    ]);
  });

  it('are compared only where its configuration says something', () => {
    const names = examineRouter({ folder: ROUTER.folder }, FILES).map(({ name }) => name);
    expect(names).toEqual(['qkd-net-format', 'qkd-net-naming']);
  });
});

describe('a difference is a warning with what the router makes of it', () => {
  it.each([
    [
      { count: 1 },
      'qkd-net-count',
      /^1 key in a file.* expects 4096: it takes the same key again and again, without a word/,
    ],
    [{ count: 100 }, 'qkd-net-count', /it takes the same keys again, without a word$/],
    [{ count: 5_000 }, 'qkd-net-count', /need not stay in step$/],
    [{ size: 128 }, 'qkd-net-size', /fills the rest of each key with zeros, without a word$/],
    [{ size: 512 }, 'qkd-net-size', /ends with an exception$/],
    [{ format: 'base64' }, 'qkd-net-format', /^base64, the key router reads hex alone/],
    [{ naming: 'key-id' }, 'qkd-net-naming', /never finds a file$/],
    [{ keys: '/elsewhere' }, 'qkd-net-keys', /^key files go to \/elsewhere, .* never sees them$/],
  ])('%j', (difference, name, text) => {
    const findings = examineRouter(ROUTER, { ...FILES, ...difference });
    const wrong = findings.filter(({ standing }) => standing !== 'ok');
    expect(wrong).toEqual([
      expect.objectContaining({ name, standing: 'warning', text: expect.stringMatching(text) }),
    ]);
    expect(wrong[0]?.hint).toMatch(/^set (?:exchange\.\w+|keys) to /);
  });
});
