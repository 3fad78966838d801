/**
 * Settings from the configuration file: which one it is, and what it says.
 *
 * The file holds no secrets, only the names of files that do; still no message shows more of it than a wrong value
 * of a known setting.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { clean, QkdSyncError } from '../base/errors.js';
import { readBounded } from './bounded-file.js';
import type { Unreadable } from './bounded-file.js';
import { CONFIG_VARIABLE } from './environment.js';
import type { Environment } from './environment.js';
import { listText } from './list-text.js';
import { nearest } from './nearest.js';
import { PEER_SETTINGS } from './peer-table.js';
import type { Problems } from './problems.js';
import type { Layer, Origin, Raw } from './raw.js';
import type { Setting } from './setting.js';
import { SETTINGS } from './settings-table.js';
import { file, quote } from './shape.js';
import { parseYaml } from './yaml-tree.js';
import type { Entry, Tree } from './yaml-tree.js';

/** What the file says of one peer. */
export interface PeerSection {
  readonly site: string;
  readonly origin: Origin;
  readonly values: Layer;
}

export interface ConfigFile {
  /** Undefined where there is none. */
  readonly path?: string;
  readonly values: Layer;
  readonly peers: readonly PeerSection[];
}

export interface FileRequest {
  /** The value of --config, absolute. */
  readonly flag: string | undefined;
  readonly env: Environment;
  readonly home: string;
  readonly cwd: string;
  /** `/etc`. */
  readonly systemFolder: string;
}

/**
 * The file's settings. What is wrong in it goes to `problems`, and where it is no YAML at all the answer is undefined;
 * a file that cannot be read is a QkdSyncError, `config`.
 */
export async function readConfigFile(
  request: FileRequest,
  problems: Problems,
): Promise<ConfigFile | undefined> {
  const found = await locate(request);
  if (found === undefined) return { values: new Map(), peers: [] };
  const { path, bytes } = found;
  const tree = parseYaml(decode(path, bytes), (line, message) => {
    problems.add('config', `${path}:${line}: ${message}`);
  });
  return tree && new FileReader(path, problems).read(tree);
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new QkdSyncError('config', `${path} is not UTF-8 text: ${EXPECTED}`, { cause });
  }
}

const EXPECTED = 'expected a YAML file of settings';

interface TextFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The first file of those that may be there; one that is named must be. */
async function locate(request: FileRequest): Promise<TextFile | undefined> {
  const { flag, env, home, cwd, systemFolder } = request;
  const variable = env[CONFIG_VARIABLE] ?? '';
  const named = flag ?? file.parse(variable, { folder: cwd, home });
  if (named === undefined && variable !== '') {
    throw new QkdSyncError('config', `${CONFIG_VARIABLE} is ${quote(variable)}: expected ${file.expected}`);
  }
  if (named !== undefined) {
    const content = await readBounded(named);
    if (content.bytes !== undefined) return { path: named, bytes: content.bytes };
    throw unreadable(`${flag === undefined ? CONFIG_VARIABLE : '--config'}: ${clean(named, 300)}`, content);
  }
  const xdg = env['XDG_CONFIG_HOME'] ?? '';
  const candidates = [
    join(home, '.qkd', 'qkd-sync.yaml'),
    // The XDG Base Directory Specification has relative ones ignored.
    join(isAbsolute(xdg) ? xdg : join(home, '.config'), 'qkd-sync', 'config.yaml'),
    join(systemFolder, 'qkd-sync', 'config.yaml'),
  ];
  for (const path of candidates) {
    const content = await readBounded(path);
    if (content.bytes !== undefined) return { path, bytes: content.bytes };
    if (!content.missing) throw unreadable(path, content);
  }
  return undefined;
}

function unreadable(subject: string, { mistake }: Unreadable): QkdSyncError {
  return new QkdSyncError('config', `${subject} ${mistake}: ${EXPECTED}`);
}

/** Goes through the tree of one file. */
class FileReader {
  readonly #path: string;
  readonly #problems: Problems;

  constructor(path: string, problems: Problems) {
    this.#path = path;
    this.#problems = problems;
  }

  read(tree: Tree): ConfigFile {
    const values = new Map<string, Raw>();
    if (tree.kind === 'text' || tree.kind === 'list') {
      this.#complain(1, `holds ${say(tree)}: expected settings, such as site: A`);
    }
    const entries = tree.kind === 'section' ? tree.entries : [];
    this.#readSection(
      entries.filter(({ key }) => key !== 'peers'),
      { prefix: '', table: Object.values(SETTINGS), values },
    );
    const peers = entries.filter(({ key }) => key === 'peers').flatMap((entry) => this.#readPeers(entry));
    return { path: this.#path, values, peers };
  }

  #readPeers(entry: Entry): PeerSection[] {
    return this.#sectionOf(entry, 'peers', 'a section with one entry for each peer').map((peer) => {
      const prefix = `peers.${show(peer.key)}.`;
      const values = new Map<string, Raw>();
      const table: readonly Setting<unknown>[] = Object.values(PEER_SETTINGS);
      const expected = `a section with ${table.map(({ key }) => key).join(', ')}`;
      const name = prefix.slice(0, -1);
      this.#readSection(this.#sectionOf(peer, name, expected), { prefix, table, values });
      return { site: peer.key, origin: this.#origin(peer.line, name), values };
    });
  }

  /** Takes what `target.table` has into `target.values`; `within` is the section's path in the table. */
  #readSection(entries: readonly Entry[], target: Target, within = ''): void {
    for (const entry of entries) {
      // A file that is not ours at all: enough has been said.
      if (this.#problems.isFull) return;
      const key = within + entry.key;
      const name = target.prefix + show(key);
      const setting = target.table.find((candidate) => candidate.key === key);
      const below = target.table.filter((candidate) => candidate.key.startsWith(`${key}.`));
      if (setting !== undefined) this.#readValue(entry, name, setting, target.values);
      else if (below.length > 0) {
        const expected = `a section with ${below.map((one) => one.key.slice(key.length + 1)).join(', ')}`;
        this.#readSection(this.#sectionOf(entry, name, expected), target, `${key}.`);
      } else this.#unknown(entry, name, key, target);
    }
  }

  #readValue(
    { line, value }: Entry,
    name: string,
    setting: Setting<unknown>,
    values: Map<string, Raw>,
  ): void {
    const origin = this.#origin(line, name);
    const { list } = setting.shape;
    const text =
      value.kind === 'text'
        ? value.text
        : value.kind === 'list' && list !== undefined
          ? listText(value.items, list)
          : undefined;
    if (text !== undefined) values.set(setting.key, { text, origin });
    else this.#complain(line, `${name} is ${say(value)}: expected ${setting.shape.expected}`);
  }

  /** What is in a section; a section with nothing in it is as good as none. */
  #sectionOf({ line, value }: Entry, name: string, expected: string): readonly Entry[] {
    if (value.kind === 'section') return value.entries;
    if (value.kind !== 'nothing') this.#complain(line, `${name} is ${say(value)}: expected ${expected}`);
    return [];
  }

  #unknown({ line, key: last }: Entry, name: string, key: string, { prefix, table }: Target): void {
    const known = [...table.map((setting) => setting.key), ...(prefix === '' ? ['peers'] : [])];
    const sections = known.flatMap((one) => (one.includes('.') ? [one.slice(0, one.indexOf('.'))] : []));
    const namesakes = known.filter((one) => one.endsWith(`.${last}`));
    const meant =
      nearest(key, [...known, ...sections]) ?? (namesakes.length === 1 ? namesakes[0] : undefined);
    const advice = meant === undefined ? '' : `; did you mean ${prefix}${meant}?`;
    this.#complain(line, `${name} is not a setting${advice}`);
  }

  #origin(line: number, name: string): Origin {
    return { kind: 'file', subject: `${this.#path}:${line}: ${name}`, folder: dirname(this.#path) };
  }

  #complain(line: number, message: string): void {
    this.#problems.add('config', `${this.#path}:${line}: ${message}`);
  }
}

interface Target {
  /** `peers.B.`, or empty. */
  readonly prefix: string;
  readonly table: readonly Setting<unknown>[];
  readonly values: Map<string, Raw>;
}

/** A key in a message. */
function show(key: string): string {
  return /^[\w.-]{1,80}$/.test(key) ? key : quote(key);
}

function say({ kind }: Tree): string {
  switch (kind) {
    case 'text':
      return 'a single value';
    case 'nothing':
      return 'empty';
    case 'list':
      return 'a list';
    case 'section':
      return 'a section';
  }
}
