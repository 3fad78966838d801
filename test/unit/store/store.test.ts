/** What callers of the store see of errors. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { QkdSyncError } from '../../../src/base/errors.js';
import {
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  exchangeOf,
  CONTENT,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

describe('an error of the file system', () => {
  it.each([
    ['ENOSPC', 'make room'],
    ['EDQUOT', 'quota'],
    ['EROFS', 'mount'],
    ['EACCES', 'right to write'],
    ['EPERM', 'right to write'],
    ['EIO', undefined],
  ])('%s becomes `storage` with its cause and a hint', async (errno, hint) => {
    const folder = await makeStoreFolder();
    const { store } = folder.start({ at: ({ name }) => (name === 'mkdir' ? { errno } : undefined) });
    const error: unknown = await store.open().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QkdSyncError);
    expect(error).toMatchObject({ code: 'storage', cause: { code: errno } });
    const said = (error as QkdSyncError).hint;
    if (hint === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(hint);
  });

  it('in staging does too', async () => {
    const folder = await makeStoreFolder();
    const { store, fs } = await folder.open();
    const staging = await store.stage(exchangeOf());
    fs.at = ({ name }) => (name === 'unlink' ? { errno: 'EIO' } : undefined);
    await expect(staging.drop()).rejects.toMatchObject({ code: 'storage' });
    fs.at = ({ name }) => (name === 'write' ? { errno: 'ENOSPC' } : undefined);
    await expect(staging.complete(CONTENT)).rejects.toMatchObject({ code: 'storage' });
  });
});

describe('a bug', () => {
  it('stays one, even where Node gives it a code', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    await expect(store.preparePeer(undefined as never)).rejects.toMatchObject({ name: 'TypeError' });
    await expect(store.survey(PEER)).resolves.toEqual([]);
  });
});
