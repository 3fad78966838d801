/** `formats`: what key files look like, by an example that the encoder itself has made, and who reads them. */
import { FORMATS, type Format } from '../base/format.js';
import { Secret } from '../base/key.js';
import { EXTENSIONS } from '../exchange/key-file-name.js';
import { encodeKeyFile } from '../exchange/key-file.js';
import type { Flags } from './exchange-commands.js';
import { EXIT } from './exit-code.js';
import type { Report } from './report.js';
import type { Streams } from './streams.js';

interface Explanation {
  readonly text: string;
  readonly readers: readonly string[];
}

const EXPLANATIONS: Readonly<Record<Format, Explanation>> = {
  hex: {
    text: 'one key a line, lower case, LF; the default',
    readers: [
      "qkd-net's key router: files named by index, exchange.count = qllBlockSz, exchange.size = 8 x keyBytesSz",
      'strongSwan (swanctl.conf): secret = 0x and the line',
      'OpenSSL (-psk), and the files of identity:key lines of stunnel, Mosquitto and GnuTLS: the line',
    ],
  },
  base64: {
    text: 'one key a line, padded, LF',
    readers: [
      'WireGuard: wg set wg0 peer <public key> preshared-key <file>, with exchange.count 1 and exchange.size 256',
      'strongSwan (swanctl.conf): secret = 0s and the line',
    ],
  },
  raw: {
    text: 'the bytes of the keys end to end, and nothing else',
    readers: ['programs that take the bytes of a file for the key, such as cryptsetup --key-file'],
  },
  json: {
    text: 'the key container of ETSI GS QKD 014, keys in base64 with their IDs',
    readers: ['programs made for the answer of a KME'],
  },
};

/** Obviously nobody's key: its bytes count from 0 to 31. */
const exampleKey = (): { keyId: string; secret: Secret } => ({
  keyId: '00000000-0000-4000-8000-000000000001',
  secret: new Secret(Uint8Array.from({ length: 32 }, (_, at) => at)),
});

export function runFormats(_streams: Streams, _flags: Flags, report: Report): Promise<number> {
  report.data('What exchange.format (--format) makes of one key of 256 bits. The key is an example.');
  for (const format of FORMATS) {
    const { text, readers } = EXPLANATIONS[format];
    report.data(`\n${format}: ${text}`);
    report.data(`  with naming: key-id the file is called <first key ID>.${EXTENSIONS[format]}`);
    for (const line of exampleOf(format)) report.data(`    ${line}`);
    for (const reader of readers) report.data(`  read by ${reader}`);
  }
  report.data(
    '\nThe two sites may differ in format. Which keys are in a file, and in what order, is the same on both.',
  );
  report.data('docs/formats.md says more, docs/recipes.md how the readers get their files.');
  return Promise.resolve(EXIT.done);
}

function exampleOf(format: Format): string[] {
  const file = Buffer.from(encodeKeyFile([exampleKey()], format));
  if (format !== 'raw') return file.toString('utf8').trimEnd().split('\n');
  // As od -An -tx1 shows it.
  const bytes = [...file].map((byte) => byte.toString(16).padStart(2, '0'));
  return [bytes.slice(0, 16).join(' '), bytes.slice(16).join(' ')];
}
