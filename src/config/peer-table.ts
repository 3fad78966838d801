/** The part of the table of settings that only the file has: one set of these for each peer. */
import { CONTACT, DIALLING } from './setting.js';
import type { Setting } from './setting.js';
import { certificateName, dialAddress, file, siteId } from './shape.js';

/** What the file says of each peer, below `peers.<site ID>`. */
export const PEER_SETTINGS = {
  address: {
    key: 'address',
    shape: dialAddress,
    defaultNote: 'its site ID, port 7000',
    help: 'where the peer listens; only the initiating site needs it',
    commands: DIALLING,
  },
  sae: {
    key: 'sae',
    shape: siteId,
    defaultNote: 'its site ID',
    help: 'the SAE ID of the peer',
    commands: CONTACT,
  },
  name: {
    key: 'name',
    shape: certificateName,
    defaultNote: 'its site ID',
    help: "mutual TLS: the name in the peer's certificate, as a DNS name or the common name",
    commands: CONTACT,
  },
  pskFile: {
    key: 'pskFile',
    shape: file,
    help: 'instead of certificates, TLS-PSK: a file with at least 32 secret bytes in hex or base64, alike on both sites',
    commands: CONTACT,
  },
} as const satisfies Record<string, Setting<unknown>>;
