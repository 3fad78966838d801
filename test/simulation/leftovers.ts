/** What lies on a host's disk after all has been settled and should not. */
import { PROBE_NAME } from '../../src/store/probe.js';
import type { Host } from './host.js';
import type { Node } from './node.js';
import { TAKEN } from './party.js';

/**
 * Two marks stay of the numbers; all else of a peer goes. That a third one went is not made durable, because it would do
 * no harm: after a loss of power it may be there until the next exchange.
 */
export const MARKS_MAX = 2;

/** Paths below the host's ground, each with what it is; empty where all is as it should be. */
export function leftovers(host: Host, marksMax: number): string[] {
  const found: string[] = [];
  const ground = host.disk.find(`/${host.id}`);
  for (const [name, node] of entriesOf(ground)) {
    if (name === 'keys') inspectKeys(node, found);
    else if (name === 'exchanges') inspectState(name, node, found, marksMax);
    // Nobody has made a contact in peace from another state folder.
    else if (name !== 'other-exchanges' && !name.startsWith(TAKEN)) found.push(name);
  }
  return found.map((path) => `${host.id}: ${path}`);
}

function inspectKeys(keys: Node, found: string[]): void {
  for (const [peer, folder] of entriesOf(keys)) {
    if (folder.kind === 'file') found.push(`keys/${peer}`);
    for (const name of namesIn(folder)) if (name === PROBE_NAME) found.push(`keys/${peer}/${name}`);
  }
}

function inspectState(state: string, node: Node, found: string[], marksMax: number): void {
  for (const [name, child] of entriesOf(node)) {
    const path = `${state}/${name}`;
    if (name === '.trash') found.push(...namesIn(child).map((one) => `${path}/${one}`));
    else if (child.kind === 'folder') inspectPeer(path, child, found, marksMax);
    else if (name !== 'state-id') found.push(path);
  }
}

function inspectPeer(peer: string, node: Node, found: string[], marksMax: number): void {
  for (const [name, child] of entriesOf(node)) {
    const path = `${peer}/${name}`;
    const names = namesIn(child);
    // What operators have decided stays written down.
    if (name === 'resolutions') continue;
    if (child.kind === 'file') found.push(path);
    if (name === 'index') {
      if (names.length > marksMax) found.push(`${path}/{${names.join()}}`);
    } else {
      found.push(...names.map((one) => `${path}/${one}`));
    }
  }
}

const entriesOf = (node: Node | undefined): [string, Node][] =>
  node?.kind === 'folder' ? [...node.entries] : [];

const namesIn = (node: Node): string[] => entriesOf(node).map(([name]) => name);
