/**
 * KMEs that answer by a script, without a network: what each of them says to one request after the other.
 *
 * Calling sequence: `fetch` for the client, then what was asked: `calls`, `bodies`, and how many at a time, `most`.
 */
import type { Fetch, FetchInit, FetchResponse } from '../../src/kme/http.js';

/** `unsent`: no connection; `cut`: broken after the request went out; else status, body as JSON or text, headers. */
export type Said =
  'unsent' | 'cut' | readonly [status: number, body?: unknown, headers?: Readonly<Record<string, string>>];

/** What one KME says to a request; an array is a script, whose last entry holds for ever. */
export type Script = readonly Said[] | ((body: unknown, call: string) => Said | Promise<Said>);

export class ScriptedKmes {
  /** `kme-a enc_keys`, in order. */
  readonly calls: string[] = [];
  readonly urls: string[] = [];
  readonly bodies: unknown[] = [];
  /** The most requests that were under way at one time. */
  most = 0;
  readonly #scripts: Readonly<Record<string, Script>>;
  readonly #at = new Map<string, number>();
  #open = 0;

  /** @param scripts by host name */
  constructor(scripts: Readonly<Record<string, Script>>) {
    this.#scripts = scripts;
  }

  readonly fetch: Fetch = async (url, init) => {
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    try {
      return await this.#answer(new URL(url), init);
    } finally {
      this.#open -= 1;
    }
  };

  async #answer({ hostname, pathname, href }: URL, init: FetchInit): Promise<FetchResponse> {
    const call = pathname.slice(pathname.lastIndexOf('/') + 1);
    const body: unknown = init.body === undefined ? undefined : JSON.parse(init.body);
    this.calls.push(`${hostname} ${call}`);
    this.urls.push(href);
    this.bodies.push(body);
    const script = this.#scripts[hostname] ?? ['unsent'];
    const said = typeof script === 'function' ? await script(body, call) : this.#next(hostname, script);
    if (said === 'unsent') throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    init.onSent();
    if (said === 'cut') throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const [status, content = '', headers = {}] = said;
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    return new Response(status === 204 ? null : text, { status, headers });
  }

  #next(host: string, script: readonly Said[]): Said {
    const at = this.#at.get(host) ?? 0;
    this.#at.set(host, at + 1);
    return script[Math.min(at, script.length - 1)] ?? 'unsent';
  }
}

/** A container with these keys, each filled with the number of its ID's first character. */
export function containerOf(keyIds: readonly string[], bytes = 32): object {
  return {
    keys: keyIds.map((keyId) => ({
      key_ID: keyId,
      key: Buffer.alloc(bytes, keyId.charCodeAt(0)).toString('base64'),
    })),
  };
}
