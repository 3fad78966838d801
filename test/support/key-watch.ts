/**
 * Looks for key bytes where none may be: in everything that processes said and in their arguments.
 *
 * Calling sequence: `addKey` for each key that was made, `addText` for all that was said, then `leaks`.
 */

/** Key IDs are made of so many random bytes, and may be shown. */
const KEY_ID_BYTES = 16;

export class KeyWatch {
  readonly #keys: Buffer[] = [];
  readonly #texts: { readonly source: string; readonly bytes: Buffer }[] = [];

  get keyCount(): number {
    return this.#keys.length;
  }

  addKey(bytes: Uint8Array): void {
    this.#keys.push(Buffer.from(bytes));
  }

  /** A source of randomness whose bytes are taken for keys, but for those that are as short as a key ID. */
  watching(random: (count: number) => Uint8Array): (count: number) => Uint8Array {
    return (count) => {
      const bytes = random(count);
      if (count !== KEY_ID_BYTES) this.addKey(bytes);
      return bytes;
    };
  }

  addText(source: string, text: string | Buffer): void {
    this.#texts.push({ source, bytes: Buffer.from(text) });
  }

  /** Which source shows a key, and in which form: empty where all is well. */
  leaks(): string[] {
    return this.#keys.flatMap((key) =>
      formsOf(key).flatMap(([form, pattern]) =>
        this.#texts.flatMap(({ source, bytes }) => (bytes.includes(pattern) ? [`${source}: ${form}`] : [])),
      ),
    );
  }
}

function formsOf(key: Buffer): (readonly [form: string, pattern: Buffer])[] {
  const hex = key.toString('hex');
  return [
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    // Without padding and the last digit, which depend on what follows.
    ['base64', Buffer.from(key.toString('base64').replace(/.?=*$/, ''))],
    ['base64url', Buffer.from(key.toString('base64url').replace(/.$/, ''))],
    ['raw', key],
    ['raw as text', Buffer.from(key.toString('utf8'))],
    ['decimal', Buffer.from([...key].join(','))],
  ];
}
