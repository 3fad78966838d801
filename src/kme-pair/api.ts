/** What passes between a KME and its sockets: one request of the key delivery API, and its answer. */
import type { KeyId } from '../base/key.js';

/** The three methods of the API (ETSI GS QKD 014, section 5), by the last segment of their path. */
export type ApiCall = 'status' | 'enc_keys' | 'dec_keys';

export interface ApiRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  /** Who the client certificate says is asking. */
  readonly sae: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/** How an answer goes out. Whatever is not `whole` is for dialects; send.ts says what each does. */
export type Conduct =
  | 'whole'
  | 'closing'
  | 'continuing'
  | 'slow'
  | 'trickling'
  | 'silent'
  | 'stalling'
  | 'cutting'
  | 'tearing'
  | 'flooding-headers'
  | 'flooding-body';

export interface ApiAnswer {
  readonly status: number;
  /** A JSON value, or text that goes out as it is. It may hold keys: never for a log. */
  readonly body: object | string;
  /** Beyond those that every answer has, or instead of them; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The keys that the KME has handed out with this answer and will not hand out again to the same SAE. */
  readonly delivered?: readonly KeyId[];
  readonly conduct?: Conduct;
}

/** A KME, as its sockets see it. */
export type Api = (request: ApiRequest) => ApiAnswer;
