/** Whether key files can be published, found out before a key is drawn. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { FilesystemFacts, FileSystem, Mount } from '../../../src/store/file-system.js';
import { nodeFileSystem } from '../../../src/store/node-file-system.js';
import { PROBE_NAME, probePublishing } from '../../../src/store/probe.js';
import {
  countingRandom,
  makeStoreFolder,
  PEER,
  removeStoreFolders,
  type StoreFolder,
} from '../../support/store-folder.js';

afterEach(removeStoreFolders);

/** Probes on a file system that says this of itself. */
async function probeOn(
  folder: StoreFolder,
  facts: (path: string) => Partial<FilesystemFacts>,
  bytes = 1,
): Promise<void> {
  await mkdir(folder.layout.peer(PEER), { recursive: true });
  const fs: FileSystem = {
    ...nodeFileSystem,
    statfs: async (path) => ({ ...(await nodeFileSystem.statfs(path)), ...facts(path) }),
  };
  return probePublishing(fs, folder.layout, countingRandom, PEER, bytes);
}

/** What lies anywhere but in the folder of state. */
async function outside(folder: StoreFolder): Promise<string[]> {
  return (await folder.tree()).filter((path) => !path.startsWith('exchanges/'));
}

describe('the probe', () => {
  it('leaves nothing, and makes no folder of keys', async () => {
    const folder = await makeStoreFolder();
    const { store } = await folder.open();
    await store.probe(PEER, 1);
    expect(await outside(folder)).toEqual([]);
    expect(await folder.tree(folder.layout.trash)).toEqual([]);
  });

  it.each([[[]], [['keys']], [['keys', 'keys/B']]])(
    'tries the nearest folder that exists (%j)',
    async (folders) => {
      const folder = await makeStoreFolder();
      for (const name of folders) await mkdir(join(folder.path, name));
      const { store, fs } = await folder.open();
      await store.probe(PEER, 1);
      const tried = fs.done.filter(({ to }) => to?.endsWith(PROBE_NAME)).map(({ to }) => dirname(to ?? ''));
      expect(tried).toEqual([folder.layout.peer(PEER), join(folder.path, folders.at(-1) ?? '')]);
      expect(await outside(folder)).toEqual(folders.map((name) => `${name}/`));
    },
  );

  it.each(['', 'keys', 'keys/B'])(
    'says no where <path>/%s can be moved into but not be made durable, before anything is at stake',
    async (closed) => {
      const folder = await makeStoreFolder();
      await mkdir(join(folder.path, 'keys/B'), { recursive: true });
      const { store, fs } = await folder.open();
      fs.at = ({ name, path }) =>
        name === 'syncFolder' && path === join(folder.path, closed)
          ? { errno: 'EACCES', syscall: 'open' }
          : undefined;
      await expect(store.probe(PEER, 1)).rejects.toMatchObject({ code: 'storage' });
      expect(await outside(folder)).toEqual(['keys/', 'keys/B/']);
    },
  );

  it.each(['EXDEV', 'EROFS', 'EACCES'])(
    'says no where the rename answers %s, and leaves nothing',
    async (errno) => {
      const folder = await makeStoreFolder();
      const { store, fs } = await folder.open();
      fs.at = ({ name }) => (name === 'rename' ? { errno } : undefined);
      const error: unknown = await store.probe(PEER, 1).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'storage', hint: expect.any(String) as unknown });
      if (errno === 'EXDEV') expect((error as Error).message).toContain('different file systems');
      expect(await folder.tree(folder.layout.trash)).toEqual([]);
      expect(await outside(folder)).toEqual([]);
    },
  );

  it.each(['from', 'to'])('says no where no rename %s the peer’s folder of state works', async (way) => {
    const folder = await makeStoreFolder();
    const { store, fs } = await folder.open();
    const mounted = `${folder.layout.peer(PEER)}/`;
    fs.at = ({ name, path, to = '' }) =>
      name === 'rename' && (way === 'to' ? to : path).startsWith(mounted) ? { errno: 'EXDEV' } : undefined;
    await expect(store.probe(PEER, 1)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('different file systems') as unknown,
    });
    expect(await folder.tree(folder.layout.state)).toEqual(['.trash/', 'B/', 'state-id']);
    expect(await outside(folder)).toEqual([]);
  });

  it('tries again where the clean-up of another run takes the probe away', async () => {
    const folder = await makeStoreFolder();
    const { store, fs } = await folder.open();
    let taken = 0;
    fs.at = ({ name }) => {
      if (name !== 'rename' || taken === 2) return undefined;
      taken += 1;
      return { errno: 'ENOENT' };
    };
    await store.probe(PEER, 1);
    fs.at = ({ name }) => (name === 'rename' ? { errno: 'ENOENT' } : undefined);
    await expect(store.probe(PEER, 1)).rejects.toMatchObject({ code: 'storage' });
  });

  it.each([
    ['NFS', 0x6969],
    ['SMB', 0x517b],
    ['CIFS', 0xff534d42],
    ['CIFS', 0xff534d42 | 0],
    ['SMB2', 0xfe534d42],
    ['9p', 0x01021997],
    ['Ceph', 0x00c36400],
    ['Lustre', 0x0bd00bd0],
    ['GFS2', 0x01161970],
    ['OCFS2', 0x7461636f],
  ])('refuses %s for keys and for state', async (name, type) => {
    const folder = await makeStoreFolder();
    await mkdir(folder.layout.keys);
    for (const where of [folder.layout.keys, folder.layout.state]) {
      const probing = probeOn(folder, (path) => (path === where ? { type } : {}));
      await expect(probing).rejects.toMatchObject({ code: 'storage' });
      await expect(probeOn(folder, (path) => (path === where ? { type } : {}))).rejects.toThrow(`(${name})`);
    }
  });

  describe('on FUSE', () => {
    const FUSE = 0x65735546;

    /** Tries keys and then state on such a mount: which folder it was, and `fit` or the error. */
    async function probeBoth(mount: Mount | undefined): Promise<(readonly [string, unknown])[]> {
      const folder = await makeStoreFolder();
      await mkdir(folder.layout.keys);
      const outcomes: [string, unknown][] = [];
      for (const where of [folder.layout.keys, folder.layout.state]) {
        const probing = probeOn(folder, (path) => (path === where ? { type: FUSE, mount } : {}));
        outcomes.push([where, await probing.then(() => 'fit').catch((error: unknown) => error)]);
        expect(await outside(folder)).toEqual(['keys/']);
        expect(await folder.tree(folder.layout.trash)).toEqual([]);
      }
      return outcomes;
    }

    async function expectRefusal(mount: Mount, name: string): Promise<void> {
      for (const [folder, error] of await probeBoth(mount)) {
        expect(error).toMatchObject({
          code: 'storage',
          message: `${folder} lies on a network file system (${name})`,
          hint: 'set keys and state to folders on a local disk',
        });
      }
    }

    async function expectFit(mount: Mount | undefined): Promise<void> {
      for (const [, outcome] of await probeBoth(mount)) expect(outcome).toBe('fit');
    }

    it.each([
      'fuse.sshfs',
      'fuse.curlftpfs',
      'fuse.davfs',
      'fuse.davfs2',
      'fuse.smbnetfs',
      'fuse.glusterfs',
      'fuse.ceph',
      'fuse.ceph-fuse',
      'fuse.mfs',
      'fuse.mfsmount',
      'fuse.moosefs',
      'fuse.lizardfs',
      'fuse.seaweedfs',
      'fuse.juicefs',
      'fuse.quobyte',
      'fuse.daos',
      'fuse.alluxio-fuse',
      'fuse.s3fs',
      'fuse.s3ql',
      'fuse.goofys',
      'fuse.geesefs',
      'fuse.mount-s3',
      'fuse.mountpoint-s3',
      'fuse.rclone',
      'fuse.gcsfuse',
      'fuse.blobfuse',
      'fuse.blobfuse2',
      'fuse.ossfs',
      'fuse.gvfsd-fuse',
      'fuse.gvfs-fuse-daemon',
      'fuse.kio-fuse',
      'fuse.vmhgfs-fuse',
      'fuse.prl_fsd',
    ])('refuses %s for keys and for state, whatever its source', async (type) => {
      for (const source of ['none', '/dev/vdb', 'https://op:secret@b/']) {
        await expectRefusal({ type, source }, type);
      }
    });

    it.each([
      ['https://dav.example/keys', 'davfs2'],
      ['http://b:8080/', 'davfs2'],
      ['blobfuse2', 'blobfuse2'],
      ['mountpoint-s3', 'mountpoint-s3'],
      ['sshfs#op@b:/srv', 'sshfs'],
      ['curlftpfs#ftp://op:secret@b/', 'curlftpfs'],
      ['mfs#b:9421\n', 'mfs'],
    ])('refuses a mount without a subtype by its source, %j', async (source, name) => {
      await expectRefusal({ type: 'fuse', source }, `fuse.${name}`);
    });

    it.each([
      ['fuseblk', '/dev/sdb1'],
      ['fuseblk', 'sshfs'],
      ['virtiofs', 'https://b/'],
      ['fuse.gocryptfs', '/home/op/cipher'],
      ['fuse.mergerfs', 'a:b'],
      ['fuse.bindfs', 'sshfs#b:'],
      ['fuse.lxcfs', 'lxcfs'],
      ['fuse.encfs', 'encfs'],
      ['fuse.sshfs-like', 'none'],
      ['fuse.fuse.sshfs', 'none'],
      ['fuse', '/dev/fuse'],
      ['fuse', ''],
      ['fuse', '/srv/https://b'],
      ['fuse', 'backup-of-sshfs'],
    ])('takes %s of %j for local', async (type, source) => {
      await expectFit({ type, source });
    });

    it('takes a mount that cannot be found for local', async () => {
      await expectFit(undefined);
    });
  });

  it('wants room for the file twice and for the records, in keys and in state', async () => {
    const folder = await makeStoreFolder();
    await mkdir(folder.layout.keys);
    const needed = 2 * 1_000 + (1 << 20);
    for (const where of [folder.layout.keys, folder.layout.state]) {
      const having = (freeBytes: number) => (path: string) => (path === where ? { freeBytes } : {});
      await expect(probeOn(folder, having(needed - 1), 1_000)).rejects.toThrow('too little room');
      await probeOn(folder, having(needed), 1_000);
    }
  });
});

describe('the clean-up', () => {
  it('takes away the probe of a run that was killed, wherever it was tried', async () => {
    for (const folders of [[], ['keys'], ['keys', 'keys/B']]) {
      const folder = await makeStoreFolder();
      for (const name of folders) await mkdir(join(folder.path, name));
      const killed = await folder.open();
      killed.fs.at = ({ name, to }) =>
        name === 'rename' && to?.startsWith(folder.layout.state) === false ? { kill: 'after' } : undefined;
      await expect(killed.store.probe(PEER, 1)).rejects.toThrow('killed');
      expect((await outside(folder)).join()).toContain(PROBE_NAME);
      await (await folder.open()).store.tidy(PEER);
      expect(await outside(folder)).toEqual(folders.map((name) => `${name}/`));
    }
  });

  it('takes away one that was killed on its way there', async () => {
    const folder = await makeStoreFolder();
    const killed = await folder.open();
    killed.fs.at = ({ name }) => (name === 'rename' ? { kill: 'after' } : undefined);
    await expect(killed.store.probe(PEER, 1)).rejects.toThrow('killed');
    expect(await folder.tree(folder.layout.peer(PEER))).toEqual([PROBE_NAME]);
    await (await folder.open()).store.tidy(PEER);
    expect(await folder.tree(folder.layout.peer(PEER))).toEqual([]);
  });

  it('takes nothing else', async () => {
    const folder = await makeStoreFolder();
    await mkdir(folder.layout.peerKeys(PEER), { recursive: true });
    const files = [join(folder.layout.peerKeys(PEER), 'B_0'), join(folder.layout.keys, 'notes')];
    for (const file of files) await writeFile(file, '');
    await (await folder.open()).store.tidy(PEER);
    expect(await outside(folder)).toEqual(['keys/', 'keys/B/', 'keys/B/B_0', 'keys/notes']);
  });

  it.each([
    ['EROFS', 'passes over'],
    ['EACCES', 'passes over'],
    ['EIO', 'tells of'],
  ])('%s: %s a folder of keys where nothing can be deleted', async (errno, manner) => {
    const folder = await makeStoreFolder();
    const { store, fs } = await folder.open();
    fs.at = ({ name, path }) => (name === 'unlink' && path.endsWith(PROBE_NAME) ? { errno } : undefined);
    const cleaning = store.tidy(PEER);
    if (manner === 'tells of') await expect(cleaning).rejects.toMatchObject({ code: 'storage' });
    else await cleaning;
    expect(fs.struck).toBe(true);
  });
});
