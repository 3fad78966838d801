import { describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import { examineBlocks } from '../../../src/doctor/blocks.js';
import type { Finding, FindingName } from '../../../src/doctor/finding.js';
import type { DiskFacts, DoctorPorts } from '../../../src/doctor/ports.js';
import { coded, memoryDisk } from '../../support/doctor-ports.js';

const ROUTER = { folder: '/qnl', keys: '/qnl/keys', count: 3, size: 64 };
const KEY = '0123456789abcdef';
const BLOCK = `${KEY}\n`.repeat(3);
const FOLDERS = { '/qnl': null, '/qnl/keys': null, '/qnl/keys/B': null };

interface World {
  /** What is in the peer's folder; undefined for no folder. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly next?: number;
  readonly facts?: (path: string) => Partial<DiskFacts>;
  readonly ports?: Partial<DoctorPorts>;
}

async function examine({ files, next = 0, facts, ports = {} }: World): Promise<Finding[]> {
  const inside = Object.entries(files ?? {}).map(([name, text]) => [`/qnl/keys/B/${name}`, text] as const);
  const { '/qnl/keys/B': folder, ...others } = FOLDERS;
  const tree = {
    ...others,
    ...(files === undefined ? {} : { '/qnl/keys/B': folder }),
    ...Object.fromEntries(inside),
  };
  const disk = memoryDisk(tree, facts);
  return examineBlocks('B', '/qnl/keys', ROUTER, {
    disk,
    nextIndex: () => Promise.resolve(next),
    uid: 1_000,
    ...ports,
  });
}

async function one(name: FindingName, world: World): Promise<Finding | undefined> {
  return (await examine(world)).find((finding) => finding.name === name);
}

/** Whole blocks with these numbers. */
const blocks = (...numbers: number[]): Record<string, string> =>
  Object.fromEntries(numbers.map((number) => [`B_${number}`, BLOCK]));

describe('the numbers of the files', () => {
  it.each([
    ['none yet', undefined, 0, 'skipped', 'nothing has been exchanged yet'],
    ['all of them', blocks(0, 1, 2), 3, 'ok', 'files 0 to 2 without a gap'],
    ['the later ones', blocks(9, 10, 11), 12, 'ok', 'files 9 to 11 without a gap'],
    ['none any more', {}, 3, 'ok', 'all files below number 3 have been taken'],
    ['no folder any more', undefined, 3, 'ok', 'all files below number 3 have been taken'],
    ['more than we know of', blocks(0, 1), 0, 'ok', 'files 0 to 1 without a gap'],
    ['a folder without its first', {}, 0, 'warning', /^there is a folder and no B_0: .* finds no key$/],
    ['a hole', blocks(3, 4, 6), 7, 'warning', 'B_5 missing: the key router stops there'],
    ['holes', blocks(3, 6), 7, 'warning', 'B_4 and 1 more missing: the key router stops there'],
    ['the last one missing', blocks(3), 5, 'warning', 'B_4 missing: the key router stops there'],
  ])('%s', async (_, files, next, standing, text) => {
    const expected = typeof text === 'string' ? text : (expect.stringMatching(text) as unknown);
    expect(await one('qkd-net-index', { files, next })).toMatchObject({
      about: '/qnl/keys/B',
      standing,
      text: expected,
    });
  });

  it('count no file of another name', async () => {
    const files = { ...blocks(2), B_01: BLOCK, 'B_3.tmp': BLOCK, C_0: BLOCK, B_: BLOCK };
    expect((await one('qkd-net-index', { files, next: 3 }))?.text).toBe('files 2 to 2 without a gap');
  });

  it('are bounded, however wide the hole', async () => {
    const finding = await one('qkd-net-index', { files: blocks(0), next: 1_000_000_000 });
    expect(finding?.text).toBe('B_1 and 999 more missing: the key router stops there');
  });
});

describe('the shape of the first file', () => {
  it.each([
    ['a whole block', BLOCK, 'ok', '3 lines of 16 characters, in hex'],
    [
      'one key',
      `${KEY}\n`,
      'warning',
      /^1 line of 16 .* expected are 3 lines of 16: .*same key again and again/,
    ],
    ['too few', `${KEY}\n`.repeat(2), 'warning', /the same keys again/],
    ['too many', `${KEY}\n`.repeat(4), 'warning', /in step/],
    ['nothing', '', 'warning', /never returns/],
    ['short keys', `${KEY.slice(8)}\n`.repeat(3), 'warning', /zeros/],
    ['long keys', `${KEY}${KEY}\n`.repeat(3), 'warning', /exception/],
    ['no hex', BLOCK.toUpperCase(), 'warning', /lower-case hex/],
    ['no last line feed', BLOCK.trimEnd(), 'warning', /line feed/],
  ])('%s', async (_, content, standing, text) => {
    const finding = await one('qkd-net-shape', { files: { B_7: content, B_8: BLOCK }, next: 9 });
    const expected = typeof text === 'string' ? text : (expect.stringMatching(text) as unknown);
    expect(finding).toMatchObject({ about: '/qnl/keys/B/B_7', standing, text: expected });
    expect(JSON.stringify(finding)).not.toContain(KEY.slice(8));
  });

  it('is not looked at where there is none', async () => {
    expect(await one('qkd-net-shape', { files: {}, next: 1 })).toBeUndefined();
  });

  it('that cannot be read is a warning', async () => {
    const files = blocks(0);
    const disk = {
      ...memoryDisk({ ...FOLDERS, '/qnl/keys/B/B_0': BLOCK }),
      scan: () => Promise.reject(coded('EACCES')),
    };
    const finding = await one('qkd-net-shape', { files, next: 1, ports: { disk } });
    expect(finding).toMatchObject({ standing: 'warning', text: 'cannot be looked at (EACCES)' });
  });
});

describe("the router's user", () => {
  const owned = (path: string, facts: Partial<DiskFacts>) => (other: string) => (other === path ? facts : {});

  it('can read what is its own', async () => {
    expect(await one('qkd-net-owner', { files: blocks(0), next: 1 })).toMatchObject({
      about: '/qnl/keys/B',
      standing: 'ok',
      text: "the key router's user 1000 can read it",
    });
  });

  it.each(['/qnl/keys', '/qnl/keys/B', '/qnl/keys/B/B_0'])('cannot where %s is of another', async (path) => {
    const finding = await one('qkd-net-owner', { files: blocks(0), next: 1, facts: owned(path, { uid: 0 }) });
    expect(finding).toMatchObject({
      standing: 'warning',
      hint: 'run qkd-sync as user 1000, and chown what is there',
    });
    expect(finding?.text).toContain(`${path} has mode 0`);
    expect(finding?.text).toContain('belongs to user 0, the key router runs as user 1000');
  });

  it.each([
    ['/qnl/keys/B', 0o500],
    ['/qnl/keys/B/B_0', 0o200],
  ])('cannot where %s has mode %o', async (path, mode) => {
    const finding = await one('qkd-net-owner', { files: blocks(0), next: 1, facts: owned(path, { mode }) });
    expect(finding).toMatchObject({ standing: 'warning' });
  });

  it('will not be able to where another one will make the folder', async () => {
    const disk = memoryDisk({ '/qnl': null });
    const finding = await one('qkd-net-owner', { ports: { disk, uid: 0 } });
    expect(finding?.text).toMatch(/^\/qnl\/keys will belong to user 0, the key router runs as user 1000/);
  });

  it('can everything as root', async () => {
    const facts = (path: string): Partial<DiskFacts> => ({ uid: path === '/qnl' ? 0 : 1_000 });
    expect(await one('qkd-net-owner', { files: blocks(0), next: 1, facts })).toMatchObject({
      standing: 'ok',
    });
  });
});

it('records or folders that cannot be read are a warning', async () => {
  const nextIndex = (): Promise<never> => Promise.reject(new QkdSyncError('suspect', 'an fsync has failed'));
  expect(await examine({ files: blocks(0), ports: { nextIndex } })).toEqual([
    expect.objectContaining({
      name: 'qkd-net-index',
      standing: 'warning',
      text: 'cannot be looked at (an fsync has failed)',
    }),
  ]);
});
