/**
 * A site's folders of state and keys in a temporary folder, stores on them, and what must be true of them.
 *
 * Calling sequence: `makeStoreFolder` for each test, `open` for each simulated process, `removeStoreFolders` after.
 */
import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import type { LogFields, LogLevel } from '../../src/base/log.js';
import type { Random } from '../../src/base/random.js';
import type { PublishedFile } from '../../src/store/context.js';
import { createLayout, type Layout } from '../../src/store/layout.js';
import type { FileSystem } from '../../src/store/file-system.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import type { NewExchange } from '../../src/store/staging.js';
import { createStore, type Store } from '../../src/store/store.js';
import { ScriptedFileSystem, type Plan } from './scripted-file-system.js';

export const PEER = 'B';
export const PEER_STATE_ID = 'b'.repeat(32);
export const ALPHA = '1';
export const BETA = '340282366920938463463374607431768211455';
export const CONTENT = Buffer.from(`${'0123456789abcdef'.repeat(4)}\n`);
export const ID = 'e'.repeat(32);

/** Never twice the same, over all stores. */
let drawn = 0;
export const countingRandom: Random = (count) => {
  drawn += 1;
  const bytes = Buffer.alloc(count);
  bytes.writeUInt32BE(drawn, count - 4);
  return bytes;
};

export function exchangeOf(changes: Partial<NewExchange> = {}): NewExchange {
  return {
    id: ID,
    role: 'initiator',
    peer: PEER,
    peerStateId: PEER_STATE_ID,
    keyIds: ['key-1'],
    size: 256,
    name: 'B_0',
    index: 0,
    alpha: ALPHA,
    time: 1,
    ...changes,
  };
}

export interface Said {
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** One simulated process. */
export interface Process {
  readonly store: Store;
  readonly fs: ScriptedFileSystem;
  readonly published: PublishedFile[];
  readonly said: Said[];
}

export interface ProcessSettings {
  readonly bootId?: string;
  readonly at?: Plan;
  readonly reallySync?: boolean;
  readonly hooked?: boolean;
  /** Instead of the process's own file system: something around it. */
  readonly wrap?: (fs: FileSystem) => FileSystem;
}

export interface StoreFolder {
  readonly path: string;
  readonly layout: Layout;
  /** A new process on these folders, its store not yet opened. */
  start(settings?: ProcessSettings): Process;
  /** The same, opened and with the peer's folder made. */
  open(settings?: ProcessSettings): Promise<Process>;
  /** A path as it appears in the lists of changes. */
  shorten(path: string): string;
  /** All files and folders below, relative, sorted; folders end in a slash. */
  tree(below?: string): Promise<string[]>;
}

const made: string[] = [];

export async function makeStoreFolder(): Promise<StoreFolder> {
  const path = await mkdtemp(join(tmpdir(), 'qkd-sync-store-'));
  made.push(path);
  const layout = createLayout(join(path, 'exchanges'), join(path, 'keys'));

  const start = ({
    bootId = 'boot-1',
    at,
    reallySync = true,
    hooked = false,
    wrap = (inner) => inner,
  }: ProcessSettings = {}): Process => {
    const fs = new ScriptedFileSystem(nodeFileSystem, reallySync);
    if (at !== undefined) fs.at = at;
    const published: PublishedFile[] = [];
    const said: Said[] = [];
    const store = createStore(layout.state, layout.keys, {
      fs: wrap(fs),
      hooked,
      random: countingRandom,
      log: (level, event, message, fields) => {
        said.push({ level, event, message, fields });
      },
      bootId: () => Promise.resolve(bootId),
      onPublished: (file) => {
        published.push(file);
      },
    });
    return { store, fs, published, said };
  };

  return {
    path,
    layout,
    start,
    open: async (settings) => {
      const process = start(settings);
      await process.store.open();
      await process.store.preparePeer(PEER);
      return process;
    },
    shorten: (long) =>
      relative(path, long)
        .replaceAll(ID, '<id>')
        .replace(/\.tmp-[0-9a-f]{32}/, '.tmp')
        .replace(/\.trash\/[0-9a-f]{32}/, '.trash/*'),
    tree: (below = path) => treeOf(below),
  };
}

export async function removeStoreFolders(): Promise<void> {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
}

async function treeOf(below: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(below, { recursive: true, withFileTypes: true })) {
    const path = relative(below, join(entry.parentPath, entry.name));
    found.push(entry.isDirectory() ? `${path}${sep}` : path);
  }
  return found.sort();
}

/** What is wrong with the modes below a folder, one line each. */
export async function wrongModes(below: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const entry of await treeOf(below)) {
    const mode = (await lstat(join(below, entry))).mode & 0o7777;
    if (mode !== (entry.endsWith(sep) ? 0o700 : 0o600)) wrong.push(`${entry} ${mode.toString(8)}`);
  }
  return wrong;
}

/** How often a key has been moved into the folder of keys by these processes. */
export function publications(processes: readonly Process[], layout: Layout): number {
  return processes
    .flatMap(({ fs }) => fs.done)
    .filter(({ name, to }) => (name === 'rename' || name === 'link') && to?.startsWith(layout.keys) === true)
    .length;
}

/** The files in the folder of keys with their contents. */
export async function keyFiles(layout: Layout): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const entries = await treeOf(layout.keys).catch(() => []);
  for (const entry of entries) {
    if (!entry.endsWith(sep)) files[entry] = await readFile(join(layout.keys, entry), 'utf8');
  }
  return files;
}

/** Stages an exchange durably. */
export async function stage(
  { store }: Pick<Process, 'store'>,
  exchange: NewExchange = exchangeOf(),
): Promise<void> {
  const staging = await store.stage(exchange);
  await staging.complete(CONTENT, exchange.role === 'responder' ? BETA : undefined);
}

/** A promise and what settles it. */
export function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    opened,
    open: () => {
      open();
    },
  };
}
