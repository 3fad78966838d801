/**
 * What has to come of an exchange with each kind of KME: the one table that the tests of this folder run and that
 * docs/kme.md is made from.
 *
 * Each row is tried twice: with the dialect at site A's KME, which is asked for new keys, and at site B's, which is
 * asked for the same keys by ID. The KME at the other site keeps to the standard.
 */
import { EXIT } from '../../src/cli/exit-code.js';

/** How both commands end, and what the one says whose KME has the dialect. */
export interface End {
  readonly a: number;
  readonly b: number;
  readonly says?: string;
  /** Nothing was drawn: no key is lost, and the log calls none lost. */
  readonly drawsNothing?: true;
  /** Nothing was drawn, but the site cannot know that: the log calls keys perhaps lost. */
  readonly seemsLost?: true;
}

/** The settings at the site whose KME has the dialect. */
export interface RowSettings {
  readonly method?: 'get';
  readonly encMethod?: 'get';
  readonly decMethod?: 'get';
  readonly maxPerRequest?: 1;
  readonly serverName?: 'kme-a' | 'another-kme';
  /** The IDs that the SAEs of A and B have with this KME. */
  readonly saes?: readonly [string, string];
  /** `kme.url` ends with a slash. */
  readonly slash?: true;
  /** `kme.url` has an IPv6 address. */
  readonly ipv6?: true;
}

export interface Row {
  /** As for `--dialect`, for one KME. */
  readonly dialect: string;
  readonly settings?: RowSettings;
  readonly atA: End;
  readonly atB: End;
  /** The KME takes its time: a short kme.timeout. */
  readonly hangs?: true;
  /** The next exchange goes well. */
  readonly thenWorks?: true;
}

const WORKS: End = { a: EXIT.done, b: EXIT.done };

/** The initiator ends so; the responder has waited in vain. */
function endsA(a: number, says: string, more: Partial<End> = {}): End {
  return { a, b: EXIT.tryAgain, says, ...more };
}

/** The responder says no to the initiator before its vote. */
function endsB(b: number, a: number, says: string, more: Partial<End> = {}): End {
  return { a, b, says, ...more };
}

const works = (dialect: string, settings?: RowSettings): Row => ({
  dialect,
  ...(settings && { settings }),
  atA: WORKS,
  atB: WORKS,
});

/** The answer is 200 and of no use, so its keys are lost. */
const unusable = (dialect: string, says: string): Row => ({
  dialect,
  atA: endsA(EXIT.dataError, says),
  atB: endsB(EXIT.dataError, EXIT.tryAgain, says),
});

/** The request went out, and nobody knows whether the keys were handed out. */
const lost = (dialect: string, says: string, more: Partial<Row> = {}): Row => ({
  dialect,
  atA: endsA(EXIT.unavailable, says),
  atB: endsB(EXIT.unavailable, EXIT.unavailable, says),
  ...more,
});

/** There is no way to the KME, which B finds out before A draws a key. */
const noWay = (dialect: string, exit: number, says: string): Row => ({
  dialect,
  atA: endsA(exit, says, { drawsNothing: true }),
  atB: endsB(exit, exit === EXIT.unavailable ? exit : EXIT.tryAgain, says, { drawsNothing: true }),
});

/** Says no to both calls for as long as it is asked. */
const no = (dialect: string, says: string): Row => ({
  dialect,
  atA: endsA(EXIT.tryAgain, says, { drawsNothing: true }),
  atB: endsB(EXIT.tryAgain, EXIT.tryAgain, says),
});

const onlyAtA = (dialect: string, atA: End): Row => ({ dialect, atA, atB: WORKS });
const onlyAtB = (dialect: string, atB: End): Row => ({ dialect, atA: WORKS, atB });

const METHOD_IS_WRONG = (call: string): string => `the KME answered ${call} with HTTP 405`;

export const ROWS: readonly Row[] = [
  works('standard'),
  works('standard', { method: 'get' }),
  works('standard', { slash: true }),

  works('strict-422'),
  works('strict-500'),
  works('needs-both'),
  works('no-extras'),
  works('get-ignores-size'),
  {
    dialect: 'get-ignores-size',
    settings: { method: 'get' },
    atA: endsA(EXIT.dataError, 'has 32 bits, asked for were 256'),
    atB: WORKS,
  },
  works('needs-body'),
  works('plain-ids-500'),

  {
    dialect: 'get-only',
    atA: endsA(EXIT.config, METHOD_IS_WRONG('enc_keys'), { drawsNothing: true }),
    atB: endsB(EXIT.config, EXIT.tryAgain, METHOD_IS_WRONG('dec_keys')),
  },
  works('get-only', { method: 'get' }),
  works('post-only'),
  {
    dialect: 'post-only',
    settings: { method: 'get' },
    atA: endsA(EXIT.config, METHOD_IS_WRONG('enc_keys'), { drawsNothing: true }),
    atB: endsB(EXIT.config, EXIT.tryAgain, METHOD_IS_WRONG('dec_keys')),
  },
  onlyAtA('get-enc-post-dec', endsA(EXIT.config, METHOD_IS_WRONG('enc_keys'), { drawsNothing: true })),
  works('get-enc-post-dec', { encMethod: 'get' }),

  unusable('half-size', 'has 128 bits, asked for were 256'),
  unusable('no-leading-zeros', 'has 248 bits, asked for were 256'),
  unusable('bits-as-bytes', 'has 2048 bits, asked for were 256'),

  works('id-v8'),
  works('id-joined'),
  works('id-joined', { method: 'get' }),
  works('id-dashless'),
  works('id-mixed-case'),

  works('one-a-request'),
  no('one-a-request-unsaid', 'HTTP 400: one key a request'),
  works('one-a-request-unsaid', { maxPerRequest: 1 }),
  onlyAtB('fewer', endsB(EXIT.dataError, EXIT.tryAgain, 'it holds 1 keys, asked for were 3')),
  works('fewer', { maxPerRequest: 1 }),
  works('discards-earlier'),

  works('store-order'),
  works('reverse-order'),
  onlyAtB('missing-key', endsB(EXIT.dataError, EXIT.tryAgain, 'it holds 2 keys, asked for were 3')),
  onlyAtB('duplicate-key', endsB(EXIT.dataError, EXIT.tryAgain, 'repeats an earlier key_ID')),
  onlyAtB('foreign-key', endsB(EXIT.dataError, EXIT.tryAgain, 'a key_ID that was asked for is missing')),

  works('keys-object'),
  works('null-extensions'),
  works('unknown-fields'),
  unusable('malformed-json', 'it is not a JSON object'),
  unusable('html-200', 'it is not a JSON object'),

  onlyAtA('dry-503', endsA(EXIT.tryAgain, 'HTTP 503: not enough keys', { drawsNothing: true })),
  onlyAtA('dry-400', endsA(EXIT.tryAgain, 'HTTP 400: key pool depleted', { drawsNothing: true })),
  onlyAtA('dry-404', endsA(EXIT.tryAgain, 'HTTP 404: no key available', { drawsNothing: true })),
  onlyAtA('dry-empty', endsA(EXIT.tryAgain, 'the KME is out of keys', { drawsNothing: true })),
  works('refilling-503'),
  works('refilling-400'),
  works('refilling-404'),
  works('refilling-empty'),
  works('retry-after'),

  ...[400, 404, 422, 500, 503].map((status) =>
    onlyAtB(`unknown-${status}`, endsB(EXIT.tryAgain, EXIT.tryAgain, `HTTP ${status}: key not found`)),
  ),
  onlyAtB('unknown-401', endsB(EXIT.noPermission, EXIT.tryAgain, 'HTTP 401: key not found')),
  onlyAtB('unknown-empty', endsB(EXIT.tryAgain, EXIT.tryAgain, 'the KME does not know the key (yet)')),
  ...['400', '401', '404', '422', '500', '503', 'empty'].map((as) => works(`late-${as}`)),

  lost('lost-once', 'the KME broke the connection', { thenWorks: true }),
  lost('cuts', 'the KME broke the connection'),
  lost('tears', 'the KME broke the connection'),
  lost('hangs', 'no answer from the KME', { hangs: true }),
  lost('stalls', 'no answer from the KME', { hangs: true }),
  lost('trickles', 'no answer from the KME', { hangs: true }),

  ...['message', 'detail', 'detail-list', 'html', 'text', 'untyped', 'mistyped'].map((how) =>
    no(`dry-503+unknown-503+error-${how}`, 'no key for you now'),
  ),
  no('dry-503+unknown-503+error-details-object', 'HTTP 503: error'),
  no('dry-503+unknown-503+error-empty', 'HTTP 503'),

  works('status-zeros'),
  works('status-bare'),
  works('status-lower-case'),
  works('status-500'),
  works('status-404'),
  works('status-for-all'),

  works('integer-saes', { saes: ['1001', '1002'] }),
  works('free-text-saes', { saes: ['SAE ä/1', 'SAE ä/2'] }),
  {
    dialect: 'integer-saes',
    atA: endsA(EXIT.noPermission, 'HTTP 400: SAE sae-b is not known here', { drawsNothing: true }),
    atB: endsB(EXIT.tryAgain, EXIT.tryAgain, 'HTTP 400: SAE sae-a is not known here'),
  },
  {
    dialect: 'sae-401',
    atA: endsA(EXIT.noPermission, 'HTTP 401: unauthorized SAE', { drawsNothing: true }),
    atB: endsB(EXIT.noPermission, EXIT.tryAgain, 'HTTP 401: unauthorized SAE'),
  },
  {
    dialect: 'sae-403',
    atA: endsA(EXIT.noPermission, 'HTTP 403: forbidden', { drawsNothing: true }),
    atB: endsB(EXIT.noPermission, EXIT.tryAgain, 'HTTP 403: forbidden'),
  },
  {
    dialect: 'sae-400',
    atA: endsA(EXIT.noPermission, 'HTTP 400: SAE sae-b is unknown', { drawsNothing: true }),
    atB: endsB(EXIT.tryAgain, EXIT.tryAgain, 'HTTP 400: SAE sae-b is unknown'),
  },
  {
    dialect: 'sae-404',
    atA: endsA(EXIT.noPermission, 'HTTP 404: SAE not found', { drawsNothing: true }),
    atB: endsB(EXIT.tryAgain, EXIT.tryAgain, 'HTTP 404: SAE not found'),
  },

  works('tls-1.2'),
  works('tls-1.3'),
  noWay('no-san', EXIT.unavailable, "the KME's certificate bears another name"),
  works('no-san', { serverName: 'kme-a' }),
  works('ip-only'),
  works('ip-only', { ipv6: true }),
  noWay('wrong-name', EXIT.unavailable, "the KME's certificate bears another name"),
  works('wrong-name', { serverName: 'another-kme' }),
  noWay('expired', EXIT.unavailable, "the KME's certificate, or its CA's, has expired"),
  works('sae-by-serial'),
  noWay('refuses-by-alert', EXIT.noPermission, 'the KME does not accept our certificate'),
  {
    dialect: 'refuses-by-hang-up',
    atA: endsA(EXIT.unavailable, 'the KME broke the connection', { seemsLost: true }),
    atB: endsB(EXIT.unavailable, EXIT.unavailable, 'the KME broke the connection', { drawsNothing: true }),
  },
  noWay('refuses-by-400', EXIT.noPermission, 'the KME does not accept our certificate'),
  works('plain-http'),

  works('path-prefix'),
  {
    dialect: 'redirects',
    atA: endsA(EXIT.dataError, 'the KME redirects enc_keys', { drawsNothing: true }),
    atB: endsB(EXIT.dataError, EXIT.tryAgain, 'the KME redirects dec_keys'),
  },

  works('closes'),
  works('slow'),
  {
    dialect: 'dead',
    hangs: true,
    atA: endsA(EXIT.unavailable, 'no answer from the KME'),
    atB: endsB(EXIT.unavailable, EXIT.unavailable, 'no answer from the KME', { drawsNothing: true }),
  },
  unusable('continues', 'the KME answered with HTTP 100, which nobody asked for'),
  works('continues', { method: 'get' }),
  unusable('floods-headers', 'the answer is not proper HTTP/1.1'),
  unusable('floods-body', "the KME's answer is longer than"),
];
