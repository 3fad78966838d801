/**
 * What an SAE may ask for, taken strictly: the *Key request* and *Key IDs* data formats of ETSI GS QKD 014
 * v1.1.1 (sections 6.2 and 6.4), in a query or in a JSON body.
 *
 * Nothing throws: every fault is a Refusal, which becomes the body of an HTTP 400.
 */
import { clean } from '../base/errors.js';
import type { KeyId } from '../base/key.js';
import type { Limits } from './limits.js';

/** The *Error* data format (section 6.5). */
export interface Refusal {
  readonly message: string;
  readonly details?: readonly Readonly<Record<string, string>>[];
}

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export interface KeyRequest {
  readonly number: number;
  /** In bits. */
  readonly size: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** One thing that is wrong: `parameter` and `problem` read together as a sentence. */
interface Problem {
  readonly parameter: string;
  readonly problem: string;
}

/** So many faults are named in one answer; more would only make it long. */
const PROBLEMS_MAX = 10;

const NO_PROBLEM: readonly Problem[] = [];

/** The fields of a POST's body; none where it is empty. */
export function parseBody(contentType: string | undefined, body: Uint8Array): Parsed<Fields> {
  if (body.byteLength === 0) return { ok: true, value: {} };
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    return refuse('the content type of a body must be application/json');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return refuse('the body is not JSON in UTF-8');
  }
  return isObject(parsed) ? { ok: true, value: parsed } : refuse('the body is not a JSON object');
}

/** The fields of a GET enc_keys: `number` and `size` only (section 5.2). */
export function parseKeyRequestQuery(query: string): Parsed<Fields> {
  return parseQuery(query, ['number', 'size'], (values) =>
    Object.fromEntries(
      [...values].map(([name, text]) => [name, /^\d{1,9}$/.test(text) ? Number(text) : text]),
    ),
  );
}

/** The fields of a GET dec_keys: one `key_ID` (section 5.3). */
export function parseKeyIdsQuery(query: string): Parsed<Fields> {
  return parseQuery(query, ['key_ID'], (values) => ({
    key_IDs: [...values.values()].map((keyId) => ({ key_ID: keyId })),
  }));
}

/** A query where no parameter is allowed. */
export function parseEmptyQuery(query: string): Parsed<Fields> {
  return parseQuery(query, [], () => ({}));
}

/** How many keys of which size `fields` ask for. */
export function toKeyRequest(fields: Fields, limits: Limits): Parsed<KeyRequest> {
  const { number = 1, size = limits.keySize } = fields;
  const problems = [
    ...unknownFields(fields, [
      'number',
      'size',
      'additional_slave_SAE_IDs',
      'extension_mandatory',
      'extension_optional',
    ]),
    ...integerProblems('number', number, 1, limits.maxKeyPerRequest),
    ...integerProblems('size', size, limits.minKeySize, limits.maxKeySize),
    ...(Number.isInteger(size) && Number(size) % 8 !== 0
      ? [{ parameter: 'size', problem: 'must be a multiple of 8' }]
      : []),
    ...listProblems(fields, 'additional_slave_SAE_IDs', isString, 'strings', 'is not supported'),
    ...listProblems(fields, 'extension_mandatory', isObject, 'objects', 'is not supported'),
    ...listProblems(fields, 'extension_optional', isObject, 'objects'),
  ];
  if (typeof number === 'number' && typeof size === 'number' && problems.length === 0)
    return { ok: true, value: { number, size } };
  return refuseAll(problems);
}

/** Which keys `fields` ask for: at least one, none twice. */
export function toKeyIds(fields: Fields, limits: Limits): Parsed<readonly KeyId[]> {
  const problems: Problem[] = [
    ...unknownFields(fields, ['key_IDs', 'key_IDs_extension']),
    ...objectProblems(fields, 'key_IDs_extension'),
  ];
  const list: unknown = fields['key_IDs'];
  const keyIds: KeyId[] = [];
  if (!Array.isArray(list) || list.length < 1 || list.length > limits.maxKeyPerRequest) {
    problems.push({
      parameter: 'key_IDs',
      problem: `must be an array of 1 to ${limits.maxKeyPerRequest} objects`,
    });
  } else {
    for (const item of list as readonly unknown[]) {
      if (!isObject(item) || typeof item['key_ID'] !== 'string') {
        problems.push({ parameter: 'key_IDs', problem: 'must hold objects with a string key_ID' });
        continue;
      }
      problems.push(
        ...unknownFields(item, ['key_ID', 'key_ID_extension']),
        ...objectProblems(item, 'key_ID_extension'),
      );
      keyIds.push(item['key_ID']);
    }
    if (new Set(keyIds).size < keyIds.length)
      problems.push({ parameter: 'key_IDs', problem: 'must not name a key twice' });
  }
  return problems.length === 0 ? { ok: true, value: keyIds } : refuseAll(problems);
}

function parseQuery(
  query: string,
  allowed: readonly string[],
  toFields: (values: ReadonlyMap<string, string>) => Fields,
): Parsed<Fields> {
  const values = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [name, value] of new URLSearchParams(query)) {
    if (!allowed.includes(name))
      problems.push({ parameter: name, problem: 'is not a parameter of this GET request' });
    else if (values.has(name)) problems.push({ parameter: name, problem: 'must be given once' });
    values.set(name, value);
  }
  return problems.length === 0 ? { ok: true, value: toFields(values) } : refuseAll(problems);
}

function unknownFields(fields: Fields, known: readonly string[]): readonly Problem[] {
  return Object.keys(fields)
    .filter((name) => !known.includes(name))
    .map((name) => ({ parameter: name, problem: 'is not a field of this request' }));
}

function integerProblems(parameter: string, value: unknown, min: number, max: number): readonly Problem[] {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return NO_PROBLEM;
  return [{ parameter, problem: `must be an integer from ${min} to ${max}` }];
}

/** An absent list is fine, an empty one too; one with members is a problem where `unsupported` says so. */
function listProblems(
  fields: Fields,
  parameter: string,
  isMember: (value: unknown) => boolean,
  members: string,
  unsupported?: string,
): readonly Problem[] {
  if (!(parameter in fields)) return NO_PROBLEM;
  const list: unknown = fields[parameter];
  if (!Array.isArray(list) || !list.every(isMember))
    return [{ parameter, problem: `must be an array of ${members}` }];
  return unsupported === undefined || list.length === 0 ? NO_PROBLEM : [{ parameter, problem: unsupported }];
}

function objectProblems(fields: Fields, parameter: string): readonly Problem[] {
  if (!(parameter in fields) || isObject(fields[parameter])) return NO_PROBLEM;
  return [{ parameter, problem: 'must be an object' }];
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { message } };
}

function refuseAll(problems: readonly Problem[]): { readonly ok: false; readonly refusal: Refusal } {
  const named = problems
    .slice(0, PROBLEMS_MAX)
    .map(({ parameter, problem }) => ({ parameter: clean(parameter, 64), problem }));
  const message = named.map(({ parameter, problem }) => `${parameter} ${problem}`).join(', ');
  return {
    ok: false,
    refusal: { message, details: named.map(({ parameter, problem }) => ({ [parameter]: problem })) },
  };
}
