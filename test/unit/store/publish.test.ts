/** Key files are moved into place, whatever whoever takes them away does to their folder meanwhile. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BETA,
  CONTENT,
  exchangeOf,
  ID,
  keyFiles,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  stage,
  type Process,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

interface Site {
  readonly role: 'initiator' | 'responder';
  readonly finish: (process: Process) => Promise<unknown>;
}

const SITES: readonly Site[] = [
  { role: 'initiator', finish: ({ store }) => store.finish(ID) },
  { role: 'responder', finish: ({ store }) => store.commit(PEER, ID, BETA) },
];

async function decided({ role }: Site): Promise<{ folder: StoreFolder; process: Process }> {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  await stage(process, exchangeOf({ role }));
  if (role === 'initiator') await process.store.decide(PEER, ID, BETA);
  return { folder, process };
}

const isMove = ({ name, path }: { readonly name: string; readonly path: string }): boolean =>
  name === 'rename' && path.endsWith('/key');

describe.each(SITES)('where the folder of keys vanishes right before the move, at the $role', (site) => {
  it('the folder is made again and the file is in it', async () => {
    const { folder, process } = await decided(site);
    const keys = folder.layout.peerKeys(PEER);
    let moves = 0;
    process.fs.at = (operation) => {
      if (isMove(operation) && (moves += 1) === 1) renameSync(keys, join(folder.path, 'taken'));
      return undefined;
    };
    await site.finish(process);
    expect(moves).toBe(2);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
    expect(process.published).toHaveLength(1);
    expect(readdirSync(join(folder.path, 'taken'))).toEqual([]);
  });

  it('again and again, nothing is lost: the record stays, and the next run goes on', async () => {
    const { folder, process } = await decided(site);
    process.fs.at = (operation) => {
      if (isMove(operation)) rmSync(folder.layout.peerKeys(PEER), { recursive: true });
      return undefined;
    };
    await expect(site.finish(process)).rejects.toMatchObject({ code: 'storage' });
    expect(process.published).toEqual([]);
    expect(await process.store.survey(PEER)).toMatchObject([
      { place: { state: 'committed' }, published: false },
    ]);
    process.fs.at = () => undefined;
    await site.finish(process);
    expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
  });
});

it('a name is not said to be taken by whom another run has overtaken that found it free', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  await stage(process, exchangeOf({ role: 'responder' }));
  const other = await folder.open();
  const alien = join(folder.layout.peerKeys(PEER), 'B_0');
  mkdirSync(folder.layout.peerKeys(PEER), { recursive: true });
  writeFileSync(alien, '');
  process.fs.at = ({ name, path }) => {
    if (name !== 'create' || !path.includes('.committed/')) return undefined;
    rmSync(alien);
    return { hold: other.store.commit(PEER, ID, BETA) };
  };
  expect(await process.store.commit(PEER, ID, BETA)).toBe('done');
  expect(await keyFiles(folder.layout)).toEqual({ 'B/B_0': CONTENT.toString() });
});

it('a record is not taken for removed where the trash has vanished', async () => {
  const [site] = SITES;
  if (site === undefined) throw new Error('no site');
  const { folder, process } = await decided(site);
  const { trash } = folder.layout;
  process.fs.at = ({ name, to }) => {
    if (name === 'rename' && to?.startsWith(`${trash}/`) === true) rmSync(trash, { recursive: true });
    return undefined;
  };
  await expect(process.store.finish(ID)).rejects.toMatchObject({ code: 'storage' });
  process.fs.at = () => undefined;
  expect(await process.store.finish(ID)).toBe('forgotten');
  expect(await process.store.survey(PEER)).toEqual([]);
});

it('no file is published without its note where the folder of notes has vanished', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open({ hooked: true });
  await stage(process);
  await process.store.decide(PEER, ID, BETA);
  const hooks = folder.layout.hooks(PEER);
  process.fs.at = ({ name, to }) => {
    if (name === 'rename' && to?.startsWith(`${hooks}/`) === true) rmSync(hooks, { recursive: true });
    return undefined;
  };
  await expect(process.store.finish(ID)).rejects.toMatchObject({ code: 'storage' });
  expect(await keyFiles(folder.layout)).toEqual({});
});
