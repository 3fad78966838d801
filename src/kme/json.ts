/**
 * JSON from a KME, without a trace of it in errors.
 *
 * V8's messages for malformed JSON quote the input, and a key container's text is key bytes: the errors of decoding
 * and parsing are dropped here, never passed on as a cause.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON object that `bytes` hold, or undefined where they are no well-formed UTF-8, no JSON or no object. */
export function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
