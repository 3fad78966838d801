/** The records of one site as the rules of docs/protocol.md want them, without a disk. */

interface Entry {
  state: 'staged' | 'committed' | 'done';
  beta: string | undefined;
  readonly index: number;
}

export class MemoryStore {
  readonly records = new Map<string, Entry>();
  readonly published = new Set<string>();
  readonly discarded = new Set<string>();
  /** The `index` file. */
  #mark = 0;

  get nextIndex(): number {
    const decided = [...this.records.values()].filter(({ state }) => state !== 'staged');
    return Math.max(this.#mark, ...decided.map(({ index }) => index + 1));
  }

  ids(state: Entry['state']): string[] {
    return [...this.records].filter(([, record]) => record.state === state).map(([id]) => id);
  }

  stage(id: string, index: number, beta?: string): void {
    require(!this.records.has(id) &&
      !this.discarded.has(id) &&
      !this.published.has(id), `${id} is used again`);
    this.records.set(id, { state: 'staged', beta, index });
  }

  /** False where the record is not in this state: somebody was faster. */
  change(id: string, from: Entry['state'], to: Entry['state'], beta?: string): boolean {
    const record = this.records.get(id);
    if (record?.state !== from) return false;
    record.state = to;
    record.beta ??= beta;
    if (to !== 'staged') this.published.add(id);
    return true;
  }

  remove(id: string): void {
    const record = this.records.get(id);
    if (record === undefined) return;
    if (record.state === 'staged') this.discarded.add(id);
    else this.#mark = Math.max(this.#mark, record.index + 1);
    this.records.delete(id);
  }
}

export function require(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new Error(`broken promise: ${promise}`);
}
