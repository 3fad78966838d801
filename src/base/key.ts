/**
 * A key as QKD delivers it: an opaque ID, which may be shown, and secret bytes, which never are.
 */
import { inspect } from 'node:util';

/** A KME's name for one key (ETSI GS QKD 014, `key_ID`). Opaque: kept to the letter. 1 to 256 bytes of UTF-8. */
export type KeyId = string;

/** The longest key ID that a SYN may carry, in bytes of UTF-8 (docs/protocol.md, "Messages"). */
export const KEY_ID_MAX_BYTES = 256;

/** Whether `text` can be a key ID: well-formed, 1 to 256 bytes, no control characters. */
export function isKeyId(text: string): boolean {
  return (
    text.length > 0 &&
    text.isWellFormed() &&
    Buffer.byteLength(text) <= KEY_ID_MAX_BYTES &&
    !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)
  );
}

/** Secret bytes that print as a placeholder wherever something tries to show them. */
export class Secret {
  readonly #whole: Uint8Array;
  readonly #start: number;
  readonly #end: number;

  /**
   * Takes the bytes over: the caller keeps no copy.
   * @param start where they begin in `bytes`, and `end` where they end: a view of its own would take more memory than a key
   */
  constructor(bytes: Uint8Array, start = 0, end = bytes.byteLength) {
    this.#whole = bytes;
    this.#start = start;
    this.#end = end;
  }

  get byteLength(): number {
    return this.#end - this.#start;
  }

  /** The bytes themselves, not a copy: for a key file and for TLS, never for anything that prints. */
  reveal(): Uint8Array {
    return this.#whole.subarray(this.#start, this.#end);
  }

  /** Overwrites the bytes. A best effort: the runtime may have copied them. */
  wipe(): void {
    this.#whole.fill(0, this.#start, this.#end);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** One key with its ID. */
export interface Key {
  readonly keyId: KeyId;
  readonly secret: Secret;
}
