/** The places in the store's work that are worth striking more often than chance would: around decisions. */
import { READS, type Operation } from './fault.js';

type Test = (operation: Operation) => boolean;

const movesTo =
  (suffix: string): Test =>
  ({ kind, to }) =>
    kind === 'rename' && to?.endsWith(suffix) === true;

const RECORD = /\.(staged|resolved|aborted|committed|done)$/;
const ROLE = /\/(initiator|responder)$/;

const isRead = ({ kind }: Operation): boolean => READS.has(kind);

export const SPOTS = {
  folder: ({ kind, path }) => kind === 'mkdir' && !path.includes('.tmp-'),
  begin: ({ kind, path }) => kind === 'mkdir' && path.includes('.tmp-'),
  stage: movesTo('.staged'),
  decide: movesTo('.committed'),
  abort: movesTo('.aborted'),
  done: movesTo('.done'),
  resolve: movesTo('.resolved'),
  note: ({ kind, path }) => kind === 'create' && path.includes('/resolutions/'),
  publish: ({ kind, path }) =>
    kind !== 'stat' && kind !== 'create' && kind !== 'write' && path.endsWith('/key'),
  trash: ({ kind, to }) => kind === 'rename' && to?.includes('/.trash/') === true,
  empty: ({ kind, path }) => (kind === 'unlink' || kind === 'rmdir') && path.includes('/.trash/'),
  'sync-role': ({ kind, path }) => kind === 'syncFolder' && ROLE.test(path),
  'sync-keys': ({ kind, path }) => kind === 'syncFolder' && path.includes('/keys'),
  'sync-record': ({ kind, path }) => kind === 'syncFolder' && RECORD.test(path),
  'sync-folder': ({ kind }) => kind === 'syncFolder',
  'sync-file': ({ kind }) => kind === 'sync',
  beta: ({ kind, path }) => kind === 'create' && path.endsWith('/beta'),
  reserve: ({ kind, to }) => kind === 'rename' && to?.includes('/names/') === true,
  release: ({ kind, path }) => (kind === 'unlink' || kind === 'rmdir') && path.includes('/names/'),
  mark: ({ kind, path }) => kind === 'create' && path.includes('/index/'),
  'state-id': ({ kind, to }) => kind === 'link' && to?.endsWith('/state-id') === true,
  'read-record': (operation) =>
    isRead(operation) && /\.(staged|resolved|aborted|committed|done)/.test(operation.path),
  'list-role': ({ kind, path }) => kind === 'list' && ROLE.test(path),
  change: (operation) => !isRead(operation),
  any: () => true,
} satisfies Readonly<Record<string, Test>>;

export type Spot = keyof typeof SPOTS;
