/**
 * What a run that ended well must have told of and has not: the exchanges that its site's records had open when it looked at
 * them for the last time, and that are open in the same way now. Whatever another process did meanwhile has moved its
 * record, so that nothing else is to be excused.
 */
import type { RunReport } from '../../src/exchange/outcome.js';
import { parseRecordName, RECORD_FILE, type RecordState } from '../../src/store/layout.js';
import type { Node } from './node.js';
import type { Process } from './process.js';

const ROLE = /\/(initiator|responder)$/;

/** The names of their records; empty where all has been told. */
export function untold({ host, listed }: Process, { open }: RunReport): string[] {
  const { disk, moved } = host;
  const told = new Set(open.map(({ id }) => id));
  return [...listed].flatMap(([folder, lookedAt]) => {
    const [, role] = ROLE.exec(folder) ?? [];
    const names = disk.list(folder);
    if (role === undefined || !Array.isArray(names)) return [];
    return names.filter((name) => {
      const record = parseRecordName(name);
      if (record === undefined || told.has(record.id)) return false;
      const path = `${folder}/${name}`;
      if ((moved.get(path) ?? 0) > lookedAt) return false;
      return record.state === 'resolved'
        ? isCommit(disk.find(`${path}/${RECORD_FILE.resolution}`))
        : isOpen(role, record.state);
    });
  });
}

/** By its state alone; what an alarm may add to that is not asked here. */
function isOpen(role: string, state: Exclude<RecordState, 'resolved'>): boolean {
  switch (state) {
    case 'staged':
      return role === 'responder';
    case 'committed':
    case 'done':
      return true;
    case 'aborted':
      return false;
  }
}

const isCommit = (resolution: Node | undefined): boolean =>
  resolution?.kind === 'file' && Buffer.from(resolution.bytes).toString() === 'commit';
