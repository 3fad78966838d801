/** Small files of text, which may not be there: another run may have moved them on at any time. Errors: Node's. */
import type { FileSystem } from './file-system.js';

export const SMALL_FILE_MAX_BYTES = 4_096;

/** A small file's text; undefined where it is not there. */
export async function readSmall(
  fs: FileSystem,
  path: string,
  maxBytes = SMALL_FILE_MAX_BYTES,
): Promise<string | undefined> {
  const content = await fs.read(path, maxBytes);
  return content && textOf(content.bytes);
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
