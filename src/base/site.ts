/**
 * Site IDs: who is who in a pair of sites, and how an ID becomes part of a path.
 */

/** Which part a site plays in an exchange: one asks, the other answers (docs/protocol.md, "Roles"). */
export type Role = 'initiator' | 'responder';

/** Whether `text` can be a site or SAE ID: 1 to 64 characters, no control characters, no white space at the ends. */
export function isSiteId(text: string): boolean {
  return (
    text.length >= 1 &&
    text.length <= 64 &&
    text.isWellFormed() &&
    /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text) &&
    text.trim() === text
  );
}

/** The longest file name of most file systems, in bytes (NAME_MAX). */
export const NAME_MAX_BYTES = 255;
/** The most that follows a site ID in the name of a key file: `_` and a number. */
const SUFFIX_MAX_BYTES = 1 + 16;
/** The most that a site ID may take in the name of a file. */
export const SEGMENT_MAX_BYTES = NAME_MAX_BYTES - SUFFIX_MAX_BYTES;

/** Whether key files of whatever number can bear the site's ID. */
export function fitsFileNames(site: string): boolean {
  return encodeSegment(site).length <= SEGMENT_MAX_BYTES;
}

/** The role of `site` towards `peer`: the ID that sorts first, ignoring case, initiates. Undefined where they are alike. */
export function roleOf(site: string, peer: string): Role | undefined {
  const [own, other] = [site.toLowerCase(), peer.toLowerCase()];
  if (own === other) return undefined;
  return own < other ? 'initiator' : 'responder';
}

/** What `encodeSegment` leaves as it is. */
const PLAIN_SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/;

/**
 * Any text as one segment of a path, reversibly: letters, digits, `_`, `-` and `.` stand for themselves,
 * every other byte of its UTF-8 becomes `%XX`; a leading dot is encoded too, so that no name is hidden or means a folder.
 */
export function encodeSegment(text: string): string {
  if (PLAIN_SEGMENT.test(text)) return text;
  const bytes = [...Buffer.from(text, 'utf8')];
  return bytes
    .map((byte, at) => {
      const char = String.fromCharCode(byte);
      const plain = /[A-Za-z0-9_-]/.test(char) || (char === '.' && at > 0);
      return plain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** The text that `encodeSegment` made `segment` of. */
export function decodeSegment(segment: string): string {
  return decodeURIComponent(segment);
}
