/** The peers that the folder of state knows. */
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { BETA, ID, makeStoreFolder, PEER, removeStoreFolders, stage } from '../../support/store-folder.js';

afterEach(removeStoreFolders);

it('are none before the first use', async () => {
  const folder = await makeStoreFolder();
  expect(await folder.start().store.peers()).toEqual([]);
});

it('are found again by their site IDs, odd ones too', async () => {
  const folder = await makeStoreFolder();
  const { store } = await folder.open();
  for (const peer of ['..', '.hidden', 'SUSPECT', 'state-id', 'a/b', 'Zürich']) await store.preparePeer(peer);
  expect(new Set(await store.peers())).toEqual(
    new Set(['B', '..', '.hidden', 'SUSPECT', 'state-id', 'a/b', 'Zürich']),
  );
  expect(await store.peers()).toHaveLength(7);
});

it('are told apart from whatever else lies there', async () => {
  const folder = await makeStoreFolder();
  const { store } = await folder.open();
  for (const name of ['100%', '%zz', 'a b', '%41', 'lost+found'])
    await mkdir(join(folder.layout.state, name));
  await writeFile(join(folder.layout.state, 'README'), '');
  expect(await store.peers()).toEqual(['B']);
});

/** What has been decided there could be read by its path, and by nobody who looks for it: it would be told as an abort. */
it('are refused where a folder of theirs is a symbolic link', async () => {
  const folder = await makeStoreFolder();
  const process = await folder.open();
  await stage(process);
  await process.store.decide(PEER, ID, BETA);
  const [real, link] = [join(folder.path, 'elsewhere'), folder.layout.peer(PEER)];
  await rename(link, real);
  await symlink(real, link);
  const { store } = folder.start();
  const uses = [
    () => store.preparePeer(PEER),
    () => store.peers(),
    () => store.judge(ID),
    () => store.finish(ID),
  ];
  for (const use of uses)
    await expect(use()).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining(link) });
});
