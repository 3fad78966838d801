/** A bug to be planted in the real code when the simulator compiles it: production code carries none of it. */
export interface PlantedBug {
  readonly name: string;
  /** Of docs/protocol.md, and the switch of the model where there is one. */
  readonly rule: string;
  readonly changes: readonly Change[];
  /** Why it cannot do any harm by itself, where another rule stands in for the one that it breaks. */
  readonly harmless?: string;
}

/** The text to be found must occur in the file exactly once. */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
