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
  readonly #bytes: Uint8Array;

  /** Takes the bytes over: the caller keeps no copy. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** The bytes themselves, not a copy: for a key file and for TLS, never for anything that prints. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /** Overwrites the bytes. A best effort: the runtime may have copied them. */
  wipe(): void {
    this.#bytes.fill(0);
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
