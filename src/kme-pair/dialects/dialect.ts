/** One way in which a KME in the field deviates from the standard, or uses the freedom that it leaves. */
import type { KeyId } from '../../base/key.js';
import type { Random } from '../../base/random.js';
import type { Api } from '../api.js';
import type { ServedKme } from '../etsi-014.js';
import type { Limits } from '../limits.js';
import type { Transport } from '../transport.js';

/** What dialects differ in, in the order of docs/kme.md. */
export const TOPICS = [
  'request',
  'method',
  'key length',
  'key ID',
  'number of keys',
  'order',
  'container',
  'out of keys',
  'unknown key',
  'lost answer',
  'error body',
  'status',
  'SAE',
  'TLS',
  'URL',
  'HTTP',
] as const;
export type Topic = (typeof TOPICS)[number];

/** Puts a deviation around a KME's logic. Called once for each KME, so that it may remember what was asked. */
export type Wrap = (next: Api, kme: ServedKme) => Api;

export interface Dialect {
  /** For `--dialect`, in kebab case. */
  readonly name: string;
  readonly topic: Topic;
  /** What the KME does; a sentence without full stop, that begins with a verb. */
  readonly does: string;
  readonly wrap?: Wrap;
  readonly limits?: Partial<Limits>;
  readonly nameKey?: (random: Random) => KeyId;
  /** The path that comes before the API's own. */
  readonly prefix?: string;
  readonly transport?: Partial<Transport>;
}
