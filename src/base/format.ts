/** What a key file looks like (docs/formats.md). Each site has its own: the keys and their order agree, the bytes need not. */

export const FORMATS = ['hex', 'base64', 'raw', 'json'] as const;
export type Format = (typeof FORMATS)[number];
