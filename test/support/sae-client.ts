/** An SAE that talks to a KME over mutual TLS, bare of all that the real client does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';

export interface KmeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** A connection pool with the certificate `<name>.pem` of the pair's folder, or with none. */
export async function saeAgent(dir: string, name?: string): Promise<Agent> {
  const read = (file: string): Promise<string> => readFile(join(dir, file), 'utf8');
  const ca = await read('kme-ca.pem');
  const own = name === undefined ? {} : { cert: await read(`${name}.pem`), key: await read(`${name}.key`) };
  return new Agent({ connect: { ca, ...own } });
}

/** GET, or POST where there is a body: an object as JSON, a string as it is. */
export async function ask(
  dispatcher: Agent,
  url: string,
  body?: object | string,
  options: { method?: string; contentType?: string } = {},
): Promise<KmeAnswer> {
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const answer = await request(url, {
    dispatcher,
    method: options.method ?? (text === undefined ? 'GET' : 'POST'),
    headers: text === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' },
    body: text ?? null,
  });
  const json = await answer.body.text();
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: json === '' ? undefined : JSON.parse(json),
  };
}
