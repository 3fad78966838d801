/**
 * A list of the file as the text that a flag or a variable would give in its place, so that one shape reads them all.
 */
import type { Tree } from './yaml-tree.js';

/** How a list is written as text: `commas` between its texts, or `json`. */
export type ListStyle = 'commas' | 'json';

/** Undefined where `commas` cannot write it: it has something other than texts. */
export function listText(items: readonly Tree[], style: ListStyle): string | undefined {
  if (style === 'json') return JSON.stringify(items.map(jsonOf));
  const texts = items.flatMap((item) => (item.kind === 'text' ? item.text : []));
  return texts.length === items.length && texts.length > 0 ? texts.join(',') : undefined;
}

/** What is written without quotes may be a number, a truth value or null, by YAML's core schema. */
function jsonOf(tree: Tree): unknown {
  switch (tree.kind) {
    case 'nothing':
      return null;
    case 'list':
      return tree.items.map(jsonOf);
    case 'section':
      return Object.fromEntries(tree.entries.map(({ key, value }) => [key, jsonOf(value)]));
    case 'text':
      return tree.plain ? scalarOf(tree.text) : tree.text;
  }
}

function scalarOf(text: string): unknown {
  if (/^(?:null|Null|NULL|~)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  return /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : text;
}
