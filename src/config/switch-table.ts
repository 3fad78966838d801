/** The part of the table of settings that only flags have, and all the flags of a command. */
import { ALL, CONTACT, DIALLING, EXCHANGING, MEETING, RECORDS } from './setting.js';
import type { Command, Setting } from './setting.js';
import { SETTINGS } from './settings-table.js';
import { peerOrHost, file, integer, oneOf, siteId, trueOrFalse } from './shape.js';

/** No pair of sites ever gets there by itself, nor from there to where numbers cannot be counted on any more. */
const INDEX_MAX = 10 ** 15;

/** Set by flag only: they are about one run. */
export const SWITCHES = {
  peer: {
    key: 'peer',
    flag: '--peer <host[:port]>',
    shape: peerOrHost,
    help: 'the peer: a site of the configuration, or its host (default port 7000)',
    commands: [...DIALLING, 'doctor'],
  },
  peerSite: {
    key: 'peerSite',
    flag: '--peer-site <id>',
    shape: siteId,
    defaultNote: 'the host in --peer',
    help: 'the site ID of a peer that is not in the configuration; respond then answers only this one',
    commands: CONTACT,
  },
  peerSae: {
    key: 'peerSae',
    flag: '--peer-sae <id>',
    shape: siteId,
    defaultNote: "the peer's site ID",
    help: 'the SAE ID of the peer',
    commands: CONTACT,
  },
  anyRole: {
    key: 'anyRole',
    flag: '--any-role',
    shape: trueOrFalse,
    help: 'let the site whose ID sorts last initiate',
    commands: MEETING,
  },
  index: {
    key: 'index',
    flag: '--index <n>',
    shape: integer(0, INDEX_MAX),
    help: 'the number of the next key file, higher than any so far; to be given on both sites',
    commands: EXCHANGING,
  },
  insecure: {
    key: 'insecure',
    flag: '--insecure',
    shape: trueOrFalse,
    help: 'neither authenticate nor encrypt; on loopback addresses only',
    commands: CONTACT,
  },
  serve: {
    key: 'serve',
    flag: '--serve',
    shape: trueOrFalse,
    help: 'stay and answer every contact instead of one',
    commands: ['respond'],
  },
  takeKey: {
    key: 'takeKey',
    flag: '--take-key',
    shape: trueOrFalse,
    help: 'draw one key for the SAE of each peer that is looked at, to see that it can be; the key is lost',
    commands: ['doctor'],
  },
  json: {
    key: 'json',
    flag: '--json',
    shape: trueOrFalse,
    help: 'print one JSON object on stdout at the end',
    commands: RECORDS,
  },
  quiet: {
    key: 'quiet',
    flag: '-q, --quiet',
    shape: trueOrFalse,
    help: 'say nothing on stderr when all goes well',
    commands: ALL,
  },
  verbose: {
    key: 'verbose',
    flag: '-v, --verbose',
    shape: trueOrFalse,
    help: 'tell the handshake step by step on stderr',
    commands: ALL,
  },
  logFormat: {
    key: 'logFormat',
    flag: '--log-format <format>',
    shape: oneOf('human', 'json'),
    default: 'human',
    help: 'what stderr looks like: human or json',
    commands: ALL,
  },
  config: {
    key: 'config',
    flag: '--config <file>',
    shape: file,
    help: 'the configuration file to read instead of the first that is found',
    commands: RECORDS,
  },
} as const satisfies Record<string, Setting<unknown>>;

/** All that `command` takes as flags, in the table's order. */
export function flagsOf(command: Command): (Setting<unknown> & { readonly flag: string })[] {
  const all: readonly (Setting<unknown> & { readonly flag: string })[] = [
    ...Object.values(SWITCHES),
    ...Object.values(SETTINGS),
  ];
  return all.filter(({ commands }) => commands.includes(command));
}
