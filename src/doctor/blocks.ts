/**
 * The key files of one peer as qkd-net's key router will meet them: whether their numbers have gaps, the first of
 * them has the right shape, and the router's user can read them.
 *
 * A consumer deletes from the front, so whatever is missing before the first file that is there has been taken.
 * Nothing of a file's content is shown or kept. Nothing throws.
 */
import { join } from 'node:path';
import { describe, QkdSyncError, systemCode } from '../base/errors.js';
import { encodeSegment } from '../base/site.js';
import { octal } from './file-mode.js';
import { counted, ok, skipped, warning, type Finding, type FindingName } from './finding.js';
import { LineCount } from './line-count.js';
import type { Disk, DoctorPorts } from './ports.js';
import { ofLines, ofWidth, type Router } from './router.js';

type BlockPorts = Pick<DoctorPorts, 'disk' | 'nextIndex' | 'uid'>;

/** What the owner of a folder, or of a file, must be allowed. */
const USE_FOLDER = 0o700;
const READ_FILE = 0o400;

export async function examineBlocks(
  peer: string,
  keys: string,
  router: Router,
  ports: BlockPorts,
): Promise<Finding[]> {
  const folder = join(keys, encodeSegment(peer));
  try {
    const numbers = await numbersIn(folder, peer, ports.disk);
    const [first] = numbers ?? [];
    const file = first === undefined ? undefined : join(folder, fileName(peer, first));
    return [
      await examineOwner(folder, numbers === undefined ? [keys] : [keys, folder], file, router, ports),
      await examineIndex(folder, peer, numbers, ports),
      ...(file === undefined ? [] : [await examineShape(file, router, ports.disk)]),
    ];
  } catch (error) {
    return [unreadable('qkd-net-index', folder, error)];
  }
}

function unreadable(name: FindingName, path: string, error: unknown): Finding {
  const why = error instanceof QkdSyncError ? error.message : (systemCode(error) ?? describe(error));
  return warning(name, path, `cannot be looked at (${why})`);
}

/** The numbers of the peer's key files, ascending; undefined where there is no folder. */
async function numbersIn(folder: string, peer: string, disk: Disk): Promise<number[] | undefined> {
  if ((await disk.stat(folder)) === undefined) return undefined;
  const prefix = fileName(peer, '');
  const numbers = (await disk.list(folder)).flatMap((name) => {
    const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    return /^(?:0|[1-9]\d{0,14})$/.test(number) ? [Number(number)] : [];
  });
  return numbers.sort((a, b) => a - b);
}

function fileName(peer: string, number: number | ''): string {
  return `${encodeSegment(peer)}_${number}`;
}

async function examineIndex(
  folder: string,
  peer: string,
  numbers: readonly number[] | undefined,
  { nextIndex }: BlockPorts,
): Promise<Finding> {
  const name = 'qkd-net-index';
  const next = await nextIndex(peer);
  if (numbers === undefined && next === 0) return skipped(name, folder, 'nothing has been exchanged yet');
  const [first] = numbers ?? [];
  if (first === undefined) {
    if (next > 0) return ok(name, folder, `all files below number ${next} have been taken`);
    const text = `there is a folder and no ${fileName(peer, 0)}: the key router takes the link for up and finds no key`;
    return warning(name, folder, text, 'make an exchange, or remove the empty folder');
  }
  const last = Math.max(next - 1, numbers?.at(-1) ?? 0);
  const gaps = gapsIn(numbers ?? [], last);
  if (gaps.length === 0) return ok(name, folder, `files ${first} to ${last} without a gap`);
  const [gap = 0] = gaps;
  const more = gaps.length > 1 ? ` and ${gaps.length - 1} more` : '';
  const text = `${fileName(peer, gap)}${more} missing: the key router stops there`;
  return warning(
    name,
    folder,
    text,
    'see qkd-sync status; put it back, or take the files before it away on both sites',
  );
}

/** What is missing from the first that is there up to `last`, at most a thousand numbers. */
function gapsIn(numbers: readonly number[], last: number): number[] {
  const gaps: number[] = [];
  const ends = [...numbers.slice(1), last + 1];
  for (const [at, number] of numbers.entries()) {
    for (let gap = number + 1; gap < (ends[at] ?? 0) && gaps.length < 1_000; gap += 1) gaps.push(gap);
  }
  return gaps;
}

async function examineShape(file: string, { count, size }: Router, disk: Disk): Promise<Finding> {
  const name = 'qkd-net-shape';
  const lines = new LineCount();
  try {
    await disk.scan(file, (piece) => {
      lines.add(piece);
    });
  } catch (error) {
    return unreadable(name, file, error);
  }
  const width = size === undefined ? undefined : size / 4;
  const is = `${counted(lines.count, 'line')} of ${lines.widths} characters`;
  const expected = `expected are ${count ?? 'any'} lines of ${width ?? 'any'}`;
  const consequence = shapeConsequence(lines, count, width);
  if (consequence === undefined) return ok(name, file, `${is}, in hex`);
  return warning(
    name,
    file,
    `${is}, ${expected}: ${consequence}`,
    'take it away on both sites before the key router comes to it',
  );
}

function shapeConsequence(
  lines: LineCount,
  count: number | undefined,
  width: number | undefined,
): string | undefined {
  if (lines.count === 0) return ofLines(0, 1);
  if (!lines.isHex) return 'it is not lower-case hex with a line feed after each key';
  if (width !== undefined && lines.shortest < width) return ofWidth(lines.shortest, width);
  if (width !== undefined && lines.longest > width) return ofWidth(lines.longest, width);
  if (count !== undefined && lines.count !== count) return ofLines(lines.count, count);
  return undefined;
}

/** Whether the user whose folder the router's is can use these folders and read this file. */
async function examineOwner(
  about: string,
  folders: readonly string[],
  file: string | undefined,
  router: Router,
  { disk, uid }: BlockPorts,
): Promise<Finding> {
  const name = 'qkd-net-owner';
  const reader = (await disk.stat(router.folder))?.uid;
  if (reader === undefined) return skipped(name, about, `${router.folder} does not exist`);
  const needs = [
    ...folders.map((path) => ({ path, mode: USE_FOLDER })),
    ...(file === undefined ? [] : [{ path: file, mode: READ_FILE }]),
  ];
  for (const { path, mode } of needs) {
    const facts = await disk.stat(path);
    // What is not there yet will belong to whoever runs this.
    const owner = facts?.uid ?? uid;
    const allowed = facts === undefined || (facts.mode & mode) === mode;
    if (reader === 0 || (owner === reader && allowed)) continue;
    const is = facts === undefined ? 'will belong' : `has mode ${octal(facts.mode)} and belongs`;
    const text = `${path} ${is} to user ${owner}, the key router runs as user ${reader}: it cannot read the keys`;
    return warning(name, about, text, `run qkd-sync as user ${reader}, and chown what is there`);
  }
  return ok(name, about, `the key router's user ${reader} can read it`);
}
