/**
 * The shape of a text file, found piece by piece: how many lines it has, how wide, and whether all is lower-case hex.
 * No byte of it is kept.
 */
const LF = 0x0a;

export class LineCount {
  /** Complete lines, and one without its line feed at the end. */
  #complete = 0;
  #width = 0;
  #shortest = Infinity;
  #longest = 0;
  #strange = false;

  add(piece: Uint8Array): void {
    for (const byte of piece) {
      if (byte === LF) this.#endLine();
      else {
        this.#width += 1;
        this.#strange ||= !isHexDigit(byte);
      }
    }
  }

  get count(): number {
    return this.#complete + (this.#width > 0 ? 1 : 0);
  }

  get shortest(): number {
    return Math.min(this.#shortest, this.#width > 0 ? this.#width : Infinity);
  }

  get longest(): number {
    return Math.max(this.#longest, this.#width);
  }

  /** `64`, or `32 to 64`. */
  get widths(): string {
    if (this.count === 0) return '0';
    return this.shortest === this.longest ? String(this.longest) : `${this.shortest} to ${this.longest}`;
  }

  /** Whether it holds nothing but lower-case hex digits and a line feed after each line. */
  get isHex(): boolean {
    return !this.#strange && this.#width === 0;
  }

  #endLine(): void {
    this.#complete += 1;
    this.#shortest = Math.min(this.#shortest, this.#width);
    this.#longest = Math.max(this.#longest, this.#width);
    this.#width = 0;
  }
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
}
