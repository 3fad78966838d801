/**
 * YAML text as a tree of texts with line numbers; all that knows the YAML library.
 *
 * Every scalar stays text as it was written (`NO`, `007`, `10s`): the table of settings says what it means. Aliases
 * and tags are refused: nothing needs them, and they are what makes small files large. Nothing throws.
 */
import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser } from 'yaml';
import type { CST, Document, Node, YAMLMap } from 'yaml';
import { clean } from '../base/errors.js';

/** What stands at one place. */
export type Tree =
  /** `plain` where it was written without quotes. */
  | { readonly kind: 'text'; readonly text: string; readonly plain: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'section'; readonly entries: readonly Entry[] };

export interface Entry {
  readonly key: string;
  readonly line: number;
  readonly value: Tree;
}

/** Says what is wrong in which line. */
export type Complain = (line: number, message: string) => void;

/** Deeper than any setting lies. The library recurses, so a hostile file could exhaust the stack. */
const MAX_DEPTH = 16;

/** The tree in `text`, or undefined where it is no YAML; complaints that leave the rest usable come with a tree. */
export function parseYaml(text: string, complain: Complain): Tree | undefined {
  const lines = new LineCounter();
  const lineOf = (offset: number | undefined): number => Math.max(1, lines.linePos(offset ?? 0).line);
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = tokens.map(depthBeyond).find((offset) => offset !== undefined);
  if (tooDeep !== undefined) {
    complain(lineOf(tooDeep), `is nested more than ${MAX_DEPTH} deep`);
    return undefined;
  }
  // The library compares each key with each other one; `entriesOf` looks for doubles faster.
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, prettyErrors: false });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [document, second] = documents;
  if (document === undefined) return { kind: 'nothing' };
  if (second !== undefined) complain(lineOf(second.range[0]), 'starts a second document: only one is read');
  const mistakes = [...document.errors, ...document.warnings];
  for (const { pos, message } of mistakes)
    complain(lineOf(pos[0]), `is not valid YAML: ${clean(lowerFirst(message))}`);
  return mistakes.length > 0 ? undefined : treeOf(document.contents, lineOf, complain);
}

type LineOf = (offset: number | undefined) => number;

function treeOf(node: Document['contents'], lineOf: LineOf, complain: Complain): Tree {
  if (isMap(node)) return { kind: 'section', entries: entriesOf(node, lineOf, complain) };
  if (isSeq(node)) {
    const items = node.items as (Node | null)[];
    return { kind: 'list', items: items.map((item) => treeOf(item, lineOf, complain)) };
  }
  if (isScalar(node)) {
    const text = String(node.value);
    const plain = node.type === 'PLAIN';
    return text === '' && plain ? { kind: 'nothing' } : { kind: 'text', text, plain };
  }
  if (isAlias(node)) complain(lineOf(node.range?.[0]), 'has an alias (*): aliases are not supported');
  return { kind: 'nothing' };
}

function entriesOf(map: YAMLMap, lineOf: LineOf, complain: Complain): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { key: keyNode, value } of map.items as { key: Node; value: Node | null }[]) {
    const line = lineOf(keyNode.range?.[0]);
    if (!isScalar(keyNode) || keyNode.value === '') {
      complain(line, 'has a key that is not text');
      continue;
    }
    const key = String(keyNode.value);
    const first = entries.get(key);
    if (first === undefined) entries.set(key, { key, line, value: treeOf(value, lineOf, complain) });
    else complain(line, `sets ${clean(key, 80)} again: it is set in line ${first.line}`);
  }
  return [...entries.values()];
}

/** Where `token` lies deeper than MAX_DEPTH. A loop, for it must not itself exhaust the stack. */
function depthBeyond(token: CST.Token): number | undefined {
  const todo: { readonly token: CST.Token; readonly depth: number }[] = [{ token, depth: 0 }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { token: current, depth } = next;
    if (depth > MAX_DEPTH) return current.offset;
    for (const child of childrenOf(current)) todo.push({ token: child, depth: depth + 1 });
  }
  return undefined;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) =>
    [key, value].filter((part) => part !== undefined && part !== null),
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
