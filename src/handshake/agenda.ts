/** What is to be settled with the peer before anything new: what its STATUS names, and what is committed here. */
import type { Status } from './message.js';

/** An open exchange that is still to be settled: the peer says that it is done, or it needs our decision. */
export interface Task {
  readonly id: string;
  readonly kind: 'done' | 'undecided';
}

/**
 * The tasks in the order in which they are taken up, each exchange once: one that the peer names as done and as in
 * doubt is done, because the decision that it asks for has been made.
 * @param met exchanges that this contact has dealt with, well or not
 */
export function agendaOf(status: Status, committed: readonly string[], met: ReadonlySet<string>): Task[] {
  const tasks = new Map<string, Task>();
  const add = (ids: readonly string[], kind: Task['kind']): void => {
    for (const id of ids) if (!met.has(id) && !tasks.has(id)) tasks.set(id, { id, kind });
  };
  add(status.done, 'done');
  add(status.inDoubt, 'undecided');
  // An operator there has decided, and must hear whether it was what is decided here.
  add(
    status.resolved.map(({ id }) => id),
    'undecided',
  );
  add(committed, 'undecided');
  return [...tasks.values()];
}
