/** Where everything lies, for odd site IDs too. */
import { basename, dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  createLayout,
  parseRecordName,
  parseTemporaryName,
  RECORD_STATES,
} from '../../../src/store/layout.js';
import { countingRandom, ID } from '../../support/store-folder.js';

const layout = createLayout('/state', '/keys');

const ODD = [
  '.',
  '..',
  '.hidden',
  '.trash',
  'SUSPECT',
  'state-id',
  'a/b',
  '../B',
  'Zürich',
  'a b',
  '%41',
  'A',
  'con\\x',
];

describe('a site ID', () => {
  it.each(ODD)('%j stays one folder below state and one below keys, and hides nothing', (peer) => {
    expect(dirname(layout.peer(peer))).toBe('/state');
    expect(dirname(layout.peerKeys(peer))).toBe('/keys');
    for (const folder of [layout.peer(peer), layout.peerKeys(peer)]) {
      expect(basename(folder)).toMatch(/^[A-Za-z0-9%_-][A-Za-z0-9%._-]*$/);
    }
    const own = [layout.stateId, layout.suspect, layout.trash];
    expect(own).not.toContain(layout.peer(peer));
  });

  it('has folders of its own, whatever the other IDs are', () => {
    const more = [...ODD, '%53USPECT', '%73tate-id', '%2Ehidden'];
    expect(new Set(more.map((peer) => layout.peer(peer))).size).toBe(more.length);
    expect(new Set(more.map((peer) => layout.peerKeys(peer))).size).toBe(more.length);
  });

  it('keeps the folder of keys that qkd-net knows, even where state needs another name', () => {
    expect(layout.peerKeys('SUSPECT')).toBe('/keys/SUSPECT');
    expect(layout.peer('SUSPECT')).toBe('/state/%53USPECT');
    expect(layout.peer('state-id')).toBe('/state/%73tate-id');
  });
});

describe('what lies in a peer’s folder', () => {
  it('is where docs/protocol.md says', () => {
    expect([
      layout.record('B', 'initiator', ID, 'staged'),
      layout.temporary('B', 'responder', ID, 'f'.repeat(32)),
      layout.names('B'),
      layout.index('B'),
      layout.lock('B'),
    ]).toEqual([
      `/state/B/initiator/${ID}.staged`,
      `/state/B/responder/${ID}.tmp-${'f'.repeat(32)}`,
      '/state/B/names',
      '/state/B/index',
      '/state/B/lock',
    ]);
  });
});

describe('names of records', () => {
  it.each(RECORD_STATES)('are read back: %s', (state) => {
    expect(parseRecordName(basename(layout.record('B', 'initiator', ID, state)))).toEqual({ id: ID, state });
    expect(parseTemporaryName(basename(layout.record('B', 'initiator', ID, state)))).toBeUndefined();
  });

  it('are read back while they are being written', () => {
    const random = Buffer.from(countingRandom(16)).toString('hex');
    const name = basename(layout.temporary('B', 'initiator', ID, random));
    expect(parseTemporaryName(name)).toBe(ID);
    expect(parseRecordName(name)).toBeUndefined();
  });

  it.each([
    '',
    ID,
    `${ID}.`,
    `${ID}.lost`,
    `${ID}.staged.bak`,
    `x${ID}.staged`,
    `${ID.toUpperCase()}.staged`,
    `${ID.slice(1)}.staged`,
    `${ID}.tmp-`,
    `${ID}.tmp-1`,
    `${ID}.staged\n`,
  ])('are not found in %j', (name) => {
    expect(parseRecordName(name)).toBeUndefined();
    expect(parseTemporaryName(name)).toBeUndefined();
  });
});
