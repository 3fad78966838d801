/**
 * qkd-net's own configuration, `~/.qkd/qnl/config.yaml` and the `routes.json` that it names: what they say is the
 * default of our settings, so that a host that is set up for its key router need not be told twice.
 *
 * Calling sequence: `readQkdNet`, then `withRoutes` for the peers. Keys that mean nothing to us are ignored. What is
 * wrong with the others goes to `problems`; a file that cannot be read is a QkdSyncError, `config`. Without a
 * config.yaml the answer is undefined, without a routes.json there are no peers.
 */
import { isIPv6 } from 'node:net';
import { dirname, join } from 'node:path';
import { QkdSyncError } from '../base/errors.js';
import { roleOf } from '../base/site.js';
import { parseDialAddress } from './address.js';
import { readBounded } from './bounded-file.js';
import { decodeText, say, type PeerSection } from './file.js';
import type { Problems } from './problems.js';
import type { Layer, Origin, Raw } from './raw.js';
import { SETTINGS } from './settings-table.js';
import { integer, quote } from './shape.js';
import type { Shape } from './shape.js';
import { parseYaml } from './yaml-tree.js';
import type { Entry } from './yaml-tree.js';

/** What the key router reads, as far as its config.yaml says. */
export interface QkdNet {
  /** Its folder, `~/.qkd/qnl`: whoever owns it runs the router. */
  readonly folder: string;
  /** Where it looks for key files. */
  readonly keys?: string;
  /** Keys in a file, `qllBlockSz`. */
  readonly count?: number;
  /** Bits of a key, 8 × `keyBytesSz`. */
  readonly size?: number;
  /** Our settings by those names, for want of better. */
  readonly values: Layer;
  readonly peers: readonly PeerSection[];
}

const FOLDER = join('.qkd', 'qnl');
const PATH = 'a path below the home folder';
const ROUTE = 'HOST[:PORT], such as b.example or 192.0.2.7:9292';

/** The sizes of keys that `exchange.size` takes, in bytes. */
const KEY_BYTES = integer(8, 512);
const COUNT = SETTINGS.exchangeCount.shape;

export async function readQkdNet(home: string, problems: Problems): Promise<QkdNet | undefined> {
  const folder = join(home, FOLDER);
  const config = await readEntries(join(folder, 'config.yaml'), 'settings of qkd-net', problems);
  if (config === undefined) return undefined;
  const place = (key: string): string | undefined => {
    const text = config.text(key, PATH)?.text;
    // qkd-net joins the three as they stand.
    return text === undefined ? undefined : join(home, config.text('base', PATH)?.text ?? FOLDER, text);
  };
  const values = new Map<string, Raw>();
  const take = (setting: { readonly key: string }, raw: Raw | undefined, text = raw?.text): void => {
    if (raw !== undefined && text !== undefined) values.set(setting.key, { ...raw, text });
  };
  const [keys, routes] = [place('qnlSiteKeyLoc'), place('routeConfigLoc')];
  take(SETTINGS.site, config.text('siteId', SETTINGS.site.shape.expected));
  take(SETTINGS.keys, config.text('qnlSiteKeyLoc', PATH), keys);
  const blockSize = config.text('qllBlockSz', COUNT.expected);
  take(SETTINGS.exchangeCount, blockSize);
  const count = blockSize && readNumber(blockSize, COUNT, problems);
  const keyBytes = config.text('keyBytesSz', KEY_BYTES.expected);
  const bytes = keyBytes && readNumber(keyBytes, KEY_BYTES, problems);
  const size = bytes === undefined ? undefined : 8 * bytes;
  if (size !== undefined) take(SETTINGS.exchangeSize, keyBytes, String(size));
  return {
    folder,
    ...(keys === undefined ? {} : { keys }),
    ...(count === undefined ? {} : { count }),
    ...(size === undefined ? {} : { size }),
    values,
    peers: routes === undefined ? [] : await readRoutes(routes, problems),
  };
}

/** `own` peers with what `routes` know besides, and the peers that only the routes know. */
export function withRoutes(own: readonly PeerSection[], routes: readonly PeerSection[]): PeerSection[] {
  const isSame = (one: PeerSection, other: PeerSection): boolean =>
    roleOf(one.site, other.site) === undefined;
  const completed = own.map((section) => {
    const route = routes.find((candidate) => isSame(candidate, section));
    return route === undefined
      ? section
      : { ...section, values: new Map([...route.values, ...section.values]) };
  });
  return [...completed, ...routes.filter((route) => !own.some((section) => isSame(section, route)))];
}

function readNumber({ text, origin }: Raw, shape: Shape<number>, problems: Problems): number | undefined {
  const value = shape.parse(text, { folder: origin.folder, home: origin.folder });
  if (value === undefined) problems.addAt(origin, ` is ${quote(text)}: expected ${shape.expected}`);
  return value;
}

async function readRoutes(path: string, problems: Problems): Promise<PeerSection[]> {
  const routes = await readEntries(path, 'routes of qkd-net', problems);
  const adjacent = routes?.section('adjacent', 'an object with one host for each adjacent site');
  return (adjacent?.keys ?? []).flatMap((site) => {
    const raw = adjacent?.text(site, ROUTE);
    if (raw === undefined) return [];
    const host = hostOf(raw.text);
    if (host === undefined) {
      problems.addAt(raw.origin, ` is ${quote(raw.text)}: expected ${ROUTE}`);
      return [];
    }
    const address = { text: host, origin: raw.origin };
    return [{ site, origin: raw.origin, values: new Map([['address', address]]), isRoute: true }];
  });
}

/** The host of a route as an address of ours has it: the port behind it is the router's, not that of qkd-sync. */
function hostOf(text: string): string | undefined {
  if (isIPv6(text)) return `[${text}]`;
  const host = parseDialAddress(text)?.host;
  return host !== undefined && isIPv6(host) ? `[${host}]` : host;
}

/** The entries of a YAML or JSON file, which is YAML too; undefined where there is none or it is none. */
async function readEntries(path: string, what: string, problems: Problems): Promise<Entries | undefined> {
  const content = await readBounded(path);
  const expected = `expected ${what}`;
  if (content.bytes === undefined) {
    if (content.missing) return undefined;
    throw new QkdSyncError('config', `${path} ${content.mistake}: ${expected}`);
  }
  const complain = (line: number, message: string): void => {
    problems.add('config', `${path}:${line}: ${message}`);
  };
  const tree = parseYaml(decodeText(path, content.bytes, expected), complain);
  if (tree === undefined) return undefined;
  if (tree.kind === 'section') return new Entries(path, '', tree.entries, complain);
  complain(1, `holds ${tree.kind === 'nothing' ? 'nothing' : say(tree)}: ${expected}`);
  return undefined;
}

class Entries {
  readonly #path: string;
  readonly #prefix: string;
  readonly #entries: readonly Entry[];
  readonly #complain: (line: number, message: string) => void;

  constructor(
    path: string,
    prefix: string,
    entries: readonly Entry[],
    complain: (line: number, message: string) => void,
  ) {
    this.#path = path;
    this.#prefix = prefix;
    this.#entries = entries;
    this.#complain = complain;
  }

  get keys(): string[] {
    return this.#entries.map(({ key }) => key);
  }

  /** What one key says; undefined where it is not there or no text. */
  text(key: string, expected: string): Raw | undefined {
    const entry = this.#find(key);
    if (entry?.value.kind === 'text' && entry.value.text !== '') {
      return { text: entry.value.text, origin: this.#origin(entry) };
    }
    this.#reject(entry, expected);
    return undefined;
  }

  section(key: string, expected: string): Entries | undefined {
    const entry = this.#find(key);
    if (entry?.value.kind === 'section') {
      return new Entries(this.#path, `${this.#prefix}${key}.`, entry.value.entries, this.#complain);
    }
    this.#reject(entry, expected);
    return undefined;
  }

  #find(key: string): Entry | undefined {
    return this.#entries.find((entry) => entry.key === key);
  }

  #origin({ key, line }: Entry): Origin {
    const subject = `${this.#path}:${line}: ${this.#prefix}${key}`;
    return { kind: 'file', subject, folder: dirname(this.#path) };
  }

  /** Nothing is wrong with a key that is not there. */
  #reject(entry: Entry | undefined, expected: string): void {
    if (entry === undefined) return;
    const is = entry.value.kind === 'text' ? 'empty' : say(entry.value);
    this.#complain(entry.line, `${this.#prefix}${entry.key} is ${is}: expected ${expected}`);
  }
}
