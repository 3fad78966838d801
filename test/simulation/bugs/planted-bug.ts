/** A bug to be planted in the real code when the simulator compiles it: production code carries none of it. */
export interface PlantedBug {
  readonly name: string;
  /** Of docs/protocol.md, and the switch of the model where there is one. */
  readonly rule: string;
  readonly changes: readonly Change[];
  /** Where another rule stands in for the one that it breaks: alone it does no harm, and caught it must be without that rule. */
  readonly shield?: Shield;
}

/** A rule that makes a bug harmless. */
export interface Shield {
  /** What it is that protects. */
  readonly rule: string;
  /** What breaks it too. At the seed that catches both, these changes alone do no harm. */
  readonly changes: readonly Change[];
}

/** The text to be found must occur in the file exactly once. */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
